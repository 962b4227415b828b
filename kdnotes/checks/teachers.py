"""Checks of notebook 02."""

from collections.abc import Callable

import numpy as np

from kdnotes.checks.judge import judge, judge_truth


def soft_classes(answer: Callable) -> str:
    """Of `soft_classes(z, T)`: probabilities (B, K) of logits (B, K) at the temperature T."""
    z, T = 3 * np.random.default_rng(3).normal(size=(6, 10)), 4.0

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    return judge(
        answer,
        (z, T),
        softmax(z / T),
        {
            "That is the usual softmax: the temperature is missing.": softmax(z),
            "A high temperature must flatten; yours sharpens.": softmax(z * T),
            "Divide the logits by T, not the probabilities.": softmax(z) / T,
            "The bars of each picture must sum to 1; yours sum to 1 over all pictures.": np.exp(
                z / T
            )
            / np.exp(z / T).sum(),
            "The sum runs over the classes of a picture, not over the pictures of a class.": (
                softmax((z / T).T).T
            ),
            "Not yet normalised.": np.exp(z / T),
            "Those are logarithms of probabilities.": np.log(softmax(z / T)),
        },
    )


def is_frozen(answer: Callable) -> str:
    """Of `is_frozen(net)`: True if nothing in a teacher can change while it teaches."""
    import torch
    from torch import nn

    from kdnotes import models

    def teacher():
        return models.freeze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)))

    with torch.random.fork_rng():
        learns, drifts, partly, half, drops = (teacher() for _ in range(5))
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
            "It misses a teacher of which one parameter alone asks for a gradient.": (half, False),
        }
        return judge_truth(answer, cases, "It takes every teacher for frozen.")
