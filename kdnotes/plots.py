"""Figures: pure functions from data to a matplotlib figure.

Colours are those of Okabe and Ito, told apart by colour-blind readers and in grey print by their
lightness; each network and each kind of landmark has one colour throughout the course. Pictures are
drawn in landmark units (origin in the middle, width 1), so that points need no conversion.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdnotes import losses, metrics
from kdnotes.asm import ActiveShapeModel
from kdnotes.schemes import Scheme, get

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#000000"
COLOURS = {
    "hard": BLACK,
    "soft": PINK,
    "tough": BLUE,
    "tolerant": ORANGE,
    "student": GREEN,
    "plain": RED,
    "main": BLACK,
    "total": GREEN,
    "mean": SKY,
}


def new_figure(columns: float = 8, rows: float = 3.2, **grid) -> tuple[Figure, np.ndarray]:
    """A figure of that size in inches and its axes `(rows, columns)`; not bound to pyplot."""
    figure = Figure(figsize=(columns, rows), layout="constrained")
    return figure, figure.subplots(squeeze=False, **grid)


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw_points(
    axes: Axes,
    points: np.ndarray,
    scheme: Scheme | int,
    colour: str = GREEN,
    *,
    size: float = 6,
    label: str | None = None,
    lines: bool = True,
) -> None:
    """Landmarks `(L, 2)` as dots with a white rim, and the scheme's lines."""
    points = np.asarray(points)
    if lines:
        edges = np.array(get(scheme).edges)
        axes.plot(*points[edges].transpose(2, 1, 0), color=colour, lw=1.0, alpha=0.8)
    axes.scatter(*points.T, s=size, color=colour, edgecolor="white", lw=0.3, zorder=3, label=label)


def draw_face(
    axes: Axes,
    image: np.ndarray,
    points: Mapping[str, np.ndarray] | np.ndarray | None = None,
    scheme: Scheme | int = 68,
    *,
    size: float = 6,
) -> None:
    """A picture, `(H, W, 3)` uint8 or `(3, H, W)` from 0 to 1, and landmarks over it.

    Args:
        points: `(L, 2)` in picture units, or several with names; names in `COLOURS` fix the colour.
    """
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().permute(1, 2, 0).clamp(0, 1).numpy()
    height = image.shape[0] / image.shape[1] / 2
    axes.imshow(image, extent=(-0.5, 0.5, height, -height), interpolation="bilinear")
    axes.set(xlim=(-0.5, 0.5), ylim=(height, -height), xticks=[], yticks=[])
    if points is None:
        return
    named = points if isinstance(points, Mapping) else {"student": points}
    for i, (name, shape) in enumerate(named.items()):
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        draw_points(axes, shape, scheme, colour, size=size, label=name)


def face(
    image: np.ndarray, points: np.ndarray, scheme: Scheme | int = 68, *, pixels: bool = True
) -> Figure:
    """One photo with its landmarks, in pixels of the photo or in picture units."""
    height, width = image.shape[:2]
    figure, axes = new_figure(5, 5 * height / width)
    if pixels:
        points = (np.asarray(points) + 0.5) / width - np.array([0.5, 0.5 * height / width])
    draw_face(axes[0, 0], image, points, scheme)
    return figure


