"""Answer checks: right answers pass, known mistakes are explained, nothing else slips through."""

import numpy as np
import pytest

from kdnotes import asm, checks
from kdnotes.schemes import SCHEMES


def right_soften(x, mean, P, variance):
    limit = 3 * np.sqrt(variance)
    return mean + np.clip(P @ (x - mean), -limit, limit) @ P


RIGHT = {
    checks.unit: lambda i, W: (i + 0.5) / W - 0.5,
    checks.mirror: lambda points, flip: (points * [-1, 1])[flip],
    checks.soften: right_soften,
}
WRONG = [
    (checks.unit, lambda i, W: i / W - 0.5, "left border"),
    (checks.unit, lambda i, W: i / (W - 1) - 0.5, "first and the last"),
    (checks.unit, lambda i, W: (i + 0.5) / W, "origin"),
    (checks.unit, lambda i, W: (2 * i + 1) / W - 1, "half of it"),
    (checks.mirror, lambda points, flip: points * [-1, 1], "old numbers"),
    (checks.mirror, lambda points, flip: points[flip], "not moved"),
    (checks.mirror, lambda points, flip: (points * [1, -1])[flip], "up and down"),
    (checks.mirror, lambda points, flip: -points[flip], "only x"),
    (checks.mirror, lambda points, flip: ([1, 0] + points * [-1, 1])[flip], "border"),
    (checks.soften, lambda x, m, P, v: m + P @ (x - m) @ P, "not clamped"),
    (checks.soften, lambda x, m, P, v: m + np.clip(P @ (x - m), -3 * v, 3 * v) @ P, "variances"),
    (checks.soften, lambda x, m, P, v: right_soften(x, 0 * m, P, v) + m, "not taken off"),
    (checks.soften, lambda x, m, P, v: right_soften(x, m, P, v) - m, "missing at the end"),
    (checks.soften, lambda x, m, P, v: x, "the shape itself"),
]


@pytest.mark.parametrize("check", RIGHT)
def test_right_answers_pass(check):
    assert check(RIGHT[check]) == checks.RIGHT


@pytest.mark.parametrize("check, answer, part", WRONG)
def test_known_mistakes_are_explained(check, answer, part):
    found = check(answer)
    assert part in found and found != checks.RIGHT


@pytest.mark.parametrize("check", RIGHT)
def test_anything_else_is_refused(check):
    good = RIGHT[check]

    def one_wrong(*args):
        found = np.array(good(*args))
        found.flat[-1] += 1e-3
        return found

    assert "of the numbers are right" in check(one_wrong)
    assert "not finite" in check(lambda *args: good(*args) * np.nan)
    assert "shape" in check(lambda *args: good(*args)[:-1])
    assert "Expected" in check(lambda *args: None)
    assert "Expected numbers" in check(lambda *args: "half")
    assert "ZeroDivisionError" in check(lambda *args: 1 / 0)
    assert "TypeError" in check(lambda: 0)
    assert "itself" in check(np.zeros(3))

    def changes(*args):
        args[0][:] = 0
        return good(*args)

    assert "changes its arguments" in check(changes)


def test_the_package_gives_the_right_answers():
    assert checks.mirror(lambda p, flip: asm.mirror(p, SCHEMES[68])) == checks.RIGHT
