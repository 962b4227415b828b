"""Checks of the exercises: each tries your function on numbers of its own.

A wrong answer is told what kind of wrong it is, where that can be seen, and never the right answer.
A check returns a sentence; `print(checks.mirror(my_function))` is how a notebook uses it.
"""

from collections.abc import Callable, Mapping

import numpy as np

from kdnotes.schemes import SCHEMES

RIGHT = "Right."


def _judge(answer: Callable, arguments: tuple, right: np.ndarray, wrong: Mapping) -> str:
    """What is to be said of `answer(*arguments)`.

    Args:
        answer: The reader's function.
        arguments: What it is tried on.
        right: What it should give.
        wrong: Sentence to what a known mistake gives.
    """
    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    copies = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
    try:
        found = answer(*copies)
    except Exception as error:  # whatever a reader's function may do
        return f"Your function stopped with {type(error).__name__}: {error}"
    if any(not np.array_equal(a, b) for a, b in zip(copies, arguments, strict=True)):
        return "Your function changes its arguments; work on a copy."
    try:
        found = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return f"Expected numbers, found {type(found).__name__}. Does your function return them?"
    if found.shape != np.shape(right):
        return f"Expected the shape {np.shape(right)}, found {found.shape}."
    if not np.isfinite(found).all():
        return "Some of your numbers are not finite."
    if np.allclose(found, right, atol=1e-6):
        return RIGHT
    for sentence, mistake in wrong.items():
        if np.allclose(found, mistake, atol=1e-6):
            return sentence
    share = np.isclose(found, right, atol=1e-6).mean()
    return f"Not yet: {share:.0%} of the numbers are right."


def unit(answer: Callable) -> str:
    """Of `unit(i, W)`: the middle of pixel i in picture units."""
    i, width = np.array([0, 3, 7, 12]), 13
    right = (i + 0.5) / width - 0.5
    return _judge(
        answer,
        (i, width),
        right,
        {
            "You use the pixel's left border; its middle is meant.": i / width - 0.5,
            "The first and the last pixel have their middles inside the picture, not on its "
            "border.": i / (width - 1) - 0.5,
            "The origin is the picture's middle; yours is its left border.": right + 0.5,
            "The unit is the whole width; you use half of it.": 2 * right,
        },
    )


def mirror(answer: Callable) -> str:
    """Of `mirror(points, flip)`: the landmarks (L, 2) of the mirror image."""
    rng = np.random.default_rng(0)
    points, flip = rng.uniform(-0.4, 0.4, (68, 2)), np.array(SCHEMES[68].flip)
    moved = points * [-1, 1]
    return _judge(
        answer,
        (points, flip),
        moved[flip],
        {
            "Moved, but the points still carry their old numbers.": moved,
            "Renumbered, but not moved.": points[flip],
            "The mirror turns left and right round, not up and down.": (points * [1, -1])[flip],
            "Not up and down as well: only x changes its sign.": -points[flip],
            "1 − x is for an origin at the border; here it is in the middle.": (
                points * [-1, 1] + [1, 0]
            )[flip],
        },
    )


def soften(answer: Callable) -> str:
    """Of `soften(x, mean, P, variance)`: the soft shape (2L,) of one shape x."""
    rng = np.random.default_rng(1)
    P = np.linalg.qr(rng.normal(size=(10, 3)))[0].T  # (3, 10)
    mean, variance = rng.normal(size=10), np.array([0.5, 0.05, 0.002])
    x = mean + rng.normal(size=10)
    b = P @ (x - mean)
    limit = 3 * np.sqrt(variance)
    return _judge(
        answer,
        (x, mean, P, variance),
        mean + np.clip(b, -limit, limit) @ P,
        {
            "The coefficients are not clamped.": mean + b @ P,
            "The limit is three standard deviations; you used three variances.": mean
            + np.clip(b, -3 * variance, 3 * variance) @ P,
            "The limit is three standard deviations; you used one.": mean
            + np.clip(b, -limit / 3, limit / 3) @ P,
            "The mean was not taken off before the shape was described.": mean
            + np.clip(P @ x, -limit, limit) @ P,
            "The mean is missing at the end.": np.clip(b, -limit, limit) @ P,
            "Coefficients beyond the limit become the limit, not zero.": mean
            + np.where(np.abs(b) > limit, 0, b) @ P,
            "That is the shape itself; describe it by the k coefficients.": x,
        },
    )


