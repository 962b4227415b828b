"""Other ways to use a teacher: by value, by gradient, by what they ignore."""

import numpy as np
import pytest
import torch
from test_losses import landmarks, row

from kdnotes import losses


def test_plain_distillation_knows_no_label():
    pred, _, teacher, _ = landmarks()
    found = losses.plain_distillation(pred, teacher)
    assert found.item() == pytest.approx(np.mean((pred - teacher).numpy() ** 2))
    assert losses.plain_distillation(teacher, teacher).item() == 0


def test_teacher_bounded_counts_the_points_that_are_worse():
    pred = torch.tensor([[[0.3, 0.0], [0.1, 0.0], [0.2, 0.2]]])
    target = torch.zeros_like(pred)
    teacher = torch.tensor([[[0.0, 0.2], [0.2, 0.0], [0.2, 0.2]]])
    each = losses.teacher_bounded(pred, target, teacher, reduction="none")
    assert each[0, 0].tolist() == pytest.approx([0.09, 0])  # 0.3 is worse than 0.2
    assert each[0, 1:].abs().max() == 0  # better, and just as good
    with_margin = losses.teacher_bounded(pred, target, teacher, margin=1e-6, reduction="none")
    assert with_margin[0, 2].tolist() == pytest.approx([0.04, 0.04])
    perfect = losses.teacher_bounded(pred, target, target)
    torch.testing.assert_close(perfect, losses.l2(pred, target))


def test_attentive_imitation_trusts_by_the_teachers_error():
    p, g = row([0.3, 0.3, 0.3]), row([0.0, 0.0, 0.0])
    teacher = row([0.0, 0.05, 0.2])
    each = losses.attentive_imitation(p, g, teacher, reach=0.1, reduction="none")[:, 0, 0]
    assert each.tolist() == pytest.approx([0.3, 0.5 * 0.25, 0.0])


def test_teacher_hinge_is_paid_behind_the_teacher_alone():
    p, g = row([0.3, -0.3, 0.1, 0.2]), row([0.0, 0.0, 0.0, 0.0])
    teacher = row([0.1, 0.1, 0.3, -0.2])
    each = losses.teacher_hinge(p, g, teacher, reduction="none")[:, 0, 0]
    assert each.tolist() == pytest.approx([0.9 * 0.2, 0.9 * 0.2, 0.0, 0.0])
    how = vars(losses.PAPER.tough) | {"alpha_negative": 0.0}
    same = losses.assistive_loss(p, g, teacher, **how, reduction="none")[:, 0, 0]
    assert each.tolist() == pytest.approx(same.tolist()), "KD-Loss without its reward"


@pytest.mark.parametrize("name", ["teacher_bounded", "attentive_imitation", "teacher_hinge"])
def test_no_gradient_to_the_teacher(name):
    pred, target, teacher, _ = landmarks()
    pred.requires_grad_(), teacher.requires_grad_()
    getattr(losses, name)(pred, target, teacher).backward()
    assert pred.grad.abs().sum() > 0 and teacher.grad is None
    pred.grad = None
    losses.plain_distillation(pred, teacher).backward()
    assert teacher.grad is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_masks_and_errors(dtype):
    pred, target, teacher, _ = landmarks(dtype=dtype)
    mask = torch.zeros(pred.shape[:-1], dtype=torch.bool)
    mask[0, 0] = True
    for loss in (
        lambda p, **more: losses.plain_distillation(p, teacher, **more),
        lambda p, **more: losses.teacher_bounded(p, target, teacher, **more),
        lambda p, **more: losses.attentive_imitation(p, target, teacher, **more),
        lambda p, **more: losses.teacher_hinge(p, target, teacher, **more),
    ):
        assert loss(pred).dtype == torch.float32 and torch.isfinite(loss(pred))
        one = loss(pred, reduction="none")[0, 0].mean()
        torch.testing.assert_close(loss(pred, mask=mask), one)
        with pytest.raises(ValueError, match="expected one shape"):
            loss(pred[:1])
