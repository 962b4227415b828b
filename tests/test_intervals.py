"""Intervals over seeds and people: against what is known, and how often they hold the truth."""

import numpy as np
import pytest

from kdnotes import metrics
from kdnotes.metrics import Estimate

#: Spreads in the stored log of YouTube Faces, as shares of the mean error: of seeds, of people, of
#: one person's faces, and of one seed on one face; and those of two arms' difference.
ALONE = {"seed": 0.03, "person": 0.22, "face": 0.30, "rest": 0.20}
BETWEEN = {"seed": 0.05, "person": 0.07, "face": 0.10, "rest": 0.30}
FACES = {36: 446, 554: 554}  # validation faces of YouTube Faces, test faces of 300W


def skewed(rng, spread, shape):
    """Positive factors with mean 1 and this standard deviation, log-normal."""
    variance = np.log1p(spread**2)
    return np.exp(rng.normal(-variance / 2, np.sqrt(variance), shape))


def drawn(rng, n_seeds, people, spreads, times=1):
    """Errors `(S, N)` with mean 1, and who is on the faces; seeds and people differ `times` as
    much."""
    n = FACES[people]
    who = np.arange(n) % people
    errors = skewed(rng, times * spreads["seed"], (n_seeds, 1))
    errors = errors * skewed(rng, times * spreads["person"], people)[who]
    return errors * skewed(rng, spreads["face"], n) * skewed(
        rng, spreads["rest"], (n_seeds, n)
    ), who


def holds(intervals, truth):
    return ((intervals[:, 1] <= truth) & (truth <= intervals[:, 2])).mean()


LONG = [
    pytest.param(people, times, marks=pytest.mark.long)
    for people, times in ((36, 1), (554, 1), (554, 3))
]


@pytest.mark.parametrize("people, times", [(36, 3), *LONG])
@pytest.mark.parametrize("n_seeds", [2, 3, 5, 8])
def test_they_hold_the_truth_as_often_as_they_say(n_seeds, people, times):
    """Of 2,000 experiments; and at most 7 of 100 times an arm is called better that is not."""
    rng, means, gains, helped = np.random.default_rng(n_seeds), [], [], []
    for _ in range(2000):
        reference, who = drawn(rng, n_seeds, people, ALONE, times)
        arm = reference * drawn(rng, n_seeds, people, BETWEEN, times)[0]
        means.append(metrics.mean_interval(reference, who))
        gains.append(metrics.gain_interval(arm, reference, who))
        helped.append(metrics.gain_interval(0.9 * arm, reference, who))
    means, gains, helped = np.array(means), np.array(gains), np.array(helped)
    shares = [holds(means, 1.0), holds(gains, 0.0), holds(helped, 0.1)]
    power, false = (helped[:, 1] > 0).mean(), (gains[:, 1] > 0).mean()
    print(f"{n_seeds} seeds, {people} people, spreads × {times}: held by {shares[0]:.1%} of the "
          f"intervals of means, {shares[1]:.1%} of gains; false “better” {false:.1%}, power for a "
          f"gain of 10 % {power:.0%}")  # fmt: skip
    assert min(shares) >= 0.93
    assert false <= 0.07


@pytest.mark.parametrize("people", FACES)
def test_they_are_not_wide_for_safety(people):
    """Median half width at 8 seeds beside that of somebody who knows all variances."""
    rng = np.random.default_rng(0)
    widths, values = [], []
    for _ in range(2000):
        estimate = metrics.mean_interval(*drawn(rng, 8, people, ALONE))
        widths.append((estimate.high - estimate.low) / 2)
        values.append(estimate.value)
    ratio = np.median(widths) / (1.96 * np.std(values))
    print(f"{people} people: {ratio:.2f} times as wide as with known variances")
    assert ratio < 1.3


def test_with_one_source_of_chance_it_is_students():
    """The interval of a textbook: mean ± t · sd / √n."""
    rng = np.random.default_rng(0)
    seeds = np.repeat(rng.normal(0.1, 0.02, (4, 1)), 6, axis=1)
    mean, low, high = metrics.mean_interval(seeds)
    assert high - mean == pytest.approx(3.182446 * seeds[:, 0].std(ddof=1) / 2)
    faces = rng.normal(0.1, 0.02, 10)
    mean, low, high = metrics.mean_interval(faces)
    assert mean - low == pytest.approx(2.262157 * faces.std(ddof=1) / np.sqrt(10))
    assert metrics.mean_interval(np.repeat(faces, 3), np.arange(30) // 3) == pytest.approx(
        (mean, low, high)
    ), "a person's equal faces are one"
    assert metrics.mean_interval(faces, level=0.5).high < high


def test_people_with_more_faces_count_more():
    errors, who = [0.1, 0.1, 0.1, 0.5], ["a", "a", "a", "b"]
    value, low, high = metrics.mean_interval(errors, who)
    assert value == pytest.approx(0.2) and (low + high) / 2 == pytest.approx(value)


def test_pairing_takes_out_what_both_find_hard():
    """People differ much, the arms by 5 % on every face: alone uncertain, together certain."""
    errors, who = drawn(np.random.default_rng(0), 3, 36, ALONE)
    assert metrics.gain_interval(0.95 * errors, errors, who) == pytest.approx((0.05,) * 3)
    alone = metrics.mean_interval(errors, who)
    assert alone.high - alone.low > 0.05
    assert metrics.gain_interval(errors, errors, who) == (0, 0, 0)
    assert metrics.gain_interval(1.1 * errors, errors, who).value == pytest.approx(-0.1)


def test_a_gain_and_its_opposite_say_the_same():
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0.03, 0.1, (2, 5, 40))
    gain, loss = metrics.gain_interval(a, b), metrics.gain_interval(b, a)
    assert 1 / (1 - gain.low) == pytest.approx(1 - loss.high)


def test_what_makes_no_sense_is_refused():
    assert np.isnan(metrics.mean_interval([0.1, 0.2], ["a", "a"])[1:]).all()
    assert np.isnan(metrics.mean_interval([0.1])[1:]).all()
    value, low, high = metrics.mean_interval([0.1, np.inf])
    assert value == np.inf and np.isnan([low, high]).all()
    with pytest.raises(ValueError, match=r"3 people, one for each face, found \(2,\)"):
        metrics.mean_interval([0.1, 0.2, 0.3], ["a", "b"])
    with pytest.raises(ValueError, match="error 1 is nan"):
        metrics.mean_interval([0.1, np.nan])
    with pytest.raises(ValueError, match="one shape"):
        metrics.gain_interval([[0.1, 0.2]], [[0.1, 0.2], [0.1, 0.2]])
    with pytest.raises(ValueError, match="positive"):
        metrics.gain_interval([0.1, 0.2], [-0.1, 0.1])
    with pytest.raises(ValueError, match="level is 95"):
        metrics.mean_interval([0.1, 0.2], level=95)
    assert str(Estimate(0.05, 0.04, 0.063)) == "5.00% (4.00% to 6.30%)"
