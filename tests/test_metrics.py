"""Metrics: values by hand, limits of the definitions, and clear errors instead of fewer faces."""

import math

import numpy as np
import pytest
import torch

from kdnotes import metrics
from kdnotes.data.schemes import SCHEMES
from kdnotes.metrics import auc, bootstrap_interval, ced, failure_rate, nme

ERRORS = [0.02, 0.05, 0.20]


def hexagon_eyes():
    """68 points (1, 68, 2): eyes as hexagons of radius 10 about (-30, 0) and (30, 0)."""
    random = np.random.default_rng(0)
    points = random.uniform(-50, 50, size=(68, 2))
    angle = np.pi - np.arange(6) * np.pi / 3  # from the left corner over the top
    ring = 10 * np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    points[36:42] = ring + np.array([-30, 0])
    points[42:48] = ring + np.array([30, 0])
    points[45] = [40, 0]
    assert np.allclose(points[36], [-40, 0])
    return points[None]


def faces(n=6, seed=0):
    random = np.random.default_rng(seed)
    target = random.normal(size=(n, 68, 2))
    return target + random.normal(scale=0.1, size=target.shape), target


def test_normalisers_by_hand():
    target = hexagon_eyes()
    pred = target + np.array([0, 4])
    assert nme(pred, target, 68) == pytest.approx([0.05])
    assert nme(pred, target, 68, "interpupil") == pytest.approx([4 / 60])
    width, height = np.ptp(target[0], axis=0)
    assert nme(pred, target, 68, "box") == pytest.approx([4 / math.sqrt(width * height)])
    assert nme(pred, target, SCHEMES[68]) == nme(pred, target, 68)


def test_any_pair_divides():
    target = hexagon_eyes()
    pred = target + np.array([0, 4])
    assert nme(pred, target, 68, (36, 45)) == nme(pred, target, 68)
    eyes = (tuple(range(36, 42)), tuple(range(42, 48)))
    assert nme(pred, target, 68, eyes) == nme(pred, target, 68, "interpupil")
    for wrong in ((36,), (36, 68), (36, 45, 2), ((), 45), (36, -1)):
        with pytest.raises(ValueError, match=r"no pair of points.* from 0 to 67"):
            nme(pred, target, 68, wrong)
    with pytest.raises(ValueError, match="distance of face 0 is 0"):
        nme(pred, target, 68, (36, 36))


def test_nme_is_the_mean_distance_and_not_the_mean_coordinate_error():
    target = hexagon_eyes()
    pred = target.copy()
    pred[0, :34] += [3, 4]  # half of the points, 5 away
    assert nme(pred, target, 68) == pytest.approx([2.5 / 80])


@pytest.mark.parametrize("normaliser", ["interocular", "interpupil", "box"])
def test_nme_does_not_depend_on_size_or_place(normaliser):
    pred, target = faces()
    here = nme(pred, target, 68, normaliser)
    there = nme(7 * pred + 30, 7 * target + 30, 68, normaliser)
    assert here.shape == (6,)
    np.testing.assert_allclose(here, there)
    # The truth's distance divides, not the prediction's.
    assert not np.allclose(here, nme(target, pred, 68, normaliser), rtol=1e-3)


def test_one_result_per_face():
    pred, target = faces()
    pred[4] = target[4]
    errors = nme(pred, target, 68)
    assert errors[4] == 0 and (np.delete(errors, 4) > 0).all()
    for i in range(6):
        assert errors[i] == nme(pred[[i]], target[[i]], 68)[0]


def test_point_errors_and_groups_are_parts_of_nme():
    pred, target = faces()
    points = metrics.point_errors(pred, target, 68, "interpupil")
    assert points.shape == (6, 68)
    np.testing.assert_allclose(points.mean(axis=1), nme(pred, target, 68, "interpupil"))
    groups = metrics.per_group(pred, target, 68, "interpupil")
    assert list(groups) == list(SCHEMES[68].groups)
    assert groups["eye_left"] == pytest.approx(points[:, 36:42].mean())
    sizes = [len(group) for group in SCHEMES[68].groups.values()]
    assert np.average(list(groups.values()), weights=sizes) == pytest.approx(points.mean())


