"""Checks of the exercises. Each tries the reader's function on numbers of its own.

A check returns a sentence. A notebook prints it: `print(checks.completed(complete))`. For a wrong
answer the sentence says what kind of mistake it is, where that can be seen, and never gives the
right answer. There is a module for each notebook: `start` (00), `data` (01), `teachers` and `step`
(02), `loss` (03), `student` (04), `measure` (05), `ablations` and `design` (06), `device` and
`slim` (07), `own` (08).
"""

from kdnotes.course.checks.ablations import gains, half_width, taught_targets
from kdnotes.course.checks.data import (
    back_from_view,
    completed,
    directions_to_keep,
    source_pixels,
)
from kdnotes.course.checks.design import fewest_seeds, power
from kdnotes.course.checks.device import block_macs, eight_bit_layer, euro_filter
from kdnotes.course.checks.judge import RIGHT
from kdnotes.course.checks.loss import (
    least_assistance,
    reflect,
    released_loss_and_slope,
    smallest_beta,
    swapped_teachers,
)
from kdnotes.course.checks.measure import (
    corrected_comparison,
    failures_and_area,
    median_differences,
    unshifted,
)
from kdnotes.course.checks.own import (
    error_of_a_hand,
    flips,
    gains_by_labels,
    pictures_to_label_next,
    spread_of_looks,
)
from kdnotes.course.checks.slim import lighter
from kdnotes.course.checks.start import by_chance, mean_of_others, next_crop, nme, pixel_ratio
from kdnotes.course.checks.step import distillation_step
from kdnotes.course.checks.student import inverse_time, own_loss, stored_answers
from kdnotes.course.checks.teachers import hinton_loss, is_frozen, memorised, soft_classes

__all__ = [
    "RIGHT",
    "back_from_view",
    "block_macs",
    "by_chance",
    "completed",
    "corrected_comparison",
    "directions_to_keep",
    "distillation_step",
    "eight_bit_layer",
    "error_of_a_hand",
    "euro_filter",
    "failures_and_area",
    "fewest_seeds",
    "flips",
    "gains",
    "gains_by_labels",
    "half_width",
    "hinton_loss",
    "inverse_time",
    "is_frozen",
    "least_assistance",
    "lighter",
    "mean_of_others",
    "median_differences",
    "memorised",
    "next_crop",
    "nme",
    "own_loss",
    "pictures_to_label_next",
    "pixel_ratio",
    "power",
    "reflect",
    "released_loss_and_slope",
    "smallest_beta",
    "soft_classes",
    "source_pixels",
    "spread_of_looks",
    "stored_answers",
    "swapped_teachers",
    "taught_targets",
    "unshifted",
]
