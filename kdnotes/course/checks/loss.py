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


def _released(
    p, g, *teachers, main=2.0, slope=3.0, pull=(1.9, 1.8), push=(-0.45, -0.4), ramp=False, tau=None,
    start=None, perfect=0.0,
):  # fmt: skip
    """KD-Loss of `RELEASED` and its derivative, `(2, n)`; or with a mistake in it."""
    u, side = np.abs(p - g), np.sign(p - g)
    tau = np.abs(teachers[-1] - g) if tau is None else tau
    start = slope if start is None else start  # of the parabola, in units of τ
    loss = main * np.where(u > tau, u**2 + start * tau - tau**2, slope * u)
    grad = main * side * np.where(u > tau, 2 * u, slope)
    for teacher, positive, negative in zip(teachers, pull, push, strict=False):
        t = np.abs(teacher - g)
        low, end = u < 0.15 * t, np.where(t > 0, 0.15 * t, 1)
        weight = np.where(u >= t, positive, negative)
        loss = loss + np.where(low, ramp * negative * u / end, weight) * np.abs(t - u) * np.where(
            t > 0, 1, perfect
        )
        bend = np.where(
            low, ramp * negative * (t - 2 * u) / end, np.where(u > t, positive, -negative)
        )
        grad = grad + side * np.where(u == t, 0, bend) * np.where(t > 0, 1, perfect)
    return np.array([loss, grad])


@check
def released_loss_and_slope() -> Case:
    """Checks `released(pred, target, tough, tolerant)`: KD-Loss of each coordinate with the
    constants of RELEASED, and its derivative by `pred`."""
    rng = np.random.default_rng(4)
    p, g, tough, tolerant = arguments = rng.uniform(-0.5, 0.5, (4, 60))
    p[:4] = g[:4]  # no error
    tough[4:8], tolerant[8:12] = g[4:8], g[8:12]  # a perfect teacher
    g[12:16], p[12:16], tough[12:16] = 0, 0.25, [0.25, -0.25, 0.25, -0.25]  # |e| = t
    p[16:20] = g[16:20] + 0.1 * (tough[16:20] - g[16:20])  # let go by the Tough teacher
    right = _released(p, g, tough, tolerant)
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
            "That is a ramp. In the released code the weight in R_L is 0.": (
                _released(p, g, tough, tolerant, ramp=True)
            ),
            "A perfect teacher, t = 0, gives nothing at all in the released code.": (
                _released(p, g, tough, tolerant, perfect=1.0)
            ),
            "α⁻ is negative: where the student is ahead, the teacher pushes it on.": (
                _released(p, g, tough, tolerant, push=(0.45, 0.4))
            ),
            "The two teachers have constants of their own; yours have changed places.": (
                _released(p, g, tough, tolerant, pull=(1.8, 1.9), push=(-0.4, -0.45))
            ),
            "The Tolerant teacher has constants of its own.": (
                _released(p, g, tough, tolerant, pull=(1.9, 1.9), push=(-0.45, -0.45))
            ),
            "The main loss has the weight 2.": _released(p, g, tough, tolerant, main=1.0),
            "The weight 2.5 is that of the paper's figures; the code has another.": (
                _released(p, g, tough, tolerant, main=2.5)
            ),
            "τ is the distance of a teacher, not 0.5.": _released(p, g, tough, tolerant, tau=0.5),
            "τ is the Tolerant teacher's distance, not the Tough one's.": (
                _released(p, g, tough, tolerant, tau=np.abs(tough - g))
            ),
            "Up to τ the main loss is 3|e|.": _released(p, g, tough, tolerant, slope=1.0),
            "The parabola begins where the line ends, at 3τ.": (
                _released(p, g, tough, tolerant, start=1.0)
            ),
        },
    )


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