def test_visible_and_hidden_points():
    pred, target = faces()
    visible = np.random.default_rng(1).random((6, 68)) < 0.5
    points = metrics.point_errors(pred, target, 68)
    for chosen in (visible, ~visible, torch.as_tensor(visible)):
        found = nme(pred, target, 68, visible=chosen)
        expected = [row[mask].mean() for row, mask in zip(points, np.asarray(chosen), strict=True)]
        np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(
        nme(pred, target, 68, visible=np.ones((6, 68), bool)), nme(pred, target, 68)
    )
    visible[3] = False
    with pytest.raises(ValueError, match="face 3 has no point that counts"):
        nme(pred, target, 68, visible=visible)
    with pytest.raises(ValueError, match=r"expected bool \(6, 68\)"):
        nme(pred, target, 68, visible=visible[:5])
    with pytest.raises(ValueError, match="visible is float64"):
        nme(pred, target, 68, visible=visible.astype(float))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_give_the_same(dtype):
    pred, target = (torch.as_tensor(x).to(dtype) for x in faces())
    found = nme(pred.clone().requires_grad_(), target, 68)
    assert isinstance(found, np.ndarray) and found.dtype == np.float64
    np.testing.assert_allclose(found, nme(pred.double().numpy(), target.double().numpy(), 68))


@pytest.mark.parametrize("n_points", [29, 98])
def test_other_schemes(n_points):
    target = np.random.default_rng(0).normal(size=(3, n_points, 2))
    (left,), (right,) = SCHEMES[n_points].interocular
    distance = np.linalg.norm(target[:, left] - target[:, right], axis=1)
    np.testing.assert_allclose(nme(target + np.array([0, 1]), target, n_points), 1 / distance)


def test_bad_landmarks_are_named():
    pred, target = faces()
    broken = pred.copy()
    broken[2, 30, 1] = np.nan
    with pytest.raises(ValueError, match="pred of face 2, point 30 is"):
        nme(broken, target, 68)
    broken[2, 30, 1] = np.inf
    with pytest.raises(ValueError, match="target of face 2, point 30 is"):
        nme(pred, broken, 68)
    flat = target.copy()
    flat[4, 36] = flat[4, 45]
    with pytest.raises(ValueError, match="interocular distance of face 4 is 0"):
        nme(pred, flat, 68)
    flat[4] = [1, 2]
    for normaliser in ("interpupil", "box"):
        with pytest.raises(ValueError, match=f"{normaliser} distance of face 4 is 0"):
            nme(pred, flat, 68, normaliser)


def test_bad_shapes_are_refused():
    pred, target = faces()
    for bad in (pred[:0], pred[0], pred[:, :67], pred.reshape(6, -1)):
        with pytest.raises(ValueError, match=r"expected \(N, 68, 2\) with N >= 1"):
            nme(bad, target, 68)
    with pytest.raises(ValueError, match="expected one shape"):
        nme(pred[:1], target, 68)  # would broadcast without a word
    with pytest.raises(ValueError, match="choose one of interocular, interpupil, pair, box"):
        nme(pred, target, 68, "pupils")
    with pytest.raises(ValueError, match="no scheme has 67 points"):
        nme(pred, target, 67)


# Failure rate, AUC, curve.


