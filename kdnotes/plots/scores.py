"""How well networks do: error curves, gains, prices, bars."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kdnotes import metrics
from kdnotes.data.schemes import DISTANCES, Scheme, get
from kdnotes.metrics.intervals import SEEDS_TOLD
from kdnotes.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    colour_of,
    name_of,
    new_figure,
)


def error_curves(
    errors: Mapping[str, np.ndarray],
    threshold: float = 0.10,
    *,
    distance: str = DISTANCES["interocular"],
) -> Figure:
    """Cumulative error distributions: the share of faces with an error up to each value.

    Args:
        errors: Network to `(N,)` NME, a fraction.
        threshold: Error above which a face counts as a failure; it is marked by a line.
        distance: What errors are divided by, in words; `Scheme.distance`.
    """
    figure, [[ax]] = new_figure(6, 3.6, plain=True)
    for i, (name, values) in enumerate(errors.items()):
        x, share = metrics.ced(values)
        style = "--" if name in ("tough", "tolerant") else "-"  # red and orange are near
        ax.step(100 * x, 100 * share, style, where="post", color=colour_of(name, i),
                label=name_of(name))  # fmt: skip
    ax.axvline(100 * threshold, color="#999999", lw=0.8, ls=":")
    ax.set(xlim=(0, 250 * threshold), ylim=(0, 100))
    ax.set(xlabel=f"NME, % of the {distance}", ylabel="share of faces, %")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def point_errors(
    shape: np.ndarray, errors: np.ndarray, scheme: Scheme | int, largest: float | None = None
) -> Figure:
    """The mean error of each landmark, shown by the size and the shade of a disc.

    Args:
        shape: `(L, 2)` where the landmarks are drawn, in any unit.
        errors: `(L,)` fractions of the scheme's distance.
        largest: Error of the darkest shade; give figures that are compared the same one.
    """
    figure, [[ax]] = new_figure(5, 4.6)
    scheme, shape, per_cent = get(scheme), np.asarray(shape), 100 * np.asarray(errors)
    largest = per_cent.max() if largest is None else 100 * largest
    for edge in scheme.edges:
        ax.plot(*shape[list(edge)].T, color="#bbbbbb", lw=0.8, zorder=0)
    least = min(per_cent.min(), largest)
    size = 15 + 145 * np.clip((per_cent - least) / max(largest - least, 1e-9), 0, 1)
    discs = ax.scatter(*shape.T, s=size, c=per_cent, cmap="cividis_r", vmin=least,
                       vmax=largest, edgecolors=BLACK, linewidths=0.4)  # fmt: skip
    figure.colorbar(discs, ax=ax, shrink=0.8, label=f"mean error, % of the {scheme.distance}")
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.invert_yaxis()
    ax.set_frame_on(False)
    return figure


def jitter_curves(
    curves: Mapping[str, pd.DataFrame],
    seen: Mapping[str, float] | None = None,
    *,
    distance: str = DISTANCES["interocular"],
) -> Figure:
    """The error against the size of the crop's shift, and of its scaling.

    Args:
        curves: Network to what `evaluation.jitter.curve` returns.
        seen: How far the views of the training strayed, by kind, as shares; marked in grey.
        distance: What errors are divided by, in words; `Scheme.distance`.
    """
    figure, axes = new_figure(8, 3, ncols=2, sharey=True, plain=True)
    labels = {"shift": "crop shifted by up to, % of its width", "scale": "crop scaled by up to, %"}
    for ax, (kind, label) in zip(axes[0], labels.items(), strict=True):
        for i, (name, curve) in enumerate(curves.items()):
            level, nme = curve.loc[curve["kind"] == kind, ["level", "nme"]].to_numpy().T
            ax.plot(
                100 * level, 100 * nme, marker="os^v"[i % 4], color=colour_of(name, i),
                label=name_of(name), ms=4,
            )  # fmt: skip
        if seen:
            ax.axvspan(0, 100 * seen[kind], color="#dddddd", lw=0, label="training views")
        ax.set(xlabel=label)
        ax.set_ylim(bottom=0)
    axes[0, 0].set_ylabel(f"NME, % of the {distance}")
    axes[0, 0].legend(fontsize=8, frameon=False)
    return figure


def arms(results) -> Figure:
    """Arms of an experiment: errors of their seeds, and gains over the reference.

    Beside the mean of each arm is that of the reference with the same seeds. Each gain is drawn
    with its interval over seeds and people. The contrast's arm is green, its
    reference black. The scale is that of arms with at least `SEEDS_TOLD` seeds. The gain of an arm
    with fewer seeds is a hollow square, without an interval.

    Args:
        results: `research.experiments.results.Results`.
    """
    names, gains = results.arms(), results.gains()
    chosen, reference = results.experiment.contrast
    colours = {name: {chosen: GREEN, reference: BLACK}.get(name, BLUE) for name in names}
    figure, [[left, right]] = new_figure(
        9, 1.1 + 0.36 * len(names), ncols=2, sharey=True, width_ratios=(3, 4), plain=True
    )
    few = False
    for y, name in enumerate(names):
        of_seeds = 100 * results.errors(name).mean(axis=1)
        left.plot(of_seeds, [y] * len(of_seeds), "o", ms=4, alpha=0.6, color=colours[name])
        left.plot(of_seeds.mean(), y, "|", ms=14, mew=2, color=colours[name])
        if name in gains:
            same = 100 * results.errors(reference, results.seeds(name, reference)).mean()
            left.plot([same, of_seeds.mean()], [y, y], "-", lw=1, color="#999999", zorder=1)
            left.plot(same, y, "|", ms=9, mew=1, color=BLACK)
            value, low, high = 100 * np.array(gains[name])
            many = len(results.seeds(name, reference)) >= SEEDS_TOLD
            if many:
                right.plot([low, high], [y, y], lw=2, solid_capstyle="butt", color=colours[name])
            few = few or not many
            filled = {} if many else {"markerfacecolor": "white"}
            right.plot(value, y, "s", ms=5, color=colours[name], **filled)
    note = "dots: seeds, bar: mean\nthin bar: reference, same seeds"
    left.set(xlabel=f"NME, %\n{note}", yticks=range(len(names)))
    left.set_yticklabels(names)
    left.set_ylim(len(names) - 0.5, -0.5)
    right.axvline(0, color=BLACK, lw=1)
    note = "\nhollow: one or two seeds, no interval drawn" if few else ""
    right.set(xlabel=f"error reduction, %, against “{reference}”{note}")
    for ax in (left, right):
        ax.grid(axis="x", color="#dddddd", lw=0.8)
    return figure


def gains(named: Mapping[str, Mapping[str, metrics.Estimate]]) -> Figure:
    """How much lower errors are, each with its interval.

    Args:
        named: What was compared, to the name of the faces, such as "test faces", to the gain.
    """
    figure, [[ax]] = new_figure(7, 1.1 + 0.42 * len(named), plain=True)
    faces = dict.fromkeys(name for by_faces in named.values() for name in by_faces)
    beside = (-0.13, 0.13) if len(faces) > 1 else (0,)
    styles = zip(faces, (BLUE, RED), "os", beside, strict=False)
    for name, colour, mark, aside in styles:
        rows = [y for y, by_faces in enumerate(named.values()) if name in by_faces]
        values = 100 * np.array([by_faces[name] for by_faces in named.values() if name in by_faces])
        ys, (value, low, high) = np.array(rows) + aside, values.T
        ax.hlines(ys, low, high, lw=2, color=colour)
        ax.plot(value, ys, mark, ms=5, color=colour, label=name)
    ax.axvline(0, color=BLACK, lw=1)
    ax.grid(axis="x", color="#dddddd", lw=0.8)
    ax.set(xlabel="error reduction, %", yticks=range(len(named)), yticklabels=list(named))
    ax.set_ylim(len(named) - 0.5, -0.5)
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


#: Colours of tools that are not the course's; its students are green.
OTHERS = {"dlib": "#777777", "face-api": "#5B3A8E", "face-api tiny": "#9A6324"}


def prices(rows: Sequence[Mapping]) -> Figure:
    """Error against time, both per face: a colour for each method, a mark for each box.

    Args:
        rows: Rows of `kdnotes.research.peers.row`, one mark each.
    """
    figure, [[ax]] = new_figure(8, 3.8, plain=True)
    peers = pd.DataFrame(rows)
    boxes = peers["box"].str.replace(r" \(.*", "", regex=True)
    marks = dict(zip(boxes.unique(), itertools.cycle("os^vD"), strict=False))
    greens = itertools.cycle((GREEN, "#66C2A5", "#1B4D3E", "#A6D96A"))
    colours = {who: OTHERS.get(who.split(",")[0]) or next(greens) for who in peers["who"].unique()}
    for peer, box in zip(peers.to_dict("records"), boxes, strict=True):
        x, y = peer["milliseconds"], 100 * peer["nme_without_shift"]
        size = 7 if marks[box] in "os" else 8.5  # looks as large
        ax.plot(x, y, marks[box], ms=size, mec="white", mew=0.5, color=colours[peer["who"]])
    for who, colour in colours.items():
        size = peers.loc[peers["who"] == who, "bytes"].iloc[0] / 1e6
        ax.plot([], [], "-", lw=5, color=colour, label=f"{who}, {size:.1f} MB")
    for box, mark in marks.items():
        ax.plot([], [], mark, ms=7, mfc="none", mec=BLACK, label=f"box: {box}")
    ax.set(xlabel="milliseconds a face, one thread", ylabel="test NME without shift, %")
    ax.set_xlim(0, None)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def bars(named: Mapping[str, Mapping[str, float]], xlabel: str) -> Figure:
    """Horizontal bars: a group per inner name, a colour per outer name.

    Args:
        named: Outer name to inner name to the length of the bar.
        xlabel: What the lengths are.
    """
    groups = list(next(iter(named.values())))
    figure, [[ax]] = new_figure(7, 0.7 + 0.22 * len(groups) * len(named), plain=True)
    height = 0.8 / len(named)
    for i, (name, values) in enumerate(named.items()):
        y = np.arange(len(groups)) + (i - (len(named) - 1) / 2) * height
        widths = [values[group] for group in groups]
        ax.barh(y, widths, height, color=colour_of(name, i), label=name_of(name))
    ax.set(yticks=range(len(groups)), yticklabels=groups, xlabel=xlabel)
    ax.invert_yaxis()
    if len(named) > 1:
        ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def error_and_time(error: Mapping[str, float], time: Mapping[str, float]) -> Figure:
    """Error against time per face, a named mark for each network.

    Args:
        error: Network to its validation NME, a fraction.
        time: Network to its milliseconds a face.
    """
    figure, [[ax]] = new_figure(6, 3, plain=True)
    for i, (name, marker) in enumerate(zip(error, "os^v", strict=False)):
        x, y = time[name], 100 * error[name]
        ax.plot(x, y, marker, ms=7, color=colour_of(name, i), label=name_of(name))
    ax.set(xlim=(0, 1.2 * max(time.values())), ylim=(0, 120 * max(error.values())))
    ax.set(xlabel="milliseconds a face, one thread", ylabel="validation NME, %")
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
