"""Checks of notebook 03."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import Case, check, judge_truth


def _coordinates(n=40):
    """Random coordinates `pred`, `target` and `teacher`, with borderline cases among them."""
    rng = np.random.default_rng(2)
    pred, target, teacher = rng.uniform(-0.5, 0.5, (3, n))
    pred[:3] = target[:3]  # no error
    teacher[3:6] = target[3:6]  # a perfect teacher
    return pred, target, teacher


@check
def reflect() -> Case:
    """Checks `reflect(pred, target, teacher)`: the teacher, moved to the student's side of the
    truth."""
    p, g, teacher = arguments = _coordinates()
    side, t = np.sign(p - g), np.abs(teacher - g)
    return (
        arguments,
        g + side * t,
        {
            "That is the teacher where it stands, on its own side of the truth; the student's is "
            "meant.": teacher,
            "That is the teacher on the other side, wherever the student is.": 2 * g - teacher,
            "Reflected at the origin; the mirror stands at the truth.": side * np.abs(teacher),
            "The distance from the truth is missing: add it to g.": side * t,
            "Where the student is exactly right there is no side: T′ = g.": (
                g + np.where(p >= g, 1, -1) * t
            ),
            "Where the student is exactly right it is on no side: T′ = g.": (
                g + np.where(p > g, 1, -1) * t
            ),
        },
    )


def _paper(p, g, *teachers, main=2.5, pull=0.9, push=-0.45, ramp=True, beyond=True, border=0.0):
    """KD-Loss of `PAPER` and its derivative, `(2, n)`; or with a mistake in it."""
    e, u, side = p - g, np.abs(p - g), np.sign(p - g)
    far = beyond & (u > 0.5)
    loss = main * np.where(far, u**2 + 0.25, u)
    slope = main * np.where(far, 2 * e, side)
    for teacher in teachers:
        t = np.abs(teacher - g)
        low = ramp & (u < 0.4 * t)
        inside = np.where(low, u / np.where(t, 0.4 * t, 1), 1)
        weight = np.where(u >= t, pull, push * inside)
        loss = loss + weight * np.abs(t - u)
        bend = np.where(low, (t - 2 * u) / np.where(t, 0.4 * t, 1), -1)
        assistance = side * np.where(u > t, pull, push * bend)
        slope = slope + np.where(u == t, border * side, assistance)
    return np.array([loss, slope])


@check
def kd_loss_and_slope() -> Case:
    """Checks `kd_loss_and_slope(pred, target, tough, tolerant)`: KD-Loss of each coordinate with
    the constants of PAPER, and its derivative by `pred`."""
    rng = np.random.default_rng(4)
    p, g, tough, tolerant = arguments = rng.uniform(-0.5, 0.5, (4, 60))
    p[:4] = g[:4]  # no error
    tough[4:8], tolerant[8:12] = g[4:8], g[8:12]  # a perfect teacher
    g[12:16], p[12:16], tough[12:16] = 0, 0.25, [0.25, -0.25, 0.25, -0.25]  # |e| = t
    g[16:24], p[16:24] = -0.4, 0.4  # beyond τ
    right = _paper(p, g, tough, tolerant)
    unramped = right.copy()
    unramped[1] = _paper(p, g, tough, tolerant, ramp=False)[1]
    away = np.abs(tough - p), np.abs(tolerant - p)
    return (
        tuple(arguments),
        right,
        {
            "The slope comes first and the loss second; the other way round is asked for.": (
                right[::-1]
            ),
            "The loss is right, the slope lacks its sign: which way does each term pull?": (
                np.array([right[0], np.abs(right[1])])
            ),
            "α⁻ is negative: where the student is ahead, the teacher pushes it on.": (
                _paper(p, g, tough, tolerant, push=0.45)
            ),
            "There is no ramp: nearer than β·t the weight falls to 0.": (
                _paper(p, g, tough, tolerant, ramp=False)
            ),
            "The ramp changes with p too: the slope there has two parts.": unramped,
            "Where |e| = t the assistive slope is 0.": (_paper(p, g, tough, tolerant, border=0.9)),
            "The main loss has the weight 2.5.": _paper(p, g, tough, tolerant, main=1),
            "The weight 2 is that of the authors' README. Take the one of the figures, 2.5.": (
                _paper(p, g, tough, tolerant, main=2)
            ),
            "Beyond τ = 0.5 the main loss is quadratic.": (
                _paper(p, g, tough, tolerant, beyond=False)
            ),
            "That is the main loss alone.": _paper(p, g),
            "One teacher is missing, the Tolerant one.": _paper(p, g, tough),
            "One teacher is missing, the Tough one.": _paper(p, g, tolerant),
            "Move each teacher to the student's side first: |T′ − p|, not |T − p|.": np.array(
                [
                    2.5 * np.where(np.abs(p - g) > 0.5, (p - g) ** 2 + 0.25, np.abs(p - g))
                    + sum(
                        _weight(np.abs(p - g), np.abs(teacher - g)) * distance
                        for teacher, distance in zip((tough, tolerant), away, strict=True)
                    ),
                    right[1],
                ]
            ),
        },
    )


def _weight(u, t):
    """The weight of one teacher's distance, in `PAPER`."""
    ramp = np.where(u < 0.4 * t, u / np.where(t, 0.4 * t, 1), 1)
    return np.where(u >= t, 0.9, -0.45 * ramp)


