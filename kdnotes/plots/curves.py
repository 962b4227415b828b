"""How a training goes: curves of its log, epoch by epoch, and the regions of KD-Loss."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from kdnotes.data.schemes import DISTANCES
from kdnotes.plots.loss import REGIONS
from kdnotes.plots.style import (
    BLACK,
    COLOURS,
    GREEN,
    colour_of,
    legend_below,
    name_of,
    new_figure,
)

TEACHERS = ("tough", "tolerant")

#: Words of the log for the regions, in the order of `REGIONS`.
_WORDS = ("pulled", "pushed", "let_go")


def curves(named: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Figure:
    """A few curves over their steps, told apart by shade and dash, in colours of no network.

    Args:
        named: What is drawn, to its values; a single curve needs no legend.
        xlabel, ylabel: What the axes show, with the unit.
    """
    figure, [[ax]] = new_figure(6.5, 2.8, plain=True)
    for (name, values), colour, style in zip(
        named.items(), (BLACK, "#888888", "#888888"), ("-", "-", "--"), strict=False
    ):
        ax.plot(values, style, color=colour, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(named) > 1:
        ax.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
    return figure


def training_curves(
    logs: Mapping[str, list[dict]],
    mean_shape: float | None = None,
    *,
    loss: str = "training loss, each in its own unit",
    distance: str = DISTANCES["interocular"],
) -> Figure:
    """Validation NME and training loss per epoch.

    Args:
        logs: Network to the log that `training.fit` returns.
        mean_shape: NME of the mean shape, which is where learning starts.
        loss: What the loss's axis shows.
        distance: What errors are divided by, in words; `Scheme.distance`.
    """
    figure, [[left, right]] = new_figure(8, 3, ncols=2, plain=True)
    for i, ((name, log), marker) in enumerate(zip(logs.items(), "os^v", strict=False)):
        epochs = [entry["epoch"] for entry in log]
        style = {"color": colour_of(name, i), "label": name_of(name), "marker": marker, "ms": 3}
        left.plot(epochs, [100 * entry["nme"] for entry in log], **style)
        right.plot(epochs, [entry["loss"] for entry in log], **style)
    if mean_shape is not None:
        left.axhline(100 * mean_shape, color=COLOURS["mean"], ls="--", label="mean shape")
    left.set(xlabel="epoch", ylabel=f"validation NME, %\nof the {distance}")
    right.set(xlabel="epoch", ylabel=loss, yscale="log")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter("")
    for ax in (left, right):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.legend(fontsize=8, frameon=False)
    return figure


def long_runs(
    here: Mapping[str, list[dict]], long: Mapping[str, list[float]], before: int = 0
) -> Figure:
    """Validation NME per epoch of short trainings, and of long ones with the same names.

    Args:
        here: Network to the log of its short training.
        long: Network to the validation NME after each epoch of its long training.
        before: Epochs that the first weights of the long trainings have had.
    """
    short = {name: [entry["nme"] for entry in log] for name, log in here.items()}
    figure, axes = new_figure(8, 3, ncols=2, plain=True)
    panels = (short, "here", 0), (long, "long run", before)
    for ax, (drawn, words, first) in zip(axes[0], panels, strict=True):
        for name, curve in drawn.items():
            ax.plot(
                first + 1 + np.arange(len(curve)), 100 * np.array(curve), ms=3,
                marker="s" if name == "student" else "o", color=COLOURS[name], label=name_of(name),
            )  # fmt: skip
        ax.set(title=words, xlabel="epoch since random weights" if first else "epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel("validation NME, %")
    axes[0, 0].legend(fontsize=8, frameon=False)
    return figure


def continued_runs(runs: Mapping[str, Mapping[str, tuple[int, Sequence[float]]]]) -> Figure:
    """Validation NME of trainings, each drawn after the epochs that its first weights have had.

    Args:
        runs: What a run is called, the reader's own first, to its networks. Each has the epochs
            before the run and the NME after each epoch of it.
    """
    figure, [[ax]] = new_figure(8, 3, plain=True)
    # hollow dots below a thin line, so that neither run hides the other
    styles = ({"lw": 2.5, "marker": "o", "ms": 6, "mfc": "white"}, {"lw": 1.2, "zorder": 3})
    for (run, networks), style in zip(runs.items(), styles, strict=False):
        for name, (before, curve) in networks.items():
            ax.plot(
                before + 1 + np.arange(len(curve)), 100 * np.array(curve),
                color=COLOURS[name], label=f"{name_of(name)}, {run}", **style,
            )  # fmt: skip
    ax.set(xlabel="epochs since random weights", ylabel="validation NME, %", yscale="log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def loss_terms(log: list[dict]) -> Figure:
    """The terms of KD-Loss per epoch, and the assistive ones enlarged.

    Args:
        log: Of a KD student.
    """
    figure, axes = new_figure(8, 3, ncols=2, plain=True)
    styles = {"main": "-", "tough": "-", "tolerant": "--"}
    for ax, names in zip(axes[0], (("main", *TEACHERS), TEACHERS), strict=True):
        for name in names:
            label = "main term" if name == "main" else f"{name_of(name)}'s term"
            epochs, values = [[entry[key] for entry in log] for key in ("epoch", name)]
            ax.plot(epochs, values, styles[name], color=COLOURS[name], label=label)
        ax.axhline(0, color="#999999", lw=0.8)
        ax.set(xlabel="epoch")
        ax.legend(fontsize=8, frameon=False)
    axes[0, 0].set(title="all terms, weights included", ylabel="mean over an epoch, crop widths")
    axes[0, 1].set_title("the assistive terms, enlarged")
    return figure


def _typeset(label):
    """A region's name with its symbol as a formula."""
    return re.sub(r"\((R_\w)\)", r"($\1$)", label)


