"""Crops as a network at work sees them: uint8, cut from pictures."""

import numpy as np

from kdnotes import samples, synthetic
from kdnotes.faceset import FaceSet

#: Seed of the rendered people: others than those of the embedded faces.
PEOPLE = 7


def of(faces: FaceSet, config) -> np.ndarray:
    """`(N, size, size, 3)` uint8, the plain crop of every face.

    In its units a face's landmarks are `zoom(faces, config)` times those of the stored crop.

    Args:
        config: Of the network, `models.NetConfig`.
    """
    stored = faces.images[:]
    side = stored.shape[1]
    place = (side - 1) / 2, (side - 1) / 2, side / zoom(faces, config)
    return np.stack([samples.cut(image, place, config.size) for image in stored])


def zoom(faces: FaceSet, config) -> float:
    """How much wider a stored crop is than the network's."""
    return faces.meta["stored_margin"] / config.crop_margin


def rendered(n: int, config) -> np.ndarray:
    """The same for `n` newly rendered people, where there is no face set."""
    side = round(config.size * synthetic.MARGIN / config.crop_margin)
    place = (side - 1) / 2, (side - 1) / 2, side * config.crop_margin / synthetic.MARGIN
    faces = (
        synthetic.render_face(synthetic.PER_SUBJECT * i, side, seed=PEOPLE)[0] for i in range(n)
    )
    return np.stack([samples.cut(image, place, config.size) for image in faces])