def face_grid(
    images: Sequence[np.ndarray],
    points: Sequence | None = None,
    scheme: Scheme | int = 68,
    *,
    titles: Sequence[str] | None = None,
    columns: int = 6,
    side: float = 1.5,
    size: float = 3,
) -> Figure:
    """Faces side by side; `points` holds, per face, what `draw_face` takes."""
    n = len(images)
    columns = min(columns, n)
    rows = -(-n // columns)
    figure, axes = new_figure(columns * side, rows * side, nrows=rows, ncols=columns)
    for i, ax in enumerate(axes.flat):
        if i >= n:
            ax.axis("off")
            continue
        draw_face(ax, images[i], None if points is None else points[i], scheme, size=size)
        if titles is not None:
            ax.set_title(titles[i], fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
    return figure


def numbered_points(points: np.ndarray, scheme: Scheme | int) -> Figure:
    """A shape with the number of each landmark, coloured by facial part."""
    scheme = get(scheme)
    figure, axes = new_figure(7, 7)
    ax = axes[0, 0]
    palette = [BLUE, ORANGE, GREEN, RED, SKY, PINK, BLACK, "#777777", BLUE]
    for colour, (name, members) in zip(palette, scheme.groups.items(), strict=False):
        chosen = np.asarray(points)[list(members)]
        ax.scatter(*chosen.T, s=14, color=colour, label=name)
        for number, (x, y) in zip(members, chosen, strict=True):
            ax.annotate(str(number), (x, y), (2, 2), textcoords="offset points", fontsize=7)
    ax.set(aspect="equal", xlabel="x, picture widths", ylabel="y, downwards")
    ax.invert_yaxis()
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    _plain(ax)
    return figure


def shapes(named: Mapping[str, np.ndarray], scheme: Scheme | int) -> Figure:
    """Shapes without a picture, over one another."""
    figure, axes = new_figure(4, 4)
    ax = axes[0, 0]
    for i, (name, shape) in enumerate(named.items()):
        draw_points(ax, shape, scheme, COLOURS.get(name, list(COLOURS.values())[i]), label=name)
    ax.set(aspect="equal", xlim=(-0.36, 0.36), ylim=(0.36, -0.36), xticks=[], yticks=[])
    ax.legend(fontsize=8, frameon=False)
    return figure


def shape_mode(
    model: ActiveShapeModel, scheme: Scheme | int, mode: int, n_std: float = 2
) -> Figure:
    """The mean shape moved along one component, to one side, not at all, and to the other."""
    figure, axes = new_figure(8, 2.9, ncols=3)
    for ax, amount in zip(axes[0], (-n_std, 0, n_std), strict=True):
        b = np.zeros(model.n_components_)
        b[mode] = amount * np.sqrt(model.explained_variance_[mode])
        draw_points(ax, model.shape(b).reshape(-1, 2), scheme, PINK)
        ax.set(aspect="equal", xlim=(-0.36, 0.36), ylim=(0.36, -0.36), xticks=[], yticks=[])
        ax.set_title("mean shape" if not amount else f"mode {mode + 1} at {amount:+g} sd", size=9)
    return figure


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
        pred: Where to mark a prediction, with the way a descent step would take it.
        reach: How far to both sides of the truth the axis goes.
    """
    p = torch.linspace(target - reach, target + reach, 1600, dtype=torch.float64).requires_grad_()
    fixed = [torch.full_like(p, value).detach() for value in (target, tough, tolerant)]
    terms = losses.kd_loss(p, *fixed, settings=settings, reduction="none")
    (slope,) = torch.autograd.grad(terms.total.sum(), p)
    x = p.detach().numpy()
    figure, axes = new_figure(9.5, 3.4, ncols=2)
    left, right = axes[0]
    for name, value in terms._asdict().items():
        style = {"lw": 2.4} if name == "total" else {"lw": 1.3, "ls": "--"}
        left.plot(x, value.detach().numpy(), color=COLOURS[name], label=name, **style)
    right.plot(x, slope.numpy(), color=COLOURS["total"], lw=1.8)
    left.set(title="loss", xlabel="prediction")
    right.set(title="slope of the total", xlabel="prediction")
    for ax in axes[0]:
        ax.axhline(0, color="#999999", lw=0.6)
        ax.set_xlim(target - reach, target + reach)
        ax.locator_params(axis="x", nbins=5)
        ax.axvline(target, color=COLOURS["hard"], lw=1, ls=":", label="truth")
        for name, value in (("tough", tough), ("tolerant", tolerant)):
            for side, alpha in ((value, 0.9), (2 * target - value, 0.35)):  # and its reflection
                ax.axvline(side, color=COLOURS[name], lw=1, ls=":", alpha=alpha)
        _plain(ax)
    if pred is not None:
        value, step = np.interp(pred, x, terms.total.detach()), np.interp(pred, x, slope)
        left.plot(pred, value, "o", color=COLOURS["student"], mec="white", ms=9, zorder=5)
        goal = pred - 0.12 * np.sign(step) * min(1.0, abs(step))
        left.annotate("", (goal, value), (pred, value), arrowprops={"arrowstyle": "->", "lw": 1.8})
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    return figure


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
        4.7 * len(named), 4.6, nrows=2, ncols=len(named), sharex=True, sharey="row"
    )
    for (title, how), column in zip(named.items(), axes.T, strict=True):
        loss = losses.assistive_loss(p, truth, t, **vars(how), reduction="none")
        weight = loss / (t.abs() - p.abs()).abs()  # NaN, a gap in the curve, at the teacher
        found = losses.region(p, truth, t, beta=how.beta, low_influence=how.low_influence)
        for ax, values, name in zip(column, (weight, loss), ("weight", "loss"), strict=True):
            for number, (label, colour) in REGIONS.items():
                where = (found == number).numpy()
                ax.fill_between(
                    p, 0, 1, where, color=colour, alpha=0.15, lw=0, label=label,
                    transform=ax.get_xaxis_transform(),
                )  # fmt: skip
            ax.plot(p, values, color=COLOURS["tough"], lw=1.8)
            ax.axhline(0, color="#999999", lw=0.6)
            for place, alpha in ((teacher, 0.9), (-teacher, 0.35)):  # and its reflection
                ax.axvline(place, color=COLOURS["tough"], lw=1, ls=":", alpha=alpha)
            ax.set_ylabel(name)
            _plain(ax)
        column[0].set_title(title)
        column[1].set(xlabel="prediction", xlim=(-reach, reach))
        column[1].locator_params(axis="x", nbins=5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def training_curves(logs: Mapping[str, list[dict]], mean_shape: float | None = None) -> Figure:
    """Validation NME and training loss per epoch; the mean shape's NME is where learning starts."""
    figure, axes = new_figure(8, 3, ncols=2)
    for i, (name, log) in enumerate(logs.items()):
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        epochs = [entry["epoch"] for entry in log]
        style = {"color": colour, "label": name, "marker": "o", "ms": 3}
        axes[0, 0].plot(epochs, [100 * entry["nme"] for entry in log], **style)
        axes[0, 1].plot(epochs, [entry["loss"] for entry in log], **style)
    if mean_shape is not None:
        axes[0, 0].axhline(100 * mean_shape, color=COLOURS["mean"], ls="--", label="mean shape")
    axes[0, 0].set(xlabel="epoch", title="validation NME, % of the inter-ocular distance")
    axes[0, 1].set(xlabel="epoch", title="training loss (each in its own unit)", yscale="log")
    axes[0, 0].legend(fontsize=8, frameon=False)
    for ax in axes[0]:
        _plain(ax)
    return figure


def error_curves(errors: Mapping[str, np.ndarray], threshold: float = 0.10) -> Figure:
    """Cumulative error distributions: the share of faces with an error up to each value."""
    figure, axes = new_figure(6, 3.6)
    ax = axes[0, 0]
    for i, (name, values) in enumerate(errors.items()):
        x, share = metrics.ced(values)
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        ax.step(100 * x, 100 * share, where="post", color=colour, label=name)
    ax.axvline(100 * threshold, color="#999999", lw=0.8, ls=":")
    ax.set(xlim=(0, 250 * threshold), ylim=(0, 100))
    ax.set(xlabel="NME, % of the inter-ocular distance", ylabel="faces up to there, %")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    _plain(ax)
    return figure


def bars(named: Mapping[str, Mapping[str, float]], xlabel: str) -> Figure:
    """Horizontal bars: a group per inner name, a colour per outer name."""
    groups = list(next(iter(named.values())))
    figure, axes = new_figure(7, 0.7 + 0.22 * len(groups) * len(named))
    ax, height = axes[0, 0], 0.8 / len(named)
    for i, (name, values) in enumerate(named.items()):
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        where = np.arange(len(groups)) + (i - (len(named) - 1) / 2) * height
        ax.barh(where, [values[group] for group in groups], height, color=colour, label=name)
    ax.set(yticks=range(len(groups)), yticklabels=groups, xlabel=xlabel)
    ax.invert_yaxis()
    if len(named) > 1:
        ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _plain(ax)
    return figure
