"""How good landmarks are: errors of faces and points, and intervals around their means.

    errors = metrics.nme(pred, target, 68)          # one fraction per face; 0.05 is "5 %"
    metrics.failure_rate(errors), metrics.auc(errors)
    metrics.bootstrap_interval(errors, groups=people)

`errors` measures faces, `intervals` says how much a mean would vary with other people or seeds.
"""

from kdnotes.metrics.errors import (
    Normaliser,
    auc,
    ced,
    distances,
    failure_rate,
    nme,
    per_group,
    point_errors,
)
from kdnotes.metrics.intervals import Draws, Estimate, bootstrap_interval

__all__ = [
    "Draws", "Estimate", "Normaliser", "auc", "bootstrap_interval", "ced", "distances",
    "failure_rate", "nme", "per_group", "point_errors",
]  # fmt: skip
