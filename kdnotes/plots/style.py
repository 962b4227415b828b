"""What all figures share: colours, size, frame.

Colours are those of Okabe and Ito, told apart by colour-blind readers and in grey print by their
lightness; each network and each kind of landmark has one colour throughout the course.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def plain_frame(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
