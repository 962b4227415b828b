"""Intervals over seeds and people: against draws by hand, and against what is known."""

import numpy as np
import pytest

from kdnotes import metrics
from kdnotes.metrics import Draws, Estimate


def made(seeds, people, faces, *, seed_sd=0.0, person_sd=0.0, face_sd=0.01, rng=0):
    """Errors (S, N) with a known spread of each kind, and who is on the faces."""
    rng = np.random.default_rng(rng)
    who = np.repeat(np.arange(people), faces)
    errors = 0.10 + face_sd * rng.normal(size=(seeds, people * faces))
    errors += seed_sd * rng.normal(size=(seeds, 1)) + person_sd * rng.normal(size=people)[who]
    return errors, who


def test_means_are_those_of_the_faces_drawn():
    """A draw by hand: seeds and people repeated as often as they were drawn."""
    errors, who = made(3, 4, 1)
    who = np.array([0, 1, 1, 2, 2, 2])
    errors = np.random.default_rng(1).uniform(0.05, 0.2, (3, 6))
    draws = Draws(3, who, n=20)
    found = draws.means(errors)
    for i in range(20):
        rows = np.repeat(np.arange(3), draws._seeds[i])
        faces = np.concatenate(
            [np.flatnonzero(who == p) for p in np.repeat(np.arange(3), draws._people[i])]
        )
        assert found[i] == pytest.approx(errors[np.ix_(rows, faces)].mean())


@pytest.mark.parametrize("kind, n", [("seed_sd", 40), ("person_sd", 40)])
def test_interval_has_the_width_of_what_varies(kind, n):
    """With one source of chance the standard error is known: sd / √n, here 0.02 / √40."""
    sizes = {"seed_sd": (n, 30, 2), "person_sd": (2, n, 3)}[kind]
    errors, who = made(*sizes, **{kind: 0.02}, face_sd=1e-4)
    estimate = Draws(sizes[0], who).mean(errors)
    spread = errors.mean(axis=1).std() if kind == "seed_sd" else None
    if spread is None:
        spread = np.array([errors[:, who == p].mean() for p in range(n)]).std()
    expected = 2 * 1.96 * spread / np.sqrt(n)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.1)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.value == pytest.approx(errors.mean())


def test_one_seed_is_the_bootstrap_over_people():
    errors, who = made(1, 30, 4, person_sd=0.02)
    ours = Draws(1, who, n=20_000).mean(errors)
    low, high = metrics.bootstrap_interval(errors[0], groups=who, n=20_000)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=3e-4)


def test_pairing_takes_out_what_both_find_hard():
    """People differ much, the arms by 5 % on every face: alone uncertain, together certain."""
    errors, who = made(3, 20, 5, seed_sd=0.005, person_sd=0.03)
    draws = Draws(3, who)
    gain = draws.gain(0.95 * errors, errors)
    assert gain == pytest.approx((0.05, 0.05, 0.05), abs=1e-9)
    alone = draws.mean(errors)
    assert alone.high - alone.low > 0.05 * alone.value
    assert draws.gain(errors, errors) == (0, 0, 0)
    assert draws.gain(1.1 * errors, errors).value == pytest.approx(-0.1)


def test_coverage_is_about_what_it_says():
    """200 experiments with the same truth: 95 % intervals hold it in about 95 of 100."""
    held = 0
    for i in range(200):
        errors, who = made(8, 40, 2, seed_sd=0.01, person_sd=0.02, rng=i)
        low, high = Draws(8, who, n=400, seed=i).mean(errors)[1:]
        held += low <= 0.10 <= high
    assert 0.86 < held / 200 < 0.99


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="needs two of them, found 1"):
        Draws(2, ["a", "a"])
    draws = Draws(2, ["a", "b", "b"])
    with pytest.raises(ValueError, match=r"\(2, 3\), found \(3, 2\)"):
        draws.mean(np.ones((3, 2)))
    with pytest.raises(ValueError, match="finite"):
        draws.mean(np.full((2, 3), np.nan))
    assert str(Estimate(0.05, 0.04, 0.063)) == "5.00% (4.00% to 6.30%)"