def region_areas(log: list[dict]) -> Figure:
    """The share of the coordinates in each region of the assistive loss, over epochs.

    Args:
        log: Of a KD student.
    """
    figure, axes = new_figure(9, 3, ncols=2, sharey=True)
    epochs = [entry["epoch"] for entry in log]
    labels, colours = zip(*REGIONS.values(), strict=True)
    labels = [_typeset(label) for label in labels]
    for ax, teacher in zip(axes[0], TEACHERS, strict=True):
        shares = [[100 * entry[f"{teacher}_{word}"] for entry in log] for word in _WORDS]
        ax.stackplot(epochs, shares, colors=colours, labels=labels, alpha=0.8)
        ax.set(title=name_of(teacher), xlabel="epoch", ylim=(0, 100))
        ax.set_xlim(1, max(2, len(log)))
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].set_ylabel("share of the coordinates, %")
    legend_below(figure, axes[0, 0], 3)
    return figure


def region_bars(shares: Mapping[str, Mapping[int, float]]) -> Figure:
    """The share of the coordinates in each region, a bar for each name, with its numbers.

    Args:
        shares: Name to region to share; the regions are those of `REGIONS`.
    """
    figure, [[ax]] = new_figure(8, 2.6, plain=True)
    left = np.zeros(len(shares))
    for number, (label, colour) in REGIONS.items():
        width = np.array([100 * values[number] for values in shares.values()])
        drawn = ax.barh(
            list(shares), width, left=left, color=colour, label=_typeset(label), alpha=0.8
        )
        numbers = [f"{share:.0f}" if share >= 3 else "" for share in width]  # where they fit
        ax.bar_label(drawn, numbers, label_type="center", fontsize=9)
        left += width
    ax.invert_yaxis()
    ax.set(xlabel="share of the coordinates, %", xlim=(0, 100))
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def people(errors: np.ndarray, who: Sequence, *, distance: str) -> Figure:
    """Errors of faces in columns of people, sorted by their means.

    Args:
        errors: `(N,)` fractions.
        who: `(N,)`, the person on each face.
        distance: What errors are divided by, in words; `Scheme.distance`.
    """
    errors, who = 100 * np.asarray(errors), np.asarray(who)
    means = {person: errors[who == person].mean() for person in np.unique(who)}
    order = sorted(means, key=means.get)
    figure, [[ax]] = new_figure(8, 2.8, plain=True)
    ax.scatter([order.index(person) for person in who], errors, s=8, color=GREEN, alpha=0.6,
               label="one face")  # fmt: skip
    ax.plot([means[person] for person in order], color=BLACK, lw=1, label="a person's mean")
    ax.set(xlabel="people, from the best to the worst", xticks=[])
    ax.set(ylabel=f"NME, %\nof the {distance}", yscale="log")
    ax.set_yticks([3, 5, 10, 20, 50], ["3", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.legend(fontsize=8, frameon=False)
    return figure
