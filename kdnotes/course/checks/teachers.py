"""Checks of notebook 02."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import Case, check, judge_truth


@check
def soft_classes() -> Case:
    """Checks `soft_classes(z, T)`: probabilities (B, K) of logits (B, K) at the temperature T."""
    z, T = 3 * np.random.default_rng(3).normal(size=(6, 10)), 4.0

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    return (
        (z, T),
        softmax(z / T),
        {
            "That is the usual softmax: the temperature is missing.": softmax(z),
            "A high temperature must flatten; yours sharpens.": softmax(z * T),
            "Divide the logits by T, not the probabilities.": softmax(z) / T,
            "The bars of each image must sum to 1; yours sum to 1 over all images.": (
                np.exp(z / T) / np.exp(z / T).sum()
            ),
            "The sum runs over the classes of an image, not over the images of a class.": (
                softmax((z / T).T).T
            ),
            "Not yet normalised.": np.exp(z / T),
            "Those are logarithms of probabilities.": np.log(softmax(z / T)),
        },
    )


@check
def memorised() -> Case:
    """Checks `memorised(errors, people, trained)`: how much lower the error is on known people.

    `errors` (N,) are a network's errors on N faces, `people` (N,) number the person on each, and
    `trained` (M,) are the people of the faces that it was trained on. The result is the share by
    which its mean error is lower on faces of these people than on faces of others.
    """
    people = np.array([5, 2, 8, 2, 9, 1, 8, 5, 9, 9, 3])
    errors = np.array([0.03, 0.07, 0.05, 0.04, 0.09, 0.02, 0.03, 0.06, 0.05, 0.11, 0.02])
    trained = np.array([8, 1, 5, 3, 7])
    known = np.isin(people, trained)
    seen, others = errors[known].mean(), errors[~known].mean()

    def by_person(chosen):
        return np.mean([errors[people == person].mean() for person in np.unique(people[chosen])])

    return (
        (errors, people, trained),
        1 - seen / others,
        {
            "Known people against others: yours is the other way round.": 1 - others / seen,
            "That is the ratio of the two errors: by what share is the first one lower?": (
                seen / others
            ),
            "Lower is positive.": seen / others - 1,
            "A difference of errors depends on how hard the faces are: divide it.": others - seen,
            "Compare with the faces of other people, not with all faces.": 1 - seen / errors.mean(),
            "Every face counts alike; yours takes a mean for each person first.": (
                1 - by_person(known) / by_person(~known)
            ),
            "Mean errors are compared, not medians.": (
                1 - np.median(errors[known]) / np.median(errors[~known])
            ),
            "Means, not sums: there are not as many faces of known people as of others.": (
                1 - errors[known].sum() / errors[~known].sum()
            ),
        },
    )


@check
def hinton_loss() -> Case:
    """Checks `loss(z, z_teacher, labels, T, share)`: Hinton's loss, one number.

    `z` and `z_teacher` (B, K) are logits of student and teacher, `labels` (B,) are classes. With
    q = softmax(z_teacher / T) and p = softmax(z / T), the loss is the mean over the images of
    share·T²·Σₖ qₖ log(qₖ / pₖ) + (1 − share)·(−log softmax(z)[label]).
    """
    rng = np.random.default_rng(15)
    z, z_teacher = 2 * rng.normal(size=(2, 5, 4))
    labels, T, share = rng.integers(4, size=5), 3.0, 0.7

    def log_softmax(x):
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))

    q, p = log_softmax(z_teacher / T), log_softmax(z / T)
    soft = (np.exp(q) * (q - p)).sum(axis=1)
    swapped = (np.exp(p) * (p - q)).sum(axis=1)
    entropy = -(np.exp(q) * p).sum(axis=1)
    hard, warm = (-log_softmax(x)[np.arange(5), labels] for x in (z, z / T))

    def whole(soft=soft, hard=hard, factor=T**2, share=share):
        return (share * factor * soft + (1 - share) * hard).mean()

    return (
        (z, z_teacher, labels, T, share),
        whole(),
        {
            "T² is missing: without it soft gradients shrink as T grows.": whole(factor=1),
            "T², not T.": whole(factor=T),
            "The teacher's probabilities weight the logarithm, not the student's.": whole(swapped),
            "The two shares are the wrong way round.": whole(share=1 - share),
            "Labels are compared at the temperature 1.": whole(hard=warm),
            "That is the cross-entropy: the formula has log(q / p), so Σ q·log q is missing.": (
                whole(entropy)
            ),
            "A mean over the images, not a sum.": 5 * whole(),
            "Summed over classes and then divided by the images; yours is a mean over both.": (
                whole(soft / 4)
            ),
            "The part of the labels is missing.": share * T**2 * soft.mean(),
            "The part of the teacher is missing.": (1 - share) * hard.mean(),
            "A label's loss is minus the logarithm.": whole(hard=-hard),
        },
    )


def is_frozen(answer: Callable) -> str:
    """Checks `is_frozen(net)`: True if nothing in a teacher can change while it teaches."""
    import torch
    from torch import nn

    from kdnotes import models

    def teacher():
        return models.freeze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)))

    with torch.random.fork_rng(devices=[]):
        learns, drifts, partly, half, drops = (teacher() for _ in range(5))
        inner = models.freeze(nn.Sequential(teacher(), nn.Flatten()))
        inner[0][1].train()
        learns.requires_grad_(True)
        drifts.train()
        partly[1].train()
        drops[2].train()
        half[0].bias.requires_grad_(True)
        cases = {
            "It says of a frozen teacher that it is not.": (teacher(), True),
            "It misses a teacher whose weights still ask for a gradient.": (learns, False),
            "It misses a teacher in training mode. What does batch norm do there, without any "
            "gradient?": (drifts, False),
            "It misses a teacher of which one layer alone is in training mode: `net.training` "
            "speaks of the outermost module only.": (partly, False),
            "It misses a teacher whose dropout is alive.": (drops, False),
            "It misses a layer in training mode inside of another layer.": (inner, False),
            "It misses a teacher of which one parameter alone asks for a gradient.": (half, False),
        }
        return judge_truth(answer, cases, "It takes every teacher for frozen.")
