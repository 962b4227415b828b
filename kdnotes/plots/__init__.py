"""Figures: pure functions from data to a matplotlib figure."""

from kdnotes.plots.faces import (
    draw_face,
    draw_points,
    face_grid,
    numbered_points,
    shape_mode,
    shapes,
)
from kdnotes.plots.loss import (
    REGIONS,
    assistance_curves,
    descent_paths,
    kd_curves,
    pull_field,
    regions_on_face,
)
from kdnotes.plots.scores import (
    arms,
    bars,
    error_curves,
    gains,
    jitter_curves,
    long_runs,
    point_errors,
    prices,
    training_curves,
)
from kdnotes.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    ORANGE,
    PARTS,
    PINK,
    RED,
    SKY,
    YELLOW,
    new_figure,
)

__all__ = [
    "BLACK", "BLUE", "COLOURS", "GREEN", "ORANGE", "PARTS", "PINK", "RED", "REGIONS", "SKY",
    "YELLOW", "arms", "assistance_curves", "bars", "descent_paths", "draw_face", "draw_points",
    "error_curves", "face_grid", "gains", "jitter_curves", "kd_curves", "long_runs", "new_figure",
    "numbered_points", "point_errors", "prices", "pull_field", "regions_on_face", "shape_mode",
    "shapes", "training_curves",
]  # fmt: skip
