"""How well networks do: training curves, error curves, bars."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from kdnotes import metrics
from kdnotes.plots.style import COLOURS, new_figure, plain_frame


def training_curves(
    logs: Mapping[str, list[dict]],
    mean_shape: float | None = None,
    *,
    loss: str = "training loss (each in its own unit)",
) -> Figure:
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
    axes[0, 1].set(xlabel="epoch", title=loss, yscale="log")
    axes[0, 0].legend(fontsize=8, frameon=False)
    for ax in axes[0]:
        plain_frame(ax)
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
