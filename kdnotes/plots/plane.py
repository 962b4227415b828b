"""KD-Loss in the plane: its pull, and the ways of predictions that losses move."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from kdnotes import losses
from kdnotes.plots.loss import NAMES
from kdnotes.plots.style import BLACK, BLUE, COLOURS, GREEN, PINK, legend_below, new_figure

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
