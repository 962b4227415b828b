"""KD-Loss drawn along one coordinate and on a face."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from kdnotes import losses
from kdnotes.plots.faces import draw_face, draw_points
from kdnotes.plots.style import (
    COLOURS,
    GREEN,
    RED,
    SKY,
    legend_below,
    new_figure,
)

#: How the terms of the loss are drawn, and a teacher with its reflection is named.
TERMS = {"main": "--", "tough": (0, (2, 1.5)), "tolerant": "-."}
NAMES = {"tough": "Tough teacher", "tolerant": "Tolerant teacher"}
WHERE = "prediction, crop widths"


def kd_curves(
    tough: float = 0.4,
    tolerant: float = 0.49,
    *,
    target: float = 0.0,
    pred: float | None = None,
    settings: losses.KDSettings = losses.PAPER,
    reach: float = 1.0,
    top: float | None = None,
) -> Figure:
    """KD-Loss and its terms on one axis, and the slope of the total.

    Args:
        tough, tolerant, target: Where the teachers and the truth lie.
        pred: Where to mark a prediction, with an arrow along its descent step.
        reach: How far to both sides of the truth the axis goes.
        top: Up to where the loss is drawn. None is twice `reach`: its terms can be told apart.
    """
    p = torch.linspace(target - reach, target + reach, 1600, dtype=torch.float64)
    fixed = [torch.full_like(p, value) for value in (target, tough, tolerant)]
    terms = losses.kd_loss(p, *fixed, settings=settings, reduction="none")
    slope = losses.kd_loss_grad(p, *fixed, settings=settings, reduction="none").total
    x = p.numpy()
    figure, [[left, right]] = new_figure(9.5, 3.4, ncols=2, plain=True)
    for name, value in terms._asdict().items():
        style = {"lw": 1.3, "ls": TERMS[name]} if name in TERMS else {"lw": 2.4}
        label = "whole loss" if name == "total" else f"{name} term"
        left.plot(x, value.numpy(), color=COLOURS[name], label=label, **style)
    right.plot(x, slope.numpy(), color=COLOURS["total"], lw=1.8)
    left.set(title="KD-Loss and its terms", xlabel=WHERE, ylabel="loss")
    right.set(title="slope of the whole loss", xlabel=WHERE, ylabel="loss per crop width")
    left.set_ylim(top=min(top or 2 * reach, left.get_ylim()[1]))
    for ax in (left, right):
        ax.axhline(0, color="#999999", lw=0.6)
        ax.set_xlim(target - reach, target + reach)
        ax.locator_params(axis="x", nbins=5)
        ax.axvline(target, color=COLOURS["hard"], lw=1, ls=":", label="truth")
        _mark_teacher(ax, "tough", tough, 2 * target - tough, alpha=0.6)
        _mark_teacher(ax, "tolerant", tolerant, 2 * target - tolerant, alpha=0.6)
    if pred is not None:
        value, step = np.interp(pred, x, terms.total), np.interp(pred, x, slope)
        left.plot(pred, value, "o", color=COLOURS["student"], mec="white", ms=9, zorder=5)
        goal = pred - 0.12 * np.sign(step) * min(1.0, abs(step))
        left.annotate("", (goal, value), (pred, value), arrowprops={"arrowstyle": "->", "lw": 1.8})
    legend_below(figure, left, columns=4)
    return figure


def _mark_teacher(ax, name, place, reflection, alpha, called=None):
    """Dotted lines at a teacher and, with opacity `alpha`, at its reflection."""
    label = f"{called or NAMES[name]}; fainter: its reflection"
    ax.axvline(place, color=COLOURS[name], lw=1, ls=":", alpha=0.9, label=label)
    ax.axvline(reflection, color=COLOURS[name], lw=1, ls=":", alpha=alpha)


#: How figures show the regions of the assistive loss: name and colour.
REGIONS = {
    losses.POSITIVE: ("pulled in (R_P)", RED),
    losses.NEGATIVE: ("pushed on (R_N)", GREEN),
    losses.LOW: ("let go (R_L)", SKY),
}


def assistance_curves(
    named: Mapping[str, losses.Assistance], teacher: float = 0.4, *, reach: float = 1.0
) -> Figure:
    """Weight and loss of one teacher's assistance over its regions, the truth at 0.

    Args:
        named: Title to assistance; a column each.
        teacher: Where the teacher stands.
        reach: How far to both sides of the truth the axis goes.
    """
    p = torch.linspace(-reach, reach, 2001, dtype=torch.float64)
    truth, t = torch.zeros_like(p), torch.full_like(p, teacher)
    figure, axes = new_figure(
        4.7 * len(named), 4.6, nrows=2, ncols=len(named), sharex=True, sharey="row", plain=True
    )
    for (title, assistance), column in zip(named.items(), axes.T, strict=True):
        loss = losses.assistive_loss(p, truth, t, **vars(assistance), reduction="none")
        weight = loss / (t.abs() - p.abs()).abs()  # NaN, a gap in the curve, at the teacher
        regions = losses.region(
            p, truth, t, beta=assistance.beta, low_influence=assistance.low_influence
        )
        for ax, values, name in zip(column, (weight, loss), ("weight", "loss"), strict=True):
            for number, (label, colour) in REGIONS.items():
                ax.fill_between(
                    p, 0, 1, (regions == number).numpy(), color=colour, alpha=0.15, lw=0,
                    label=label, transform=ax.get_xaxis_transform(),
                )  # fmt: skip
            ax.plot(p, values, color=COLOURS["tough"], lw=1.8)
            ax.axhline(0, color="#999999", lw=0.6)
            _mark_teacher(ax, "tough", teacher, -teacher, alpha=0.35, called="teacher")
            ax.set_ylabel(name)
        column[0].set_title(title)
        column[1].set(xlabel=WHERE, xlim=(-reach, reach))
        column[1].locator_params(axis="x", nbins=5)
    legend_below(figure, axes[0, 0], columns=4 if len(named) > 1 else 2)
    return figure


def regions_on_face(
    image: np.ndarray,
    pred: np.ndarray,
    target: np.ndarray,
    tough: np.ndarray,
    tolerant: np.ndarray,
    *,
    teacher: str = "tough",
    settings: losses.KDSettings = losses.PAPER,
    insets: Sequence[Sequence[int]] = (),
) -> Figure:
    """Each landmark as a cross whose bars are its coordinates, with the pull of KD-Loss as a line.

    The bar along x is the coordinate x, the bar along y is y. Colour and length say in which region
    of the assistive loss the coordinate is.

    Args:
        image: As `draw_face` takes it.
        pred, target, tough, tolerant: Landmarks `(L, 2)` in crop widths.
        teacher: Whose regions are shown, "tough" or "tolerant".
        insets: Landmarks of each part of the face that is shown enlarged beside it.
    """
    points = [torch.as_tensor(p, dtype=torch.float64) for p in (pred, target, tough, tolerant)]
    slope = losses.kd_loss_grad(*points, settings=settings, reduction="none").total.numpy()
    assistance = getattr(settings, teacher)
    regions = losses.region(
        *points[:2], points[2 if teacher == "tough" else 3],
        beta=assistance.beta, low_influence=assistance.low_influence,
    ).numpy()  # fmt: skip
    parts = ["abc"[i] for i in range(min(3, len(insets) + 1))]
    figure = Figure(figsize=(8.6 if insets else 6, 5.2), layout="constrained")
    panels = figure.subplot_mosaic(
        [parts[:1] * 2 + [part] for part in parts[1:]] or [parts],
        gridspec_kw={"wspace": 0.02, "hspace": 0.02},
    )
    p = points[0].numpy()
    for ax, members in zip(panels.values(), (range(len(p)), *insets), strict=False):
        near = _around(target[list(members)]) if ax is not panels["a"] else None
        draw_face(ax, image)
        ax.images[0].set_alpha(0.5)
        dots = np.asarray(target)[list(members)]
        size = 16 if near else 9
        draw_points(ax, dots, len(dots), COLOURS["hard"], size=size, label="truth", lines=False)
        _draw_crosses(ax, p[list(members)], slope[list(members)], regions[list(members)], near)
        if near:
            ax.set(xlim=near[0], ylim=near[1])
    handles, labels = panels["a"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    return figure


def _around(points):
    """The limits of square axes around a part of a face, y downwards."""
    points = np.asarray(points)
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.85 * max(0.05, *(high - low))
    (x, y) = (low + high) / 2
    return (x - half, x + half), (y + half, y - half)


def _draw_crosses(ax, p, slope, regions, enlarged):
    """A cross for each landmark and the pull of the loss; smaller ones where they are enlarged."""
    grow = 0.65 if enlarged else 1.0
    ends = np.stack([p, p - 0.006 * grow * slope]).transpose(2, 0, 1)
    lines = ax.plot(*ends, color="#444444", lw=0.8)
    lines[0].set_label("pull of the whole loss")
    lengths = {losses.POSITIVE: 0.011, losses.NEGATIVE: 0.008, losses.LOW: 0.005}
    for number, (name, colour) in REGIONS.items():
        for axis, half in enumerate(grow * lengths[number] * np.eye(2)):
            bars = p[regions[:, axis] == number]
            ends = np.stack([bars - half, bars + half]).transpose(2, 0, 1)
            lines = ax.plot(*ends, color=colour, lw=2.2 if enlarged else 1.8, zorder=4)
            if lines and axis == 0:
                lines[0].set_label(name)
