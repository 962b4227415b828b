"""What every peer gives, and when it cannot."""

from typing import NamedTuple

import numpy as np


class Unavailable(RuntimeError):
    """The peer cannot run here; the message says why."""


class Answers(NamedTuple):
    """A peer's landmarks of some faces.

    Attributes:
        points: `(N, L, 2)` in pixels of each picture, counted from the middle of its first pixel.
        milliseconds: Median time a face took, on one thread.
    """

    points: np.ndarray
    milliseconds: float
