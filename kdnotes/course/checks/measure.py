"""Checks of notebook 05."""

import numpy as np

from kdnotes import metrics
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


@check
def corrected_comparison() -> Case:
    """Checks `compare(validation, test, eyes, boxes, people)`: [gain, low, high].

    Two networks were measured after each of E epochs, the new one first. `validation` (2, E) are
    their mean errors on validation faces. `test` (2, E, N) are errors of test faces in crop widths;
    `eyes` and `boxes` (N,) are two distances that they may be divided by, `people` (N,) numbers the
    person on each face. The gain of the new network and its paired interval over people are asked
    for, at the epoch of each network that is best on validation faces, by the eyes.
    """
    rng = np.random.default_rng(15)
    people = np.repeat(np.arange(12), 6)
    hard = rng.gamma(4.0, 0.01, 12)[people] + rng.gamma(4.0, 0.004, people.size)
    slope = np.array([1.5, 1.3, 1.2, 1.0, 1.1])[:, None] * np.array([0.93, 1.0])[:, None, None]
    test = hard * slope * rng.gamma(30.0, 1 / 30, (2, 5, people.size))
    eyes = rng.uniform(0.25, 0.4, 12)[people] * rng.uniform(0.8, 1.2, people.size)
    boxes = 2.1 * eyes * rng.uniform(0.9, 1.1, people.size)
    validation = rng.uniform(0.09, 0.1, (2, 5))
    validation[0, 1] = validation[1, 2] = 0.08  # on test faces another epoch is best

    def result(epochs=None, by=(eyes, eyes), who=people, paired=True):
        best = validation.argmin(axis=1) if epochs is None else epochs
        new, old = (errors[e] / d for errors, e, d in zip(test, best, by, strict=True))
        gain = metrics.gain_interval(new, old, who)
        if paired:
            return np.array(gain)
        half = 1.96 * np.sqrt(sum(x.var(ddof=1) / x.size for x in (new, old))) / old.mean()
        return np.array([gain[0], gain[0] - half, gain[0] + half])

    on_test = test.mean(axis=2).argmin(axis=1)
    right = result()
    return (
        (validation, test, eyes, boxes, people),
        right,
        {
            "The new network's errors are still divided by the box.": result(by=(boxes, eyes)),
            "Both are divided by the box, and `validation` by the eyes: one unit for all.": (
                result(by=(boxes, boxes))
            ),
            "Nothing is divided: errors in crop widths count large faces more.": result(
                by=(np.ones_like(eyes),) * 2
            ),
            "The epochs are still those that are best on the test faces.": result(on_test),
            "The last epoch; take the one that is best on validation faces.": result([-1, -1]),
            "Each network has its own best epoch.": result([validation.mean(axis=0).argmin()] * 2),
            "The gain is right. The interval still counts faces as if they were not paired.": (
                result(paired=False)
            ),
            "The interval is paired, but it counts faces; count people.": result(who=None),
            "The other way round: the gain of the new network over the old one.": -right,
            "Two faults are left: the normaliser and the epoch.": result(on_test, by=(boxes, eyes)),
            "Two faults are left: the normaliser and the interval.": result(
                by=(boxes, eyes), paired=False
            ),
            "Two faults are left: the epoch and the interval.": result(on_test, paired=False),
            "That is the published comparison, with its three faults.": result(
                on_test, by=(boxes, eyes), paired=False
            ),
        },
    )
