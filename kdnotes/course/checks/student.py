"""Checks of notebook 04."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import judge


def inverse_time(answer: Callable) -> str:
    """Of `rate(step, peak, decay)`: what Keras's `decay` makes of the learning rate."""
    step, peak, decay = np.array([0, 1, 50, 1000, 6750]), 1e-1, 1e-2
    return judge(
        answer,
        (step, peak, decay),
        peak / (1 + decay * step),
        {
            "That falls by the same share in every step: exponential.": peak * (1 - decay) ** step,
            "Exponential too; here the peak is divided by a number that grows.": peak
            * np.exp(-decay * step),
            "A line; it would become negative one day.": peak * (1 - decay * step),
            "The first step (number 0) has the full rate.": peak / (1 + decay * (step + 1)),
            "It rises.": peak * (1 + decay * step),
            "The peak is missing.": 1 / (1 + decay * step),
        },
    )


def running_average(answer: Callable) -> str:
    """Of `average(values, decay)`: the running average after each of the values (n,).

    It starts at the first value; each further one takes a share of 1 − decay.
    """
    values, decay = np.random.default_rng(4).normal(size=9), 0.8

    def path(start, old, new, first=1):
        found = [start]
        for value in values[first:]:
            found.append(old * found[-1] + new * value)
        return np.array(found[1 - first :] if first == 0 else found)

    return judge(
        answer,
        (values, decay),
        path(values[0], decay, 1 - decay),
        {
            "`decay` is the share that is kept, not the share of the new value.": path(
                values[0], 1 - decay, decay
            ),
            "It starts at the first value, not at zero.": path(0.0, decay, 1 - decay, first=0),
            "The shares of old and new must sum to 1.": path(values[0], decay, 1.0),
            "That is the average of all values so far, each with the same weight.": (
                np.cumsum(values) / np.arange(1, len(values) + 1)
            ),
            "Those are the values themselves.": values,
        },
    )


def stored_answers(answer: Callable) -> str:
    """Of `look_up(stored, known, rows, epoch)`: the teachers' answers for a batch of faces.

    `stored` is (N, K, T, L, 2); `known` (N,) holds the rows of the face set that it is about, in
    its order; `rows` (B,) are those of the batch. In epoch e the student sees view e mod K.
    """
    rng = np.random.default_rng(5)
    stored, epoch = rng.normal(size=(6, 4, 2, 3, 2)), 6
    known, rows = np.array([9, 2, 5, 0, 3, 7]), np.array([3, 2, 5])
    at = np.array([np.flatnonzero(known == row)[0] for row in rows])
    return judge(
        answer,
        (stored, known, rows, epoch),
        stored[at, epoch % 4],
        {
            "The view is right, the faces are not: a row of the face set is not a position in "
            "the store.": stored[rows, epoch % 4],
            "The faces are right, the view is not: after K epochs the views come again.": (
                stored[at, min(epoch, 3)]
            ),
            "The faces are right, the view is not: epochs count from 0.": stored[
                at, (epoch - 1) % 4
            ],
            "The right faces in the order of the store, not in that of the batch.": stored[
                np.isin(known, rows), epoch % 4
            ],
            "Those are answers for the view of the first epoch.": stored[at, 0],
            "Those are places in a sorted list; the store has the order of `known`.": stored[
                np.searchsorted(np.sort(known), rows), epoch % 4
            ],
        },
    )
