"""Crops as a network at work sees them: uint8, cut from pictures."""

import numpy as np

from kdnotes.data import synthetic
from kdnotes.data.crops import STORED_MARGIN, cut
from kdnotes.data.faceset import FaceSet

#: Seed of the rendered people: others than those of the embedded faces.
PEOPLE = 7


def plain_crops(faces: FaceSet, config) -> np.ndarray:
    """`(N, size, size, 3)` uint8, the plain crop of every face.

    In its units a face's landmarks are `faces.zoom(config.crop_margin)` times those of the stored
    crop.

    Args:
        config: Of the network, `models.NetConfig`.
    """
    zoom = faces.zoom(config.crop_margin)
    return np.stack([_middle(image, zoom, config.size) for image in faces.images[:]])


def rendered_crops(n: int, config) -> np.ndarray:
    """The same for `n` newly rendered people, where there is no face set."""
    zoom = STORED_MARGIN / config.crop_margin
    side, each = round(config.size * zoom), synthetic.PER_SUBJECT
    faces = [synthetic.render_face(each * i, side, seed=PEOPLE)[0] for i in range(n)]
    return np.stack([_middle(image, zoom, config.size) for image in faces])


def _middle(image, zoom, size):
    """The middle of a stored crop, `zoom` times smaller than it, resampled to `size` pixels."""
    side = len(image)
    return cut(image, ((side - 1) / 2, (side - 1) / 2, side / zoom), size)