def test_auc_and_failure_rate_by_hand():
    assert auc(ERRORS) == pytest.approx((0.8 + 0.5 + 0.0) / 3)  # 0.43333
    assert failure_rate(ERRORS) == pytest.approx(1 / 3)
    assert auc(ERRORS, 0.04) == pytest.approx(0.5 / 3)
    assert failure_rate(ERRORS, 0.04) == pytest.approx(2 / 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_error_at_the_threshold_is_no_failure(dtype):
    errors = np.array([0.10], dtype=dtype)
    assert failure_rate(errors) == 0 and auc(errors) == 0
    assert failure_rate(np.nextafter(errors, dtype(1))) == 1
    assert failure_rate(torch.as_tensor(errors)) == 0


def test_one_face_and_perfect_faces():
    assert auc([0.05]) == pytest.approx(0.5) and failure_rate([0.05]) == 0
    assert auc([0, 0, 0]) == 1.0 and failure_rate([0, 0, 0]) == 0
    assert auc([math.inf, 0.0]) == 0.5 and failure_rate([math.inf, 0.0]) == 0.5


def test_auc_is_the_area_under_the_curve():
    errors = np.random.default_rng(0).uniform(0, 0.2, size=50)
    rising, share = ced(errors)
    below = rising < 0.1
    ends = np.append(rising[below], 0.1)
    area = (np.diff(ends) * share[below]).sum()
    assert auc(errors) == pytest.approx(area / 0.1)
    grid = np.linspace(0, 0.1, 200_001)  # the rule that published evaluations use, finely
    height = (errors[:, None] <= grid).mean(axis=0)
    weights = np.full(len(grid), 2.0)
    weights[1::2], weights[[0, -1]] = 4.0, 1.0
    assert auc(errors) == pytest.approx((weights * height).sum() * (grid[1] / 3) / 0.1, abs=1e-5)
    assert failure_rate(errors) == pytest.approx(1 - share[below][-1])


def test_ced():
    rising, share = ced([0.20, 0.02, 0.05])
    assert rising.tolist() == ERRORS
    np.testing.assert_allclose(share, [1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("figure", [auc, failure_rate, ced, bootstrap_interval])
def test_empty_and_nan_errors_are_refused(figure):
    with pytest.raises(ValueError, match=r"shape \(0,\), expected \(N,\) with N >= 1"):
        figure([])
    with pytest.raises(ValueError, match="error 1 is nan"):
        figure([0.1, math.nan, 0.2])
    if figure is not bootstrap_interval:  # which also takes differences of errors
        with pytest.raises(ValueError, match=r"error 0 is -0\.1"):
            figure([-0.1, 0.2])
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        figure(np.ones((2, 2)))


# Bootstrap.


def test_interval_holds_the_mean_and_is_as_wide_as_theory_says():
    errors = np.random.default_rng(0).gamma(4, 0.02, size=400)
    low, high = bootstrap_interval(errors)
    assert low < errors.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * errors.std() / 20, rel=0.15)
    assert (low, high) == bootstrap_interval(errors)
    assert (low, high) != bootstrap_interval(errors, seed=1)
    narrow = bootstrap_interval(errors, level=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_interval_of_another_statistic():
    errors = np.random.default_rng(0).gamma(4, 0.02, size=100)
    for statistic in (np.median, auc, failure_rate):
        low, high = bootstrap_interval(errors, statistic=statistic)
        assert low <= statistic(errors) <= high and low < high


def test_persons_are_drawn_with_all_their_faces():
    """Ten persons with ten equal faces each are worth ten faces, not a hundred."""
    persons = np.repeat(np.random.default_rng(0).gamma(4, 0.02, size=10), 10)
    names = np.repeat([f"person {i}" for i in range(10)], 10)
    order = np.random.default_rng(1).permutation(100)
    by_person = np.diff(bootstrap_interval(persons[order], groups=names[order]))
    by_face = np.diff(bootstrap_interval(persons[order]))
    ten = np.diff(bootstrap_interval(persons[::10]))
    assert by_person > 2 * by_face
    assert by_person == pytest.approx(ten, rel=0.15)


def test_groups_of_different_sizes_stay_whole():
    sizes = set()
    statistic = lambda drawn: sizes.add(tuple(np.unique(drawn, return_counts=True)[1])) or 0.0  # noqa: E731
    bootstrap_interval([0.1, 0.2, 0.2, 0.2], statistic=statistic, groups=["a", "b", "b", "b"], n=50)
    assert sizes == {(2,), (6,), (1, 3)}


def test_one_face_or_person_has_no_interval():
    assert all(map(math.isnan, bootstrap_interval([0.1])))
    assert all(map(math.isnan, bootstrap_interval([0.1, 0.2], groups=["a", "a"])))


def test_bad_bootstrap_arguments():
    with pytest.raises(ValueError, match=r"groups has shape \(2,\), the errors \(3,\)"):
        bootstrap_interval(ERRORS, groups=[1, 2])
    with pytest.raises(ValueError, match="level is 95"):
        bootstrap_interval(ERRORS, level=95)
    with pytest.raises(ValueError, match="n 0"):
        bootstrap_interval(ERRORS, n=0)
