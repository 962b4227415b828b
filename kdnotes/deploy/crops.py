"""Crops for a network in use: uint8, cut from pictures."""

import numpy as np

from kdnotes.data import synthetic
from kdnotes.data.crops import STORED_MARGIN, cut
from kdnotes.data.faceset import FaceSet

#: Seed of the rendered people, who differ from those of the embedded faces.
PEOPLE = 7


def plain_crops(faces: FaceSet, config) -> np.ndarray:
    """The plain crop of every face, neither moved nor recoloured.

    In the units of these crops, landmarks are `faces.zoom(config.crop_margin)` times those of the
    stored crops.

    Args:
        faces: N faces.
        config: That of the network, a `models.NetConfig`.

    Returns:
        `(N, size, size, 3)` uint8.
    """
    zoom = faces.zoom(config.crop_margin)
    return np.stack([_centre_crop(image, zoom, config.size) for image in faces.images[:]])


def rendered_crops(n: int, config) -> np.ndarray:
    """Plain crops of `n` newly rendered people, for use without a face set."""
    zoom = STORED_MARGIN / config.crop_margin
    side, each = round(config.size * zoom), synthetic.PER_SUBJECT
    faces = [synthetic.render_face(each * i, side, seed=PEOPLE)[0] for i in range(n)]
    return np.stack([_centre_crop(image, zoom, config.size) for image in faces])


def _centre_crop(image, zoom, size):
    """The centre of a stored crop, `1 / zoom` of its side, resampled to `size` pixels."""
    side = len(image)
    return cut(image, ((side - 1) / 2, (side - 1) / 2, side / zoom), size)