def _coordinates(n=40):
    """pred, target and teacher of random coordinates, some on every border."""
    rng = np.random.default_rng(2)
    pred, target, teacher = rng.uniform(-0.5, 0.5, (3, n))
    pred[:3] = target[:3]  # no error
    teacher[3:6] = target[3:6]  # a perfect teacher
    return pred, target, teacher


def reflect(answer: Callable) -> str:
    """Of `reflect(pred, target, teacher)`: the teacher seen on the student's side of the truth."""
    p, g, teacher = arguments = _coordinates()
    side, t = np.sign(p - g), np.abs(teacher - g)
    return _judge(
        answer,
        arguments,
        g + side * t,
        {
            "That is the teacher where it stands.": teacher,
            "That is the teacher on the other side, wherever the student is.": 2 * g - teacher,
            "The student's side of the truth is meant, not the teacher's.": g
            + np.sign(teacher - g) * t,
            "Reflected at the origin; the mirror stands at the truth.": side * np.abs(teacher),
            "The distance from the truth is missing: add it to g.": side * t,
            "Where the student is exactly right there is no side: T′ = g.": g
            + np.where(p >= g, 1, -1) * t,
        },
    )


def least_assistance(answer: Callable) -> str:
    """Of `place(t, beta)`: the distance u from the truth at which one teacher's loss is least."""
    t, beta = np.array([0.1, 0.2, 0.4, 0.4, 0.3, 0.2]), np.array([0.15, 0.4, 0.5, 0.6, 0.8, 1.0])
    return _judge(
        answer,
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
    """Of `swapped(kd_loss)`: True if a version of `losses.kd_loss` confuses its two teachers.

    It is given a right one and a wrong one, with the interface of `losses.kd_loss`.
    """
    from kdnotes import losses

    def wrong(pred, target, tough=None, tolerant=None, **more):
        return losses.kd_loss(pred, target, tolerant, tough, **more)

    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    try:
        said = [answer(losses.kd_loss), answer(wrong)]
    except Exception as error:  # whatever a reader's function may do
        return f"Your function stopped with {type(error).__name__}: {error}"
    if any(not isinstance(word, bool | np.bool_) for word in said):
        return f"Expected True or False, found {said[0]!r} and {said[1]!r}."
    if said == [False, True]:
        return RIGHT
    if said == [True, False]:
        return "The other way round: True means that the teachers are confused."
    if said == [False, False]:
        return (
            "It does not notice a wrong one. In PAPER the total is the same; what is not? And is "
            "it so in RELEASED?"
        )
    return "It also accuses the right one. Do you compare with what each teacher gives alone?"


def smallest_beta(answer: Callable) -> str:
    """Of `smallest_beta(main_weight, alpha_negative)`: the least β at which the truth is still a
    minimum of PAPER's loss, whatever the two teachers."""
    weight, alpha = np.array([2.0, 2.5, 3.0, 1.0]), np.array([-0.45, -0.45, -0.3, -0.2])
    return _judge(
        answer,
        (weight, alpha),
        2 * np.abs(alpha) / weight,
        {
            "There are two teachers.": np.abs(alpha) / weight,
            "α⁻ is negative, β is not.": 2 * alpha / weight,
            "Upside down: a larger main weight allows a smaller β.": weight / (2 * np.abs(alpha)),
            "Compare slopes at the truth: w against 2·|α⁻|/β.": 2 * np.abs(alpha) * weight,
        },
    )
