"""Figures: pure functions from data to a matplotlib figure."""

from kdnotes.plots.curves import (
    continued_runs,
    curves,
    long_runs,
    loss_terms,
    people,
    region_areas,
    region_bars,
    training_curves,
)
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
    kd_curves,
    regions_on_face,
)
from kdnotes.plots.plane import descend, descent_paths, pull_field
from kdnotes.plots.scores import (
    arms,
    bars,
    error_and_time,
    error_curves,
    gains,
    jitter_curves,
    point_errors,
    prices,
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
    name_of,
    new_figure,
)

__all__ = [
    "BLACK", "BLUE", "COLOURS", "GREEN", "ORANGE", "PARTS", "PINK", "RED", "REGIONS", "SKY",
    "YELLOW", "arms", "assistance_curves", "bars", "continued_runs", "curves",
    "descend", "descent_paths", "draw_face", "draw_points", "error_and_time", "error_curves",
    "face_grid", "gains", "jitter_curves", "kd_curves", "long_runs", "loss_terms", "name_of",
    "new_figure", "numbered_points", "people", "point_errors", "prices", "pull_field",
    "region_areas", "region_bars", "regions_on_face", "shape_mode", "shapes",
    "training_curves",
]  # fmt: skip
