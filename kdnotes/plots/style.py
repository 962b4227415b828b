"""What all figures share: colours, size, frame.

Colours are those of Okabe and Ito, told apart by colour-blind readers and in grey print by their
lightness, but for a darker red, since theirs is close to the orange. Each network and each kind of
landmark has one colour throughout the course.
"""

import io
import re

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#B2182B"
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
    "untrained": GREEN,
}
#: Of the parts of a face, in the order of a scheme's groups; neighbours on a face look different.
PARTS = (BLUE, ORANGE, GREEN, "#777777", SKY, PINK, RED, "#5B3A8E", "#9A6324")
#: What figures call the networks in words.
NAMES = {
    "tough": "Tough teacher",
    "tolerant": "Tolerant teacher",
    "student": "KD student",
    "plain": "plain student",
    "untrained": "untrained network",
    "mean": "mean shape",
}


class Drawing(Figure):
    """A figure that notebooks show as lines, sharp at every size, where it holds no picture."""

    def svg(self) -> str:
        """The figure as SVG, the same text whenever it is the same figure."""
        stream = io.BytesIO()
        with matplotlib.rc_context({"svg.hashsalt": "kdnotes"}):
            self.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        return _compact(stream.getvalue().decode())

    def _repr_mimebundle_(self, **kinds):
        pictures = any(ax.get_images() for ax in self.axes)
        return {} if pictures else {"image/svg+xml": self.svg()}


def _compact(svg):
    """An SVG text without comments, needless space and digits that nobody sees."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(\.\d{3})\d+", r"\1", svg)
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")


def new_figure(
    width: float = 8, height: float = 3.2, *, plain: bool = False, **grid
) -> tuple[Figure, np.ndarray]:
    """A figure that is not bound to pyplot, and its axes.

    Args:
        width, height: Size in inches.
        plain: Draw the left and the lower side of each frame only.
        grid: Arguments of `Figure.subplots`, such as `nrows` and `ncols`.

    Returns:
        The figure and its axes `(nrows, ncols)`.
    """
    figure = Drawing(figsize=(width, height), layout="constrained")
    axes = figure.subplots(squeeze=False, **grid)
    if plain:
        for ax in axes.flat:
            ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def colour_of(name: str, position: int) -> str:
    """The colour of a network or of a kind of landmark.

    Args:
        name: A name in `COLOURS`, or any other.
        position: Which colour of `COLOURS` another name gets, counted from 0.
    """
    return COLOURS.get(name, list(COLOURS.values())[position])


def name_of(name: str) -> str:
    """A network's name in words; other names stay as they are."""
    return NAMES.get(name, name)


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend below the whole figure, with the labels of one of its axes."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=8, frameon=False
    )
