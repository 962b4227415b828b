"""Checks of notebook 05."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import judge


def failures_and_area(answer: Callable) -> str:
    """Of `scores(errors, threshold)`: failure rate and exact AUC of errors (N,), both as shares."""
    errors, threshold = np.array([0.01, 0.03, 0.05, 0.08, 0.081, 0.4]), 0.08
    failed, inside = (errors > threshold).mean(), np.clip(1 - errors / threshold, 0, None)
    below = (errors <= threshold).mean()
    return judge(
        answer,
        (errors, threshold),
        np.array([failed, inside.mean()]),
        {
            "An error of exactly the threshold is no failure.": np.array(
                [(errors >= threshold).mean(), inside.mean()]
            ),
            "The area is right, the first number is the share that did not fail.": np.array(
                [below, inside.mean()]
            ),
            "A share below the threshold is no area: how far below it counts.": np.array(
                [failed, below]
            ),
            "A failure adds nothing to the area, and takes nothing from it.": np.array(
                [failed, (1 - errors / threshold).mean()]
            ),
            "All faces are in the mean, those that failed too.": np.array(
                [failed, inside[errors <= threshold].mean()]
            ),
            "The area of a box that is `threshold` wide; divide by it, so that the best is 1.": (
                np.array([failed, threshold * inside.mean()])
            ),
            "The other way round: first the failure rate.": np.array([inside.mean(), failed]),
        },
    )


def landmark_errors(answer: Callable) -> str:
    """Of `errors(pred, target, eyes)`: the mean error (L,) of each landmark.

    `pred` and `target` (N, L, 2); `eyes` (N,) is the distance by which each face is divided.
    """
    rng = np.random.default_rng(12)
    pred, target = rng.uniform(-0.4, 0.4, (2, 6, 5, 2))
    eyes = rng.uniform(0.2, 0.6, 6)
    apart = np.linalg.norm(pred - target, axis=2)  # (N, L)
    return judge(
        answer,
        (pred, target, eyes),
        (apart / eyes[:, None]).mean(axis=0),
        {
            "Not yet divided by the eyes.": apart.mean(axis=0),
            "Each face by its own eyes before the mean over faces.": apart.mean(axis=0)
            / eyes.mean(),
            "First the distances, then the mean: errors to opposite sides must not cancel.": (
                np.linalg.norm(((pred - target) / eyes[:, None, None]).mean(axis=0), axis=1)
            ),
            "That is the largest error of each landmark, not its mean.": (
                apart / eyes[:, None]
            ).max(axis=0),
            "Multiplied where it should be divided.": (apart * eyes[:, None]).mean(axis=0),
        },
    )


def unshifted(answer: Callable) -> str:
    """Of `unshift(pred, known_pred, known_target)`: predictions (N, L, 2) without constant shift.

    The shift (2,) is the mean of `known_pred − known_target` (M, L, 2) over faces and landmarks.
    """
    rng = np.random.default_rng(13)
    pred, known_pred, known_target = rng.normal(size=(3, 4, 5, 2))
    known_pred += [0.3, -0.2]
    shift = (known_pred - known_target).mean(axis=(0, 1))
    return judge(
        answer,
        (pred, known_pred, known_target),
        pred - shift,
        {
            "To the wrong side: you doubled the shift.": pred + shift,
            "One vector for all landmarks; yours has one for each.": pred
            - (known_pred - known_target).mean(axis=0),
            "One vector; yours has the same number for x and y.": pred
            - (known_pred - known_target).mean(),
            "`pred` and `known_target` are of different faces: fit on the known ones.": pred
            - (pred - known_target).mean(axis=(0, 1)),
            "That is the known faces without their shift; `pred` was asked for.": known_pred
            - shift,
            "Take the shift off, not the mean of the predictions.": pred
            - known_pred.mean(axis=(0, 1)),
        },
    )


def median_differences(answer: Callable) -> str:
    """Of `differences(first, second, people, drawn)`: median of `first` minus that of `second`, for
    each draw (D,).

    `first` and `second` (N,) are errors of two networks on the same faces, `people` (N,) numbers
    the person on each face, `drawn` (D, G) says who is in each draw, some more than once.
    """
    rng = np.random.default_rng(14)
    first, second = rng.gamma(2.0, 0.05, (2, 9))
    people, drawn = np.array([0, 1, 1, 1, 2, 2, 3, 1, 3]), rng.integers(4, size=(5, 4))
    drawn[:, 1] = drawn[:, 0]  # somebody comes twice in every draw

    def of(difference):
        picked = [np.concatenate([np.flatnonzero(people == p) for p in who]) for who in drawn]
        return np.array([difference(faces) for faces in picked])

    def once(who):
        return np.median(first[np.isin(people, who)]) - np.median(second[np.isin(people, who)])

    right = of(lambda at: np.median(first[at]) - np.median(second[at]))
    return judge(
        answer,
        (first, second, people, drawn),
        right,
        {
            "The other sign: the second network's median is taken off.": -right,
            "Difference of medians, not median of differences.": of(
                lambda at: np.median(first[at] - second[at])
            ),
            "That is the difference of the means.": of(lambda at: (first[at] - second[at]).mean()),
            "Who was drawn twice counts twice.": np.array([once(who) for who in drawn]),
            "The numbers of people are not those of faces: a person comes with all faces.": (
                np.array([np.median(first[who]) - np.median(second[who]) for who in drawn])
            ),
            "The second median is over all faces; take it over the same draw.": np.array(
                of(lambda at: np.median(first[at])) - np.median(second)
            ),
        },
    )
