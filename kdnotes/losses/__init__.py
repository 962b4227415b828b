"""Losses on landmarks: KD-Loss, its gradient, and what it is compared with.

    kd             KD-Loss in its two public settings: start here
    gradient       its gradient in closed form
    plain          L1, L2, smooth L1, Wing: no teacher
    with_teacher   other ways to use a teacher's landmarks

All functions are pure, take landmarks `(…, L, 2)` in network-crop units (width of the picture = 1;
KD-Loss mixes |e| and e², so it means nothing in pixels), compute in float32 (float64 stays) and
return the mean over all coordinates, or one value for each with `reduction="none"`. They raise
TypeError for anything but floating-point tensors, and ValueError for shapes that differ, no values
and, on the CPU, values that are not finite (on a GPU every step would wait for the answer).
"""

from kdnotes.losses.gradient import kd_loss_grad
from kdnotes.losses.kd import (
    LOW,
    NEGATIVE,
    NONE,
    PAPER,
    POSITIVE,
    RELEASED,
    Assistance,
    KDSettings,
    KDTerms,
    assistive_loss,
    kd_loss,
    main_loss,
    region,
)
from kdnotes.losses.plain import l1, l2, smooth_l1, wing
from kdnotes.losses.with_teacher import (
    attentive_imitation,
    plain_distillation,
    teacher_bounded,
    teacher_hinge,
)

__all__ = [
    "LOW",
    "NEGATIVE",
    "NONE",
    "PAPER",
    "POSITIVE",
    "RELEASED",
    "Assistance",
    "KDSettings",
    "KDTerms",
    "assistive_loss",
    "attentive_imitation",
    "kd_loss",
    "kd_loss_grad",
    "l1",
    "l2",
    "main_loss",
    "plain_distillation",
    "region",
    "smooth_l1",
    "teacher_bounded",
    "teacher_hinge",
    "wing",
]
