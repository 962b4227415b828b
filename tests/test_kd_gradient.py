"""The closed-form gradient of KD-Loss against autograd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_losses import SETTINGS, landmarks, row

from kdnotes.losses import PAPER, RELEASED, kd_loss, kd_loss_grad


def autograd(pred, *rest, reduction="mean", **more):
    """What autograd gives for each term."""
    found = []
    for name in ("total", "main", "tough", "tolerant"):
        p = pred.clone().requires_grad_()
        term = getattr(kd_loss(p, *rest, reduction=reduction, **more), name).sum()
        gradient = None
        if term.requires_grad:
            (gradient,) = torch.autograd.grad(term, p, allow_unused=True)
        found.append(torch.zeros_like(p) if gradient is None else gradient)
    return found


def assert_equal(*args, **more):
    expected = autograd(*args, **more)
    for found, wanted in zip(kd_loss_grad(*args, **more), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


@SETTINGS
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_equals_autograd_everywhere(setting, reduction):
    for seed in range(5):
        assert_equal(*landmarks(seed), settings=setting, reduction=reduction)


@SETTINGS
def test_equals_autograd_on_every_border(setting):
    """u = 0, βt, t and τ, teachers perfect or not, on both sides of the truth."""
    u = [0.0, 0.06, 0.15 * 0.4, 0.16, 0.4 * 0.4, 0.4, 0.5, 0.9]
    for t in (0.0, 0.4, -0.4):
        for tau in (0.0, 0.4, 0.5):
            p = row([*u, *(-x for x in u)])
            g = torch.zeros_like(p)
            assert_equal(p, g, g + t, g + tau, settings=setting, reduction="none")


@SETTINGS
def test_mask_and_missing_teachers(setting):
    pred, target, tough, tolerant = landmarks()
    mask = torch.rand(pred.shape[:-1]) < 0.5
    assert_equal(pred, target, tough, tolerant, settings=setting, mask=mask)
    assert_equal(pred, target, None, tolerant, settings=setting)
    if setting is PAPER:
        assert_equal(pred, target, tough, settings=setting)
        assert_equal(pred, target, settings=setting)


@given(st.integers(0, 10**6))
def test_points_away_from_the_truth_on_the_side_of_the_prediction(seed):
    """Never towards a teacher: its sign is that of the error, wherever the teachers stand."""
    pred, target, tough, tolerant = landmarks(seed, shape=(3, 2, 2))
    for setting in (PAPER, RELEASED):
        slope = kd_loss_grad(pred, target, tough, tolerant, settings=setting, reduction="none")
        assert (slope.total * (pred - target) >= 0).all()


def test_errors_are_those_of_the_loss():
    pred, target, tough, _ = landmarks()
    with pytest.raises(ValueError, match="RELEASED"):
        kd_loss_grad(pred, target, tough, settings=RELEASED)
    with pytest.raises(ValueError, match="reduction"):
        kd_loss_grad(pred, target, tough, reduction="sum")
    with pytest.raises(ValueError, match="shape"):
        kd_loss_grad(pred, target[:1], tough)
    with pytest.raises(TypeError, match="floating"):
        kd_loss_grad(pred.long(), target)
