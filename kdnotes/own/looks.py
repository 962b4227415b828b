"""What a network sees in a picture when it looks several times, each time a little beside."""

from typing import NamedTuple

import numpy as np

from kdnotes.data import crops
from kdnotes.deploy.predict import Box, Reader

#: How far looks stray from the plain crop: shares of its side, across, down and in size.
STRAY = 0.03


class Seen(NamedTuple):
    """What several looks at a picture gave.

    Attributes:
        points: `(L, 2)` their mean, pixels.
        spread: `(L,)` how far they lie apart: the root of the mean squared distance from the mean,
            in units of the box √(w·h) of the points, or of the crop where that is 0.
    """

    points: np.ndarray
    spread: np.ndarray


def look_around(net: Reader, image: np.ndarray, box: Box | None = None, n: int = 6) -> Seen:
    """Landmarks of a picture as the mean of several looks, and how far these lie apart.

    Where looks disagree, the network is unsure: the picture is worth labelling by hand.

    Args:
        net: The network.
        image: `(H, W, 3)` uint8.
        box: As `predict` takes it; None: the whole picture.
        n: Number of looks.
    """
    around = crops.picture_box(image) if box is None else box
    x, y, side = crops.square_around(around, net.config.crop_margin)
    offsets = np.random.default_rng(0).uniform(-STRAY, STRAY, (n, 3))
    offsets[0] = 0
    cx, cy, sides = (np.array([x, y, side]) + offsets * side).T
    seen = [crops.cut(image, crop, net.config.size) for crop in zip(cx, cy, sides, strict=True)]
    centres = np.stack([cx, cy], axis=-1)[:, None]
    looks = centres + sides[:, None, None] * net.read(np.stack(seen))
    points = looks.mean(axis=0)
    squared = ((looks - points) ** 2).sum(axis=-1).mean(axis=0)
    _, _, width, height = crops.landmarks_box(points)
    return Seen(points, np.sqrt(squared / (width * height or side**2)))
