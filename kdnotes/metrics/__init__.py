"""How good landmarks are: errors of faces and points, and intervals around their means.

    errors = metrics.nme(pred, target, 68)          # one fraction per face; 0.05 is "5 %"
    metrics.failure_rate(errors), metrics.auc(errors)
    metrics.mean_interval(errors, people)

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
from kdnotes.metrics.intervals import (
    Estimate,
    bootstrap_interval,
    gain_interval,
    mean_interval,
)

__all__ = [
    "Estimate", "Normaliser", "auc", "bootstrap_interval", "ced", "distances", "failure_rate",
    "gain_interval", "mean_interval", "nme", "per_group", "point_errors",
]  # fmt: skip