@check
def least_assistance() -> Case:
    """Checks `place(t, beta)`: the distance u from the truth at which a teacher's loss is lowest.

    `t` is the teacher's own distance from the truth.
    """
    t, beta = np.array([0.1, 0.2, 0.4, 0.4, 0.3, 0.2]), np.array([0.15, 0.4, 0.5, 0.6, 0.8, 1.0])
    return (
        (t, beta),
        np.minimum(beta, 0.5) * t,
        {
            "Right for β up to ½. In a longer ramp the loss turns round before its end.": beta * t,
            "That is the middle of the teacher's distance; a short ramp ends before.": t / 2,
            "At u = t the loss is 0; it is lower inside.": t,
            "At the truth the loss is 0; it is lower outside.": 0 * t,
            "The ramp's own middle is not its lowest place.": beta * t / 2,
        },
    )


def swapped_teachers(answer: Callable) -> str:
    """Checks `swapped(kd_loss)`: True if a version of `losses.kd_loss` confuses its two teachers.

    The function is given a right version and a wrong one, with the interface of `losses.kd_loss`.
    """
    from kdnotes import losses

    def right(*points, **options):  # the same under another name
        return losses.kd_loss(*points, **options)

    def wrong(pred, target, tough=None, tolerant=None, **options):
        return losses.kd_loss(pred, target, tolerant, tough, **options)

    missed = (
        "It does not notice a wrong one. In PAPER the total is the same; what is not? And is it so "
        "in RELEASED?"
    )
    accuses = "It also accuses the right one. Do you compare with what each teacher gives alone?"
    return judge_truth(answer, {accuses: (right, False), missed: (wrong, True)}, accuses)


@check
def smallest_beta() -> Case:
    """Checks `smallest_beta(main_weight, alpha_negative)`.

    The function returns the smallest β at which the truth is still a minimum of PAPER's loss,
    whatever the two teachers answer.
    """
    weight, alpha = np.array([2.0, 2.5, 3.0, 1.0]), np.array([-0.45, -0.45, -0.3, -0.2])
    return (
        (weight, alpha),
        2 * np.abs(alpha) / weight,
        {
            "There are two teachers.": np.abs(alpha) / weight,
            "α⁻ is negative, β is not.": 2 * alpha / weight,
            "Upside down: a larger main weight allows a smaller β.": weight / (2 * np.abs(alpha)),
            "The main loss holds the truth, the ramps push away: which way does each act?": (
                2 * np.abs(alpha) * weight
            ),
        },
    )
