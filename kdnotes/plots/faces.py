"""Faces and shapes with their landmarks.

Pictures are drawn in landmark units (origin in the middle, width 1), so that points need no
conversion.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdnotes.asm import ActiveShapeModel
from kdnotes.data.schemes import Scheme, get
from kdnotes.plots.style import GREEN, PARTS, PINK, colour_of, name_of, new_figure


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
    """Draws landmarks as dots with a white rim, and the scheme's lines between them.

    Args:
        points: `(L, 2)` in the units of the axes.
        colour: Of dots and lines.
        size: Area of a dot in square points.
        label: Name of the dots in the legend.
        lines: Draw the scheme's lines, where it has any.
    """
    points = np.asarray(points)
    if lines and get(scheme).edges:
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
    """Draws a picture and the landmarks over it.

    Args:
        image: `(H, W, 3)` uint8, or a tensor `(3, H, W)` with values from 0 to 1.
        points: Hard landmarks `(L, 2)` in picture units, or a mapping from names to such arrays.
            A name in `COLOURS` fixes the colour.
        size: Area of a dot in square points.
    """
    if isinstance(image, torch.Tensor):
        image = image.detach().cpu().permute(1, 2, 0).clamp(0, 1).numpy()
    height = image.shape[0] / image.shape[1] / 2
    axes.imshow(image, extent=(-0.5, 0.5, height, -height), interpolation="bilinear")
    axes.set(xlim=(-0.5, 0.5), ylim=(height, -height), xticks=[], yticks=[])
    if points is None:
        return
    named = points if isinstance(points, Mapping) else {"hard": points}
    for i, (name, shape) in enumerate(named.items()):
        draw_points(axes, shape, scheme, colour_of(name, i), size=size, label=name)


def face_grid(
    images: Sequence[np.ndarray],
    points: Sequence | None = None,
    scheme: Scheme | int = 68,
    *,
    titles: Sequence[str] | None = None,
    columns: int = 6,
    side: float = 1.5,
    size: float = 3,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Faces side by side.

    Args:
        images: Pictures, each as `draw_face` takes it.
        points: For each face the `points` of `draw_face`.
        titles: For each face the text above it.
        columns: Faces in a row.
        side: Width of a face in inches.
        size: Area of a dot in square points.
        names: What the legend calls points, where it is not what `name_of` says.
    """
    n = len(images)
    columns = min(columns, n)
    rows = -(-n // columns)
    figure, axes = new_figure(columns * side, rows * side, nrows=rows, ncols=columns)
    for ax in axes.flat[n:]:
        ax.axis("off")
    for i, ax in enumerate(axes.flat[:n]):
        draw_face(ax, images[i], None if points is None else points[i], scheme, size=size)
        if titles is not None:
            ax.set_title(titles[i], fontsize=8)
    marks = {}
    for ax in axes.flat[:n]:  # not every face need have all of them
        marks |= {name: mark for mark, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    if len(marks) > 1:
        labels = [(names or {}).get(name, name_of(name)) for name in marks]
        figure.legend(
            marks.values(), labels, loc="outside lower center", ncols=len(marks), fontsize=8,
            markerscale=2.5,
        )  # fmt: skip
    return figure


def numbered_points(points: np.ndarray, scheme: Scheme | int) -> Figure:
    """A shape with the number of each landmark, coloured by facial part."""
    scheme = get(scheme)
    figure, [[ax]] = new_figure(7, 7, plain=True)
    for colour, (name, members) in zip(PARTS, scheme.groups.items(), strict=False):
        chosen = np.asarray(points)[list(members)]
        ax.scatter(*chosen.T, s=14, color=colour, label=name.replace("_", " "))
        places = _beside(chosen, inner=name == "mouth_inner")
        for number, place, point in zip(members, places, chosen, strict=True):
            ax.annotate(
                str(number), point, place, textcoords="offset points", fontsize=7,
                ha="center", va="center",
            )  # fmt: skip
    ax.set(aspect="equal", xlabel="x, image widths", ylabel="y, image widths, downwards")
    ax.invert_yaxis()
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def _beside(points, inner):
    """Offsets of the numbers of one facial part from its points, in points with y upwards.

    The numbers stand around the part. The inner lips are surrounded by other points, so their
    numbers stand above and below them, and those of the corners beside them.

    Args:
        points: `(L, 2)` of the part.
        inner: The part is the inner lips.

    Returns:
        `(L, 2)`.
    """
    away = points - points.mean(axis=0)
    if inner:
        corner = np.abs(away[:, :1]) > 0.9 * np.abs(away[:, 0]).max()
        away = np.where(corner, -away * [1, 0], away * [0, 1])
    away = away / np.linalg.norm(away, axis=1, keepdims=True).clip(1e-9)
    return 7 * away * [1, -1]


def shapes(named: Mapping[str, np.ndarray], scheme: Scheme | int) -> Figure:
    """Shapes without a picture, drawn over one another.

    Args:
        named: Name to `(L, 2)` in picture units; names in `COLOURS` fix the colour.
    """
    figure, [[ax]] = new_figure(4, 4)
    for i, (name, shape) in enumerate(named.items()):
        draw_points(ax, shape, scheme, colour_of(name, i), label=name)
    ax.set(aspect="equal", xlim=(-0.36, 0.36), ylim=(0.36, -0.36), xticks=[], yticks=[])
    ax.legend(fontsize=8, frameon=False)
    return figure


def shape_mode(
    model: ActiveShapeModel, scheme: Scheme | int, mode: int, n_std: float = 2
) -> Figure:
    """The mean shape, and the mean shape moved along one component to either side.

    Args:
        mode: Index of the component.
        n_std: How far to move, in standard deviations of the component.
    """
    figure, axes = new_figure(8, 2.9, ncols=3)
    for ax, amount in zip(axes[0], (-n_std, 0, n_std), strict=True):
        b = np.zeros(model.n_components_)
        b[mode] = amount * np.sqrt(model.explained_variance_[mode])
        draw_points(ax, model.shape(b).reshape(-1, 2), scheme, PINK)
        ax.set(aspect="equal", xlim=(-0.36, 0.36), ylim=(0.36, -0.36), xticks=[], yticks=[])
        ax.set_title("mean shape" if not amount else f"mode {mode + 1} at {amount:+g} sd", size=9)
    return figure
