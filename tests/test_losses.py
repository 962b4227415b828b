"""KD-Loss against an independent transcription, the paper's figures, and its own mathematics."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdnotes import losses
from kdnotes.losses import LOW, NEGATIVE, NONE, PAPER, POSITIVE, RELEASED, kd_loss

SETTINGS = pytest.mark.parametrize("setting", [PAPER, RELEASED], ids=["paper", "released"])
PLAIN = pytest.mark.parametrize("plain", [losses.l1, losses.l2, losses.smooth_l1, losses.wing])


def landmarks(seed=0, shape=(5, 7, 2), dtype=torch.float64, n=4):
    """pred, target, tough, tolerant: errors of the size of crops, not all in one region."""
    random = torch.Generator().manual_seed(seed)
    target = torch.randn(shape, generator=random, dtype=torch.float64)
    return [
        (target + scale * torch.randn(shape, generator=random, dtype=torch.float64)).to(dtype)
        for scale in (0.6, 0.0, 0.4, 0.8)
    ][:n]


def row(values):
    """Numbers as landmarks (n, 1, 2): x carries them, y is 0."""
    values = torch.as_tensor(values, dtype=torch.float64)
    return torch.stack([values, torch.zeros_like(values)], dim=-1)[:, None]


def assist(pred, teacher, how, target=0.0):
    """Assistive loss and its slope for single numbers on one axis."""
    p = row([pred]).requires_grad_()
    loss = losses.assistive_loss(p, row([target]), row([teacher]), **vars(how), reduction="none")[
        0, 0, 0
    ]
    loss.backward()
    return loss.item(), p.grad[0, 0, 0].item()


def regions(u, t, how):
    """`region` at distances u and t from the truth."""
    found = losses.region(
        row([u]), row([0.0]), row([t]), beta=how.beta, low_influence=how.low_influence
    )
    return found[0, 0, 0].item()


# The oracle: the loss in the sign form of the released code, number by number.


def oracle(p, g, tough, tolerant, setting):
    """(main, tough, tolerant) of single numbers, transcribed from domain.md, signs and all."""
    sign = np.sign

    def assistance(teacher, how):
        side = sign(p - g)
        reflected = g + side * abs(teacher - g)
        border = g + side * how.beta * abs(teacher - g)
        if how.low_influence == "zero":
            if sign(p - reflected) * sign(reflected - g) > 0:
                weight = how.alpha_positive
            elif sign(reflected - p) * sign(p - border) >= 0:
                weight = how.alpha_negative
            else:
                weight = 0.0
        elif abs(p - g) >= abs(teacher - g):
            weight = how.alpha_positive
        elif abs(p - g) >= how.beta * abs(teacher - g):
            weight = how.alpha_negative
        else:
            weight = how.alpha_negative * abs(p - g) / (how.beta * abs(teacher - g))
        return weight * abs(reflected - p)

    e = abs(p - g)
    tau = abs(g - tolerant) if setting.tau is None else setting.tau
    main = setting.slope * e if e <= tau else e**2 + setting.slope * tau - tau**2
    return (
        setting.main_weight * main,
        setting.tough_weight * assistance(tough, setting.tough),
        setting.tolerant_weight * assistance(tolerant, setting.tolerant),
    )


#: Written out a second time: a wrong constant in `losses` must not reach the oracle.
PUBLISHED = {
    "paper": losses.KDSettings(
        losses.Assistance(0.9, -0.45, 0.4, "ramp"),
        losses.Assistance(0.9, -0.45, 0.4, "ramp"),
        tau=0.5, slope=1.0, main_weight=2.5, tough_weight=1.0, tolerant_weight=1.0,
    ),
    "released": losses.KDSettings(
        losses.Assistance(1.9, -0.45, 0.15, "zero"),
        losses.Assistance(1.8, -0.40, 0.15, "zero"),
        tau=None, slope=3.0, main_weight=2.0, tough_weight=1.0, tolerant_weight=1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name, setting", [("paper", PAPER), ("released", RELEASED)])
def test_equals_the_loop_transcription(name, setting):
    pred, target, tough, tolerant = landmarks(shape=(40, 25, 2))
    numbers = [x.numpy().ravel() for x in (pred, target, tough, tolerant)]
    expected = np.array([oracle(*four, PUBLISHED[name]) for four in zip(*numbers, strict=True)])

    each = kd_loss(pred, target, tough, tolerant, settings=setting, reduction="none")
    mean = kd_loss(pred, target, tough, tolerant, settings=setting)

    for i, term in enumerate(("main", "tough", "tolerant")):
        found = getattr(each, term).numpy().ravel()
        np.testing.assert_allclose(found, expected[:, i], rtol=0, atol=1e-6)
        assert getattr(mean, term).item() == pytest.approx(expected[:, i].mean(), abs=1e-6)
    np.testing.assert_allclose(each.total.numpy().ravel(), expected.sum(1), rtol=0, atol=1e-6)
    assert mean.total.item() == pytest.approx(expected.sum(1).mean(), abs=1e-6)
    for how, teacher in ((setting.tough, tough), (setting.tolerant, tolerant)):
        where = losses.region(pred, target, teacher, beta=how.beta, low_influence=how.low_influence)
        assert {LOW, NEGATIVE, POSITIVE} <= set(where.unique().tolist())


def test_transcription_of_a_perfect_teacher_and_a_perfect_student():
    cases = torch.tensor(
        [[0.3, 0.0, 0.0, 0.1], [0.3, 0.0, 0.1, 0.0], [0.0, 0.0, 0.2, 0.3], [0.0, 0.0, 0.0, 0.0]],
        dtype=torch.float64,
    )
    for name, setting in (("paper", PAPER), ("released", RELEASED)):
        found = kd_loss(*(row(c) for c in cases.T), settings=setting, reduction="none")
        expected = np.array([oracle(*four, PUBLISHED[name]) for four in cases.tolist()])
        np.testing.assert_allclose(
            torch.stack(found[1:], -1)[:, 0, 0].numpy(), expected, rtol=0, atol=1e-12
        )


def test_values_read_off_the_papers_figures():
    assert assist(0.16, 0.4, PAPER.tough)[0] == pytest.approx(-0.108)
    assert assist(0.5, 0.4, PAPER.tough)[0] == pytest.approx(0.09)
    assert assist(0.196, 0.49, PAPER.tolerant)[0] == pytest.approx(-0.132, abs=5e-4)
    assert losses.main_loss(row([1.0]), row([0.0]), reduction="none")[0, 0, 0].item() == 1.25
    # 2.5·1.25 + 0.9·(1 - 0.4) + 0.9·(1 - 0.49)
    total = kd_loss(row([1.0]), row([0.0]), row([0.4]), row([0.49]), reduction="none").total
    assert total[0, 0, 0].item() == pytest.approx(3.125 + 0.54 + 0.459)


# Mutants that the numbers above would not all catch.


@SETTINGS
def test_student_and_teacher_are_not_exchangeable(setting):
    pred, target, tough, tolerant = landmarks()
    right = kd_loss(pred, target, tough, tolerant, settings=setting)
    wrong = kd_loss(tough, target, pred, tolerant, settings=setting)
    assert abs(right.tough - wrong.tough) > 1e-3 and abs(right.main - wrong.main) > 1e-3


@SETTINGS
def test_each_teacher_has_its_own_term(setting):
    pred, target, tough, tolerant = landmarks()
    both = kd_loss(pred, target, tough, tolerant, settings=setting)
    for name, teacher in (("tough", tough), ("tolerant", tolerant)):
        alone = losses.assistive_loss(pred, target, teacher, **vars(getattr(setting, name)))
        torch.testing.assert_close(getattr(both, name), alone)
    assert abs(both.tough - both.tolerant) > 1e-3


def test_swapped_teachers_change_the_total_of_released_only():
    pred, target, tough, tolerant = landmarks()
    for setting, differs in ((PAPER, False), (RELEASED, True)):
        right = kd_loss(pred, target, tough, tolerant, settings=setting).total
        swapped = kd_loss(pred, target, tolerant, tough, settings=setting).total
        assert (abs(right - swapped).item() > 1e-3) == differs


@SETTINGS
def test_gradient_reaches_the_student_only(setting):
    pred, target, tough, tolerant = landmarks()
    for x in (pred, tough, tolerant):
        x.requires_grad_()
    kd_loss(pred, target, tough, tolerant, settings=setting).total.backward()
    assert pred.grad.abs().min() > 0
    assert tough.grad is None and tolerant.grad is None


# Borders, as in domain.md's table.

EPS = 1e-7


@pytest.mark.parametrize("t", [0.4, -0.4])
@pytest.mark.parametrize("side", [1, -1])
def test_borders_of_paper(t, side):
    how, size, b = PAPER.tough, abs(t), 0.4 * abs(t)
    value = lambda u: assist(side * u, t, how)[0]  # noqa: E731
    slope = lambda u: side * assist(side * u, t, how)[1]  # noqa: E731
    # u = t: value 0, slope from 0.45 to 0.9, the tie itself 0 and in R_P
    assert value(size) == 0 and slope(size) == 0
    assert slope(size - EPS) == pytest.approx(0.45) and slope(size + EPS) == pytest.approx(0.9)
    assert regions(side * size, t, how) == POSITIVE
    # u = b: continuous, the least value, slope from -|α⁻|(1 - 2β)/β to |α⁻|; b itself is R_N
    assert value(b) == pytest.approx(-0.45 * 0.6 * size)
    assert value(b - EPS) == pytest.approx(value(b), abs=1e-6)
    assert slope(b - EPS) == pytest.approx(-0.45 * 0.2 / 0.4, abs=1e-5)
    assert slope(b + EPS) == pytest.approx(0.45)
    assert regions(side * b, t, how) == NEGATIVE
    assert all(value(b) <= value(u) for u in np.linspace(0, 2 * size, 101))
    # u = 0
    assert value(0.0) == 0 and slope(0.0) == 0
    assert slope(EPS) == pytest.approx(-0.45 / 0.4, abs=1e-5)
    assert regions(0.0, t, how) == LOW


@pytest.mark.parametrize("t", [0.4, -0.4])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("how", [RELEASED.tough, RELEASED.tolerant], ids=["tough", "tolerant"])
def test_borders_of_released(how, side, t):
    size, b = abs(t), 0.15 * abs(t)
    positive, negative = (1.9, 0.45) if how is RELEASED.tough else (1.8, 0.40)
    value = lambda u: assist(side * u, t, how)[0]  # noqa: E731
    slope = lambda u: side * assist(side * u, t, how)[1]  # noqa: E731
    # u = t: value 0, R_N, the slope jumps
    assert value(size) == 0 and slope(size) == 0
    assert regions(side * size, t, how) == NEGATIVE
    assert regions(side * (size + EPS), t, how) == POSITIVE
    assert slope(size - EPS) == pytest.approx(negative)
    assert slope(size + EPS) == pytest.approx(positive)
    # u = b: the value drops by |α⁻|(1 - β)t, b itself is R_N
    assert value(b - EPS) == 0 and regions(side * (b - EPS), t, how) == LOW
    assert value(b) == pytest.approx(-negative * 0.85 * size)
    assert regions(side * b, t, how) == NEGATIVE
    # u = 0
    assert value(0.0) == 0 and slope(0.0) == 0 and slope(EPS) == 0


@pytest.mark.parametrize("u", [-0.3, 0.0, 0.3])
def test_a_perfect_teacher(u):
    assert assist(u, 0.0, PAPER.tough) == pytest.approx((0.9 * abs(u), 0.9 * np.sign(u)))
    assert regions(u, 0.0, PAPER.tough) == POSITIVE
    for how in (RELEASED.tough, RELEASED.tolerant):
        assert assist(u, 0.0, how) == (0, 0)
        assert regions(u, 0.0, how) == NONE


@SETTINGS
@pytest.mark.parametrize("tau", [0.5, 0.2])
def test_main_loss_at_tau(setting, tau):
    def at(u):
        p = row([u]).requires_grad_()
        kwargs = {"tau": row([tau]) if setting.tau is None else tau, "slope": setting.slope}
        loss = losses.main_loss(p, row([0.0]), **kwargs, reduction="none")[0, 0, 0]
        loss.backward()
        return loss.item(), p.grad[0, 0, 0].item()

    assert at(tau) == pytest.approx((setting.slope * tau, setting.slope))
    assert at(tau + EPS) == pytest.approx((setting.slope * tau, 2 * tau), abs=1e-6)
    assert at(2 * tau)[0] == pytest.approx(3 * tau**2 + setting.slope * tau)


def test_released_tau_is_the_tolerant_teachers_distance():
    pred, target, tough, tolerant = landmarks()
    main = kd_loss(pred, target, tough, tolerant, settings=RELEASED).main
    tau = (target - tolerant).abs()
    torch.testing.assert_close(main, 2 * losses.main_loss(pred, target, tau=tau, slope=3.0))


# What the loss really does.

numbers = st.floats(-1, 1, allow_nan=False, width=64)


@given(p=numbers, g=numbers, tough=numbers, tolerant=numbers)
@settings(max_examples=50, deadline=None)
def test_mirrored_teachers_give_the_same_loss(p, g, tough, tolerant):
    for setting in (PAPER, RELEASED):
        for how, teacher in ((setting.tough, tough), (setting.tolerant, tolerant)):
            t = abs(teacher - g)
            if setting is RELEASED and (t < 1e-6 or abs(abs(p - g) - how.beta * t) < 1e-6):
                return  # on RELEASED's jumps one rounding changes the value
        here = kd_loss(row([p]), row([g]), row([tough]), row([tolerant]), settings=setting)
        other = (row([2 * g - tough]), row([2 * g - tolerant]))
        there = kd_loss(row([p]), row([g]), *other, settings=setting)
        for a, b in zip(here, there, strict=True):
            assert a.item() == pytest.approx(b.item(), abs=1e-9)


@SETTINGS
def test_a_common_shift_changes_nothing(setting):
    four = landmarks()
    moved = [x + 0.25 for x in four]
    for a, b in zip(
        kd_loss(*four, settings=setting), kd_loss(*moved, settings=setting), strict=True
    ):
        torch.testing.assert_close(a, b)


@SETTINGS
def test_assistance_is_a_leaky_hinge_outside_the_low_region(setting):
    pred, target, tough, _ = landmarks()
    how = setting.tough
    u, t = (pred - target).abs(), (tough - target).abs()
    hinge = how.alpha_positive * (u - t).clamp_min(0) + how.alpha_negative * (t - u).clamp_min(0)
    found = losses.assistive_loss(pred, target, tough, **vars(how), reduction="none")
    outside = u >= how.beta * t
    assert 0 < outside.sum() < outside.numel()
    torch.testing.assert_close(found[outside], hinge[outside])


@pytest.mark.parametrize("weight, minimum", [(2.5, True), (2.0, False)])
def test_the_truth_is_a_minimum_with_the_figures_weight_only(weight, minimum):
    setting = dataclasses.replace(PAPER, main_weight=weight)
    near = kd_loss(row([1e-3]), row([0.0]), row([0.2]), row([0.3]), settings=setting).total
    assert (near.item() > 0) == minimum


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_landmarks_is_nothing(seed):
    four = landmarks(seed, shape=(3, 6, 2))
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    for setting in (PAPER, RELEASED):
        plain = kd_loss(*four, settings=setting)
        moved = kd_loss(*(x[:, order] for x in four), settings=setting)
        torch.testing.assert_close(torch.stack(plain), torch.stack(moved))


def test_a_weight_of_zero_or_no_teacher_drops_the_term():
    pred, target, tough, tolerant = landmarks()
    full = kd_loss(pred, target, tough, tolerant)
    assert full.tough.item() != 0 and full.tolerant.item() != 0
    muted = dataclasses.replace(PAPER, tough_weight=0.0)
    for terms in (
        kd_loss(pred, target, None, tolerant),
        kd_loss(pred, target, tough, tolerant, settings=muted),
    ):
        assert terms.tough.item() == 0
        torch.testing.assert_close(terms.total, full.main + full.tolerant)
    plain = kd_loss(pred, target)
    torch.testing.assert_close(plain.total, full.main)


def test_weights_scale_their_terms():
    four = landmarks()
    setting = dataclasses.replace(RELEASED, main_weight=1.0, tough_weight=3.0, tolerant_weight=5.0)
    one, other = kd_loss(*four, settings=RELEASED), kd_loss(*four, settings=setting)
    torch.testing.assert_close(other.main, one.main / 2)
    torch.testing.assert_close(other.tough, 3 * one.tough)
    torch.testing.assert_close(other.tolerant, 5 * one.tolerant)
    torch.testing.assert_close(other.total, other.main + other.tough + other.tolerant)


def test_released_needs_the_tolerant_teacher():
    pred, target, tough, _ = landmarks()
    with pytest.raises(ValueError, match=r"tau = \|target - tolerant\|"):
        kd_loss(pred, target, tough, settings=RELEASED)


# Gradients and precision.


@SETTINGS
def test_gradcheck(setting):
    pred, target, tough, tolerant = landmarks(shape=(2, 5, 2))
    pred.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p: kd_loss(p, target, tough, tolerant, settings=setting, reduction="none"), pred
    )


@PLAIN
def test_gradcheck_of_plain_losses(plain):
    pred, target = landmarks(shape=(2, 5, 2), n=2)
    near = (target + (pred - target) / 100).requires_grad_()  # both branches of Wing and smooth L1
    assert torch.autograd.gradcheck(lambda p: plain(p, target, reduction="none"), near)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("teacher", [0.0, 1e-30, 0.25])
@pytest.mark.parametrize("pred", [0.0, 1e-30, 0.25])
@SETTINGS
def test_finite_where_distances_vanish(setting, pred, teacher, dtype):
    p = row([pred]).to(dtype).requires_grad_()
    t = row([teacher]).to(dtype)
    terms = kd_loss(p, torch.zeros_like(p), t, t, settings=setting)
    terms.total.backward()
    assert math.isfinite(terms.total.item()) and torch.isfinite(p.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@SETTINGS
def test_half_precision_is_computed_in_float32(setting, dtype):
    pred, target, tough, tolerant = landmarks(dtype=dtype)
    found = kd_loss(pred, target, tough, tolerant, settings=setting)
    wide = kd_loss(*(x.float() for x in (pred, target, tough, tolerant)), settings=setting)
    assert all(term.dtype == torch.float32 for term in found)
    assert all(a.item() == b.item() for a, b in zip(found, wide, strict=True))
    mixed = kd_loss(pred, target.float(), tough.float(), tolerant, settings=setting)
    assert mixed.total.item() == wide.total.item()
    assert losses.l1(pred, target).dtype == torch.float32


@SETTINGS
def test_float64_stays_exact(setting):
    terms = kd_loss(*landmarks(), settings=setting)
    assert all(term.dtype == torch.float64 for term in terms)
    assert assist(0.5, 0.4, PAPER.tough)[0] == pytest.approx(0.09, abs=1e-15)


@SETTINGS
def test_compiled_equals_eager(setting):
    four = landmarks(dtype=torch.float32)
    compiled = torch.compile(kd_loss, backend="aot_eager", fullgraph=True)
    for mask in (None, torch.arange(35).reshape(5, 7) % 3 > 0):
        eager = kd_loss(*four, settings=setting, mask=mask)
        for a, b in zip(eager, compiled(*four, settings=setting, mask=mask), strict=True):
            torch.testing.assert_close(a, b)


# Masks, reductions, plain losses.


@SETTINGS
def test_mask_means_over_the_points_that_count(setting):
    four = landmarks()
    mask = torch.zeros(5, 7, dtype=torch.bool)
    mask[0, :3] = mask[4, 6] = True
    masked = kd_loss(*four, settings=setting, mask=mask)
    picked = kd_loss(*(x[mask] for x in four), settings=setting)
    for a, b in zip(masked, picked, strict=True):
        torch.testing.assert_close(a, b)
    each = kd_loss(*four, settings=setting, mask=mask, reduction="none").total
    assert each.shape == (5, 7, 2) and (each[~mask] == 0).all() and (each[mask] != 0).all()
    everything = kd_loss(*four, settings=setting, mask=torch.ones_like(mask))
    torch.testing.assert_close(everything.total, kd_loss(*four, settings=setting).total)


@SETTINGS
def test_an_empty_mask_gives_zero_and_no_gradient(setting):
    pred, target, tough, tolerant = landmarks()
    pred.requires_grad_()
    mask = torch.zeros(5, 7, dtype=torch.bool)
    terms = kd_loss(pred, target, tough, tolerant, settings=setting, mask=mask)
    terms.total.backward()
    assert all(term.item() == 0 for term in terms) and (pred.grad == 0).all()


@PLAIN
def test_plain_losses_reduce_and_mask(plain):
    pred, target = landmarks(n=2)
    each = plain(pred, target, reduction="none")
    assert each.shape == pred.shape and (each >= 0).all()
    torch.testing.assert_close(plain(pred, target), each.mean())
    mask = torch.arange(35).reshape(5, 7) % 3 > 0
    torch.testing.assert_close(plain(pred, target, mask=mask), each[mask].mean())
    assert plain(target, target).item() == 0


def test_plain_losses_by_value_in_both_branches():
    value = lambda loss, u: loss(row([u]), row([0.0]), reduction="none")[0, 0, 0].item()  # noqa: E731
    pixel = 1 / 256
    assert value(losses.l1, -0.3) == pytest.approx(0.3)
    assert value(losses.l2, -0.3) == pytest.approx(0.09)
    # In pixels of a 256-pixel crop: smooth L1 with beta 1, Wing with w 10 and epsilon 2.
    assert value(losses.smooth_l1, 0.5 * pixel) == pytest.approx(0.125 * pixel)
    assert value(losses.smooth_l1, -3 * pixel) == pytest.approx(2.5 * pixel)
    assert value(losses.wing, -2 * pixel) == pytest.approx(10 * math.log(2) * pixel)
    assert value(losses.wing, 20 * pixel) == pytest.approx((10 + 10 * math.log(6)) * pixel)


# Bad input.


def calls(pred, target, teacher):
    """Every public loss, called with the same landmarks."""
    how = {"beta": 0.4, "low_influence": "ramp"}
    alpha = {"alpha_positive": 0.9, "alpha_negative": -0.45}
    yield lambda: losses.main_loss(pred, target)
    yield lambda: losses.assistive_loss(pred, target, teacher, **how, **alpha)
    yield lambda: losses.region(pred, target, teacher, **how)
    yield lambda: kd_loss(pred, target, teacher, teacher)
    for plain in (losses.l1, losses.l2, losses.smooth_l1, losses.wing):
        yield lambda plain=plain: plain(pred, target)


@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda x: x.long(), TypeError, "pred is torch.int64, expected a tensor of floating"),
        (lambda x: x.numpy(), TypeError, "pred is ndarray"),
        (lambda x: x[:, :-1], ValueError, r"target has shape \(5, 7, 2\) and pred \(5, 6, 2\)"),
        (lambda x: x[:1], ValueError, "expected one shape"),
        (
            lambda x: x.index_fill(1, torch.tensor(3), math.nan),
            ValueError,
            r"pred\[0, 3, 0\] is nan",
        ),
        (
            lambda x: x.index_fill(0, torch.tensor(2), math.inf),
            ValueError,
            r"pred\[2, 0, 0\] is inf",
        ),
    ],
)
def test_bad_predictions_are_refused_by_every_loss(change, error, message):
    pred, target, tough, _ = landmarks()
    for call in calls(change(pred), target, tough):
        with pytest.raises(error, match=message):
            call()


def test_empty_landmarks_are_refused():
    empty = torch.zeros(0, 7, 2)
    for call in calls(empty, empty, empty):
        with pytest.raises(ValueError, match="at least one point"):
            call()


def test_errors_name_the_teacher():
    pred, target, tough, tolerant = landmarks()
    with pytest.raises(ValueError, match="tolerant has shape"):
        kd_loss(pred, target, tough, tolerant[:, :2])
    with pytest.raises(TypeError, match=r"tough is torch\.int32"):
        kd_loss(pred, target, tough.int(), tolerant)


def test_bad_options_are_refused():
    pred, target, tough, _ = landmarks()
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        kd_loss(pred, target, reduction="sum")
    with pytest.raises(ValueError, match="low_influence is 'none'"):
        losses.region(pred, target, tough, beta=0.4, low_influence="none")
    for mask in (torch.ones(5, 7), torch.ones(5, 7, 2, dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"expected bool of shape \(5, 7\)"):
            kd_loss(pred, target, mask=mask)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.main_weight = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        PAPER.tough.beta = 0.5
