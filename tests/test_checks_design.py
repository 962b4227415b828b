"""Checks of exercises whose answers are simulations or networks, not arrays."""

import numpy as np
import pytest
import torch
from scipy import stats

from kdnotes.course import checks
from kdnotes.course.checks import design, slim


def power(gain, seed_sd, person_sd, n_seeds, n_people, *, t=True, people=True, seeds=True, mean=1):
    rng, n = np.random.default_rng(5), 4000
    parts = rng.normal(gain, seed_sd, (n, n_seeds)), rng.normal(0, person_sd, (n, n_people))
    square = 0.0
    for means, counted in zip(parts, (seeds, people), strict=True):
        count = means.shape[1]
        quantile = stats.t.ppf(0.975, count - 1) if t else 1.96
        square += counted * quantile**2 * means.var(axis=1, ddof=1) / (count if mean else 1)
    low = parts[0].mean(axis=1) + parts[1].mean(axis=1) - np.sqrt(square)
    return (low > 0).mean()


def fewest(*design, power=power, wanted=0.8):
    *spreads, n_people = design
    return next((s for s in range(2, 41) if power(*spreads, s, n_people) >= wanted), 0)


def test_the_fast_simulation_is_that_of_the_intervals():
    for case in design.designs():
        assert design.power_of(case) == pytest.approx(design.simulated(case), abs=0.04)


@pytest.mark.parametrize("kind", [float, np.float32, torch.tensor, lambda x: [x]])
def test_a_right_power_passes(kind):
    assert checks.power(lambda *case: kind(power(*case))) == checks.RIGHT


@pytest.mark.parametrize(
    "how, said",
    [
        ({"t": False}, "1.96 is too small"),
        ({"people": False}, "people's part"),
        ({"seeds": False}, "seeds' part"),
        ({"mean": False}, "divide each variance"),
    ],
)
def test_a_mistake_in_the_power_is_explained(how, said):
    assert said in checks.power(lambda *case: power(*case, **how))


def test_other_answers_on_power_are_refused():
    assert "missed" in checks.power(lambda *case: 1 - power(*case))
    assert "per cent" in checks.power(lambda *case: 100 * power(*case))
    assert "contains the true gain" in checks.power(lambda *case: 0.95)
    assert "found 0.50, expected about" in checks.power(lambda *case: 0.5)
    assert "gives nothing" in checks.power(lambda *case: None)
    assert "not finite" in checks.power(lambda *case: np.nan)
    assert "one number" in checks.power(lambda *case: [0.1, 0.2])
    assert "Expected a number" in checks.power(lambda *case: "half")
    assert "ZeroDivisionError" in checks.power(lambda *case: 1 / 0)
    assert "itself" in checks.power(0.8)


def test_the_fewest_seeds():
    assert checks.fewest_seeds(fewest) == checks.RIGHT
    normal = checks.fewest_seeds(lambda *d: fewest(*d, power=lambda *c: power(*c, t=False)))
    assert "80 % were asked for" in normal and "Student's t" in normal
    assert "one fewer" in checks.fewest_seeds(lambda *d: fewest(*d, wanted=0.95))
    assert "people are the limit" in checks.fewest_seeds(lambda *d: fewest(*d) or 40)
    assert "whole number" in checks.fewest_seeds(lambda *d: 4.5)
    assert "gives nothing" in checks.fewest_seeds(lambda *d: None)
    assert "itself" in checks.fewest_seeds(4)


def cut_down(net, crops=None):
    """A third of the work, and nothing done about it."""
    for stage, block in ((2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2), (5, 1), (5, 2)):
        net.backbone.blocks[stage][block] = torch.nn.Identity()
    return net


def one_block_less(net, crops):
    net.backbone.blocks[4][2] = torch.nn.Identity()
    return net


def fails(*_):
    raise RuntimeError("why not")


@pytest.mark.parametrize(
    "answer, said",
    [
        (lambda net, crops: net, "as many multiply-adds as before"),
        (lambda net, crops: net.half().float(), "Fewer bits"),
        (cut_down, "expected at most 15%"),
        (one_block_less, "expected 30%"),
        (lambda net, crops: net.train(), "training mode"),
        (lambda net, crops: None, "gives nothing"),
        (lambda net, crops: 3, "Expected a network"),
        (lambda net, crops: net.backbone, "Expected landmarks (32, 68, 2)"),
        (lambda net, crops: lambda images: net(images) * np.nan, "not finite"),
        (lambda net, crops: fails, "Your network stopped with RuntimeError"),
        (fails, "Your function stopped with RuntimeError"),
        (torch.nn.Identity(), "itself"),
    ],
)
def test_a_network_that_is_not_lighter_or_not_right_is_told_why(answer, said, monkeypatch):
    fewer_faces(monkeypatch)
    assert said in checks.lighter(answer)


def fewer_faces(monkeypatch):
    """The exercise's solution has all of them; here the faces are rendered once and few."""
    if not hasattr(fewer_faces, "faces"):
        monkeypatch.setattr(slim, "GIVEN", 2)
        fewer_faces.faces = slim._faces.__wrapped__()
    monkeypatch.setattr(slim, "_faces", lambda: fewer_faces.faces)
