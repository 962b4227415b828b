"""Checks of notebook 05."""

import numpy as np

from kdnotes.course.checks.judge import Case, check


def faces_of(who: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Positions of the faces of drawn people.

    Args:
        who: Numbers of the people; the faces of those who were drawn twice are there twice.
        people: `(N,)`, the person on each face.
    """
    return np.concatenate([np.flatnonzero(people == person) for person in who])


@check
def failures_and_area() -> Case:
    """Checks `scores(errors, threshold)`: failure rate and exact AUC of errors (N,).

    Both are shares, from 0 to 1.
    """
    errors, threshold = np.array([0.01, 0.03, 0.05, 0.08, 0.081, 0.4]), 0.08
    failed, inside = (errors > threshold).mean(), np.clip(1 - errors / threshold, 0, None)
    below, area = (errors <= threshold).mean(), inside.mean()
    return (
        (errors, threshold),
        [failed, area],
        {
            "An error of exactly the threshold is no failure.": [
                (errors >= threshold).mean(), area
            ],
            "The area is right, the first number is the share that did not fail.": [below, area],
            "A share below the threshold is no area: how far below it counts.": [failed, below],
            "A failure adds nothing to the area, and takes nothing from it.": [
                failed, (1 - errors / threshold).mean()
            ],
            "All faces are in the mean, those that failed too.": [
                failed, inside[errors <= threshold].mean()
            ],
            "The area of a box that is `threshold` wide; divide by it, so that the best is 1.": [
                failed, threshold * area
            ],
            "The other way round: first the failure rate.": [area, failed],
        },
    )  # fmt: skip


@check
def landmark_errors() -> Case:
    """Checks `errors(pred, target, eyes)`: the mean error (L,) of each landmark.

    `pred` and `target` are (N, L, 2); the errors of each face are divided by its `eyes` (N,).
    """
    rng = np.random.default_rng(12)
    pred, target = rng.uniform(-0.4, 0.4, (2, 6, 5, 2))
    eyes = rng.uniform(0.2, 0.6, 6)
    apart = np.linalg.norm(pred - target, axis=2)  # (N, L)
    return (
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


@check
def unshifted() -> Case:
    """Checks `unshift(pred, known_pred, known_target)`: predictions without a constant shift.

    `pred` is (N, L, 2). The shift (2,) is the mean of `known_pred − known_target` (M, L, 2) over
    faces and landmarks.
    """
    rng = np.random.default_rng(13)
    pred, known_pred, known_target = rng.normal(size=(3, 4, 5, 2))
    known_pred += [0.3, -0.2]
    off = known_pred - known_target
    shift = off.mean(axis=(0, 1))
    return (
        (pred, known_pred, known_target),
        pred - shift,
        {
            "To the wrong side: you doubled the shift.": pred + shift,
            "One vector for all landmarks; yours has one for each.": pred - off.mean(axis=0),
            "One vector; yours has the same number for x and y.": pred - off.mean(),
            "`pred` and `known_target` are of different faces: fit on the known ones.": pred
            - (pred - known_target).mean(axis=(0, 1)),
            "That is the known faces without their shift; `pred` was asked for.": known_pred
            - shift,
            "Take the shift off, not the mean of the predictions.": pred
            - known_pred.mean(axis=(0, 1)),
        },
    )


@check
def median_differences() -> Case:
    """Checks `differences(first, second, people, drawn)`: differences of medians, (D,).

    For each draw it is the median of `first` minus that of `second`. `first` and `second` (N,) are
    errors of two networks on the same faces; `people` (N,) number the person on each face; `drawn`
    (D, G) says who is in each draw, some people more than once.
    """
    rng = np.random.default_rng(14)
    first, second = rng.gamma(2.0, 0.05, (2, 9))
    people, drawn = np.array([0, 1, 1, 1, 2, 2, 3, 1, 3]), rng.integers(4, size=(5, 4))
    drawn[:, 1] = drawn[:, 0]  # somebody comes twice in every draw

    def each(difference, faces_of=faces_of):
        """`difference` of the faces of every draw."""
        return np.array([difference(faces_of(who, people)) for who in drawn])

    def of_medians(faces):
        return np.median(first[faces]) - np.median(second[faces])

    right = each(of_medians)
    return (
        (first, second, people, drawn),
        right,
        {
            "The other sign: the second network's median is taken off.": -right,
            "Difference of medians, not median of differences.": each(
                lambda faces: np.median(first[faces] - second[faces])
            ),
            "That is the difference of the means.": each(
                lambda faces: (first[faces] - second[faces]).mean()
            ),
            "Who was drawn twice counts twice.": each(
                of_medians, lambda who, people: np.isin(people, who)
            ),
            "The numbers of people are not those of faces: a person comes with all faces.": each(
                of_medians, lambda who, people: who
            ),
            "The second median is over all faces; take it over the same draw.": each(
                lambda faces: np.median(first[faces]) - np.median(second)
            ),
        },
    )
