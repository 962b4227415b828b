"""What every peer gives, and the error where it cannot."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np


class Unavailable(RuntimeError):
    """The peer cannot run here; the message says why."""


class Answers(NamedTuple):
    """A peer's landmarks of some faces.

    Attributes:
        points: `(N, L, 2)` in pixels of each picture, counted from the middle of its first pixel.
        milliseconds: Median time of a face on one thread.
    """

    points: np.ndarray
    milliseconds: float


def timed(predict: Callable, *arguments: Iterable) -> tuple[list, float]:
    """Calls a function for one face after the other.

    Args:
        predict: The function.
        arguments: For each of its parameters the values of all faces.

    Returns:
        What it returned for each face, and the median milliseconds of a call.
    """
    results, seconds = [], []
    for face in zip(*arguments, strict=True):
        began = time.perf_counter()
        results.append(predict(*face))
        seconds.append(time.perf_counter() - began)
    return results, 1000 * float(np.median(seconds))
