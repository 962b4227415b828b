"""Checks of notebook 04."""

import numpy as np

from kdnotes.course.checks.judge import Case, check


@check
def inverse_time() -> Case:
    """Checks `rate(step, peak, decay)`: the learning rate under the `decay` of Keras."""
    step, peak, decay = np.array([0, 1, 50, 1000, 6750]), 1e-1, 1e-2
    return (
        (step, peak, decay),
        peak / (1 + decay * step),
        {
            "That falls by the same share in every step: exponential.": peak * (1 - decay) ** step,
            "Exponential too; here the peak is divided by a number that grows.": (
                peak * np.exp(-decay * step)
            ),
            "A line; it would become negative one day.": peak * (1 - decay * step),
            "The first step (number 0) has the full rate.": peak / (1 + decay * (step + 1)),
            "It rises.": peak * (1 + decay * step),
            "The peak is missing.": 1 / (1 + decay * step),
        },
    )


@check
def running_average() -> Case:
    """Checks `average(values, decay)`: the running average after each of the values (n,).

    It starts at the first value; each further one takes a share of 1 − decay.
    """
    values, decay = np.random.default_rng(4).normal(size=9), 0.8

    def averages(start, old, new, values=values[1:]):
        averages = [start]
        for value in values:
            averages.append(old * averages[-1] + new * value)
        return np.array(averages)

    return (
        (values, decay),
        averages(values[0], decay, 1 - decay),
        {
            "`decay` is the share that is kept, not the share of the new value.": averages(
                values[0], 1 - decay, decay
            ),
            "It starts at the first value, not at zero.": averages(0, decay, 1 - decay, values)[1:],
            "The shares of old and new must sum to 1.": averages(values[0], decay, 1),
            "That is the average of all values so far, each with the same weight.": (
                np.cumsum(values) / np.arange(1, len(values) + 1)
            ),
            "Those are the values themselves.": values,
        },
    )


@check
def stored_answers() -> Case:
    """Checks `look_up(stored, known, rows, epoch)`: the teachers' answers for a batch of faces.

    `stored` (N, K, T, L, 2) are the stored answers; `known` (N,) says which row of the face set
    each of them belongs to; `rows` (B,) are the rows of the batch. In epoch e the student sees
    view e mod K.
    """
    rng = np.random.default_rng(5)
    stored, epoch = rng.normal(size=(6, 4, 2, 3, 2)), 6
    known, rows = np.array([9, 2, 5, 0, 3, 7]), np.array([3, 2, 5])
    at = np.array([np.flatnonzero(known == row)[0] for row in rows])
    return (
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
