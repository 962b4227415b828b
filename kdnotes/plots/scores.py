"""How well networks do: training curves, error curves, bars."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kdnotes import metrics
from kdnotes.data.schemes import DISTANCES, Scheme, get
from kdnotes.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    ORANGE,
    PINK,
    SKY,
    new_figure,
    plain_frame,
)


def training_curves(
    logs: Mapping[str, list[dict]],
    mean_shape: float | None = None,
    *,
    loss: str = "training loss (each in its own unit)",
    distance: str = DISTANCES["interocular"],
) -> Figure:
    """Validation NME and training loss per epoch; the mean shape's NME is where learning starts.

    Args:
        distance: What errors are divided by, in words; `Scheme.distance`.
    """
    figure, axes = new_figure(8, 3, ncols=2)
    for i, (name, log) in enumerate(logs.items()):
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        epochs = [entry["epoch"] for entry in log]
        style = {"color": colour, "label": name, "marker": "o", "ms": 3}
        axes[0, 0].plot(epochs, [100 * entry["nme"] for entry in log], **style)
        axes[0, 1].plot(epochs, [entry["loss"] for entry in log], **style)
    if mean_shape is not None:
        axes[0, 0].axhline(100 * mean_shape, color=COLOURS["mean"], ls="--", label="mean shape")
    axes[0, 0].set(xlabel="epoch", title=f"validation NME, % of the {distance}")
    axes[0, 1].set(xlabel="epoch", title=loss, yscale="log")
    axes[0, 0].legend(fontsize=8, frameon=False)
    for ax in axes[0]:
        plain_frame(ax)
    return figure


def long_runs(here: Mapping[str, list[dict]], long: Mapping[str, list[float]]) -> Figure:
    """Validation NME per epoch of short trainings (their logs) and, dashed, of long ones with the
    same names."""
    figure, axes = new_figure(6, 3.2)
    ax = axes[0, 0]
    curves = {f"{name}, here": [entry["nme"] for entry in log] for name, log in here.items()}
    for name, curve in (curves | {f"{name}, long run": long[name] for name in long}).items():
        colour = COLOURS[name.partition(",")[0]]
        style = "--" if name.endswith("long run") else "-"
        epochs = np.arange(len(curve)) + 1
        ax.plot(epochs, 100 * np.array(curve), style, color=colour, label=name, lw=1.6)
    ax.set(xlabel="epoch", ylabel="validation NME, %", xscale="log")
    ax.xaxis.set_major_formatter("{x:.0f}")
    ax.legend(fontsize=8, frameon=False)
    plain_frame(ax)
    return figure


def error_curves(
    errors: Mapping[str, np.ndarray],
    threshold: float = 0.10,
    *,
    distance: str = DISTANCES["interocular"],
) -> Figure:
    """Cumulative error distributions: the share of faces with an error up to each value."""
    figure, axes = new_figure(6, 3.6)
    ax = axes[0, 0]
    for i, (name, values) in enumerate(errors.items()):
        x, share = metrics.ced(values)
        colour = COLOURS.get(name, list(COLOURS.values())[i])
        ax.step(100 * x, 100 * share, where="post", color=colour, label=name)
    ax.axvline(100 * threshold, color="#999999", lw=0.8, ls=":")
    ax.set(xlim=(0, 250 * threshold), ylim=(0, 100))
    ax.set(xlabel=f"NME, % of the {distance}", ylabel="faces up to there, %")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    plain_frame(ax)
    return figure


def point_errors(
    shape: np.ndarray, errors: np.ndarray, scheme: Scheme | int, largest: float | None = None
) -> Figure:
    """The mean error of each landmark, drawn on a shape: a disc's size and shade.

    Args:
        shape: `(L, 2)` where the landmarks are drawn, any unit.
        errors: `(L,)` fractions of the scheme's distance.
        largest: Error of the darkest shade; those of figures that are compared should agree.
    """
    figure, axes = new_figure(5, 4.6)
    ax, per_cent = axes[0, 0], 100 * np.asarray(errors)
    largest = per_cent.max() if largest is None else 100 * largest
    for a, b in get(scheme).edges:
        ax.plot(*np.asarray(shape)[[a, b]].T, color="#bbbbbb", lw=0.8, zorder=0)
    least = min(per_cent.min(), largest)
    size = 15 + 145 * np.clip((per_cent - least) / max(largest - least, 1e-9), 0, 1)
    drawn = ax.scatter(*np.asarray(shape).T, s=size, c=per_cent, cmap="cividis_r", vmin=least,
                       vmax=largest, edgecolors=BLACK, linewidths=0.4)  # fmt: skip
    label = f"mean error, % of the {get(scheme).distance}"
    figure.colorbar(drawn, ax=ax, shrink=0.8, label=label)
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.invert_yaxis()
    ax.set_frame_on(False)
    return figure


def jitter_curves(
    curves: Mapping[str, pd.DataFrame], *, distance: str = DISTANCES["interocular"]
) -> Figure:
    """The error against how far the crop is shifted, and how far it is scaled.

    Args:
        curves: Network to what `evaluation.jitter.curve` returns.
    """
    figure, axes = new_figure(8, 3, ncols=2, sharey=True)
    labels = {"shift": "crop shifted by up to, % of its width", "scale": "crop scaled by up to, %"}
    for ax, (kind, label) in zip(axes[0], labels.items(), strict=True):
        for i, (name, curve) in enumerate(curves.items()):
            rows = curve[curve["kind"] == kind]
            colour = COLOURS.get(name, list(COLOURS.values())[i])
            ax.plot(100 * rows["level"], 100 * rows["nme"], "o-", color=colour, label=name, ms=4)
        ax.set(xlabel=label)
        ax.set_ylim(bottom=0)
        plain_frame(ax)
    axes[0, 0].set_ylabel(f"NME, % of the {distance}")
    axes[0, 0].legend(fontsize=8, frameon=False)
    return figure


def arms(results) -> Figure:
    """Arms of an experiment: the error of each seed, and the gain over the reference with its
    interval over seeds and people.

    Args:
        results: `evaluation.experiments.results.Results`. The contrast's arm is drawn in green, its
            reference in black.
    """
    names, gains = results.arms(), results.gains()
    chosen, reference = results.experiment.contrast
    colours = {name: {chosen: GREEN, reference: BLACK}.get(name, BLUE) for name in names}
    figure, axes = new_figure(9, 0.9 + 0.36 * len(names), ncols=2, sharey=True, width_ratios=(3, 4))
    left, right = axes[0]
    for y, name in enumerate(names):
        of_seeds = 100 * results.errors(name).mean(axis=1)
        left.plot(of_seeds, [y] * len(of_seeds), "o", ms=4, alpha=0.6, color=colours[name])
        left.plot(of_seeds.mean(), y, "|", ms=14, mew=2, color=colours[name])
        if name in gains:
            value, low, high = 100 * np.array(gains[name])
            right.plot([low, high], [y, y], lw=2, solid_capstyle="butt", color=colours[name])
            right.plot(value, y, "s", ms=5, color=colours[name])
    left.set(xlabel="error, %: seeds (dots),\ntheir mean (bar)", yticks=range(len(names)))
    left.set_yticklabels(names)
    left.set_ylim(len(names) - 0.5, -0.5)
    right.axvline(0, color=BLACK, lw=1)
    right.set(xlabel=f"error lower, %, than of\n“{reference}”")
    for ax in (left, right):
        ax.grid(axis="x", color="#dddddd", lw=0.8)
        plain_frame(ax)
    return figure


def prices(rows: Sequence[Mapping]) -> Figure:
    """Error against time, both per face; the size of a circle is that of the file.

    Args:
        rows: As `kdnotes.research.peers.row` makes them, one circle each; those of one `who` on
            different boxes are joined by a line.
    """
    figure, axes = new_figure(7, 3.6)
    ax = axes[0, 0]
    names = list(dict.fromkeys(row["who"] for row in rows))
    for name, colour in zip(names, (SKY, GREEN, BLACK, ORANGE, PINK, BLUE), strict=False):
        mine = [row for row in rows if row["who"] == name]
        x = [row["milliseconds"] for row in mine]
        y = [100 * row["nme_without_shift"] for row in mine]
        ax.plot(x, y, color=colour, lw=1)
        area = 12 + 4 * mine[0]["bytes"] / 1e6
        ax.scatter(x, y, s=area, color=colour, alpha=0.7, label=name, zorder=3)
    ax.set(xlabel="milliseconds a face, one thread", ylabel="test NME without shift, %")
    ax.set_xlim(0, None)
    legend = ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    for handle in legend.legend_handles:
        handle.set_sizes([30])
    plain_frame(ax)
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
    plain_frame(ax)
    return figure
