"""Other ways to use a teacher's landmarks, for comparison with KD-Loss.

All take landmarks `(…, L, 2)` in network-crop units, and no gradient flows to the teacher.
"""

import torch
from torch import Tensor

from kdnotes.losses.plain import Reduction, checked, reduced


def plain_distillation(
    pred: Tensor, teacher: Tensor, *, mask: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """(p - T)² per coordinate: the teacher's answer in place of the label.

    Example:
        >>> losses.plain_distillation(torch.tensor([[0.3, 0.1]]), torch.full((1, 2), 0.1))
        tensor(0.0200)
    """
    pred, teacher = checked(pred=pred, teacher=teacher)
    return reduced((pred - teacher.detach()) ** 2, mask, reduction)


def teacher_bounded(
    pred: Tensor,
    target: Tensor,
    teacher: Tensor,
    *,
    margin: float = 0.0,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """(p - g)² per coordinate of the points at which the student is not better than the teacher.

    A point counts where ‖p - g‖² + margin > ‖T - g‖² and costs nothing elsewhere: the teacher is a
    bound, not a goal (Chen et al., *Learning efficient object detection models with knowledge
    distillation*, NeurIPS 2017, eq. 6).

    Args:
        margin: By how much the student must be better, in squared crop widths.

    Example:
        >>> pred = torch.tensor([[0.3, 0.0], [0.1, 0.0]])  # behind the teacher, and ahead of it
        >>> teacher = torch.tensor([[0.2, 0.0], [0.2, 0.0]])
        >>> losses.teacher_bounded(pred, torch.zeros(2, 2), teacher, reduction="none")
        tensor([[0.0900, 0.0000],
                [0.0000, 0.0000]])
    """
    pred, target, teacher = checked(pred=pred, target=target, teacher=teacher)
    error = (pred - target) ** 2
    student, bound = error.sum(-1, keepdim=True), ((teacher - target) ** 2).sum(-1, keepdim=True)
    counts = (student + margin > bound).detach()
    return reduced(torch.where(counts, error, 0.0), mask, reduction)


def teacher_hinge(
    pred: Tensor,
    target: Tensor,
    teacher: Tensor,
    *,
    alpha: float = 0.9,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """α·max(|e| - t, 0) per coordinate: pay for being farther from the truth than the teacher.

    One half of KD-Loss: without reward for being ahead, and with nothing to let go.

    Example:
        >>> pred, teacher = torch.tensor([[0.3, 0.1]]), torch.tensor([[0.2, 0.2]])
        >>> losses.teacher_hinge(pred, torch.zeros(1, 2), teacher, reduction="none")
        tensor([[0.0900, 0.0000]])
    """
    pred, target, teacher = checked(pred=pred, target=target, teacher=teacher)
    behind = (pred - target).abs() - (teacher - target).abs().detach()
    return reduced(alpha * behind.clamp_min(0), mask, reduction)


def attentive_imitation(
    pred: Tensor,
    target: Tensor,
    teacher: Tensor,
    *,
    reach: float = 0.1,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Φ·|p - T| per coordinate, Φ = max(0, 1 - |T - g|/reach): imitate a teacher where it is right.

    KD-Loss weighs a pull towards the truth by the teacher's error; this weighs a pull towards the
    teacher, so the direction is the teacher's (after Saputra et al., *Distilling knowledge from a
    deep pose regressor network*, ICCV 2019, who take 1 minus the normalised error).

    Args:
        reach: The teacher's error at which its word counts for nothing, in crop widths.

    Example:
        >>> pred, teacher = torch.tensor([[0.3, 0.3]]), torch.tensor([[0.05, 0.2]])
        >>> losses.attentive_imitation(pred, torch.zeros(1, 2), teacher, reduction="none")
        tensor([[0.1250, 0.0000]])
    """
    pred, target, teacher = checked(pred=pred, target=target, teacher=teacher)
    trust = (1 - (teacher - target).abs() / reach).clamp_min(0).detach()
    return reduced(trust * (pred - teacher.detach()).abs(), mask, reduction)
