"""KD-Loss drawn along one coordinate."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from kdnotes import losses
from kdnotes.plots.faces import draw_face, draw_points
from kdnotes.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    PINK,
    RED,
    SKY,
    legend_below,
    new_figure,
)

#: How the terms of the loss are drawn, and a teacher with its reflection is named.
TERMS = {"main": "--", "tough": (0, (2, 1.5)), "tolerant": "-."}
NAMES = {"tough": "Tough teacher", "tolerant": "Tolerant teacher"}
WHERE = "prediction, crop widths"

#: How the ways of losses are drawn in the plane: colour and dash.
RACERS = {
    "L2": (PINK, "-"),
    "L1": (BLACK, "--"),
    "KD-Loss, PAPER": (GREEN, "-"),
    "KD-Loss, RELEASED": ("#888888", "-."),
    "L1 to the Tough teacher": (BLUE, ":"),
}

#: A prediction that has come as near to the truth has arrived.
NEAR = 0.02


def kd_curves(
    tough: float = 0.4,
    tolerant: float = 0.49,
    *,
    target: float = 0.0,
    pred: float | None = None,
    settings: losses.KDSettings = losses.PAPER,
    reach: float = 1.0,
) -> Figure:
    """KD-Loss and its terms on one axis, and the slope of the total.

    Args:
        tough, tolerant, target: Where the teachers and the truth lie.
        pred: Where to mark a prediction, with an arrow along its descent step.
        reach: How far to both sides of the truth the axis goes. The loss is drawn up to twice as
            much, so that its terms can be told apart.
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
    left.set_ylim(top=min(2 * reach, left.get_ylim()[1]))
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


def pull_field(
    tough: tuple[float, float],
    tolerant: tuple[float, float],
    *,
    settings: losses.KDSettings = losses.PAPER,
    ways: Mapping[str, np.ndarray] | None = None,
    reach: float = 0.6,
    n: int = 19,
) -> Figure:
    """Where KD-Loss sends a prediction in the plane, the truth in the middle.

    Arrows show the direction of a descent step, the shade its size. Dotted lines mark each
    teacher's distance on both axes: the borders of its regions are straight lines, since KD-Loss
    treats x and y apart.

    Args:
        tough, tolerant: Where the teachers stand.
        ways: A name in `RACERS` to the places `(steps + 1, 2)` of a prediction that this loss
            moves. The legend says when it arrives, or how far away it ends.
        reach: How far to all sides of the truth the plane goes.
        n: Arrows along each axis.
    """
    axis = torch.linspace(-reach, reach, 121, dtype=torch.float64)
    p = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)  # (121, 121, 2)
    places = [torch.tensor(place, dtype=torch.float64).expand_as(p) for place in (tough, tolerant)]
    step = -losses.kd_loss_grad(
        p, torch.zeros_like(p), *places, settings=settings, reduction="none"
    ).total.numpy()
    size = np.linalg.norm(step, axis=-1)
    figure, [[ax]] = new_figure(5.6, 5)
    extent = (-reach, reach, -reach, reach)
    shade = ax.imshow(size, extent=extent, origin="lower", cmap="cividis", alpha=0.55)
    figure.colorbar(shade, label="size of the pull", shrink=0.8)
    every = np.linspace(3, 117, n).astype(int)
    some = np.ix_(every, every)
    ax.quiver(axis[every], axis[every], *(step[some] / size[some][..., None]).transpose(2, 0, 1))
    _draw_ways(ax, ways or {})
    ax.plot(0, 0, "o", color=COLOURS["hard"], ms=8, label="truth")
    for name, (x, y), mark in (("tough", tough, "s"), ("tolerant", tolerant, "^")):
        ax.plot(x, y, mark, color=COLOURS[name], mec="white", ms=9, label=NAMES[name])
        for sign in (-1, 1):
            ax.axvline(sign * x, color=COLOURS[name], lw=1, ls=":")
            ax.axhline(sign * y, color=COLOURS[name], lw=1, ls=":")
    ax.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
    ax.set(xlabel="x, crop widths", ylabel="y, crop widths")
    legend_below(figure, ax, columns=2 if ways else 3)
    return figure


def _draw_ways(ax, ways):
    """Each way as a line on a white ground, and where all of them start."""
    for name, places in ways.items():
        colour, style = RACERS[name]
        distances = np.linalg.norm(places, axis=1)
        there = np.flatnonzero(distances < NEAR)
        ends = f"there at step {there[0]}" if len(there) else f"{distances[-1]:.2f} away at the end"
        ax.plot(*places.T, color="white", lw=4.5)
        ax.plot(*places.T, color=colour, ls=style, lw=2.4, label=f"{name}: {ends}")
    if ways:
        start = next(iter(ways.values()))[0]
        ax.plot(*start, "o", color=COLOURS["student"], mec="white", ms=10, label="student")


def descend(
    slope: Callable,
    start: tuple[float, float],
    teachers: Sequence[tuple[float, float]],
    *,
    rate: float = 0.004,
    steps: int = 200,
) -> np.ndarray:
    """The places of a prediction under plain gradient descent, the truth at 0.

    Args:
        slope: From (pred, target, tough, tolerant), each `(1, 2)`, to the gradient of each
            coordinate's own loss.
        start: Where the prediction begins.
        teachers: Where the Tough and the Tolerant teacher stand.
        rate: Size of a step.
        steps: Their number.

    Returns:
        `(steps + 1, 2)`, the start first.
    """
    p, *teachers = (torch.tensor([at], dtype=torch.float64) for at in (start, *teachers))
    places = [p]
    for _ in range(steps):
        places.append(places[-1] - rate * slope(places[-1], torch.zeros_like(p), *teachers))
    return torch.cat(places).numpy()


def descent_paths(
    slopes: Mapping[str, Callable],
    cases: Mapping[str, tuple[tuple[float, float], tuple[float, float]]],
    *,
    start: tuple[float, float] = (0.5, 0.3),
    rate: float = 0.004,
    steps: int = 200,
) -> Figure:
    """A prediction under plain gradient descent: its distance from the truth after each step.

    Args:
        slopes: Name of a loss to a function from (pred, target, tough, tolerant), each `(1, 2)`, to
            the gradient of each coordinate's own loss.
        cases: Title to the places of the Tough and the Tolerant teacher; the truth is at 0.
        start: Where the prediction begins.
        rate: Size of a step, the same for all losses.
    """
    figure, axes = new_figure(3.4 * len(cases), 3.2, ncols=len(cases), sharey=True, plain=True)
    colours, styles = (PINK, BLACK, GREEN, BLUE), ("-", "--", "-", "-.")
    for ax, (title, places) in zip(axes[0], cases.items(), strict=True):
        for (name, slope), colour, style in zip(slopes.items(), colours, styles, strict=False):
            way = descend(slope, start, places, rate=rate, steps=steps - 1)
            ax.plot(np.linalg.norm(way, axis=1), label=name, lw=1.6, color=colour, ls=style)
        for place, teacher in zip(places, ("tough", "tolerant"), strict=True):
            label = f"{NAMES[teacher]}'s distance"
            ax.axhline(float(np.hypot(*place)), color=COLOURS[teacher], lw=1, ls=":", label=label)
        ax.set(title=title, xlabel="step", ylim=(0, 1.1 * float(np.hypot(*start))))
    axes[0, 0].set_ylabel("distance from the truth, crop widths")
    legend_below(figure, axes[0, 0], columns=len(slopes) + 2)
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
