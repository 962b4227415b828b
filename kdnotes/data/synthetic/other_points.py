"""Points of the rendered heads that no face scheme has: hairline and ears.

They are another idea of a face, for whoever wants to label something of their own.
"""

import numpy as np

from kdnotes.data.crops import STORED_MARGIN
from kdnotes.data.schemes import Scheme
from kdnotes.data.synthetic.camera import Frame
from kdnotes.data.synthetic.hair import hairline
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.landmarks import all_schemes
from kdnotes.data.synthetic.meshes import ear

#: Radians from the face's middle line at which the hairline is looked at.
ANGLES = np.radians([-42.0, 0.0, 42.0])
#: Radians around an ear's middle: its top, the rim behind, the lobe.
AROUND = np.radians([90.0, 0.0, 270.0])

HAIRLINE_AND_EARS = Scheme(
    9,
    flip=(2, 1, 0, 6, 7, 8, 3, 4, 5),
    groups={"hairline": (0, 1, 2), "ears": (3, 4, 5, 6, 7, 8)},
    edges=((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8)),
    names=(
        "hairline left", "hairline middle", "hairline right",
        "left ear top", "left ear back", "left ear lobe",
        "right ear top", "right ear back", "right ear lobe",
    ),
)  # fmt: skip


def hairline_and_ears(index: int, seed: int = 0) -> np.ndarray:
    """Where hairline and ears are in the picture that `synthetic.render_face` renders.

    Args:
        index, seed: As in `render_face`.

    Returns:
        `(9, 2)` float32 in units of the picture, in the order of `HAIRLINE_AND_EARS`. Hair, a hand
        or the head itself may hide them.
    """
    from kdnotes.data.synthetic import shown

    person, shot = shown(index, seed)
    head, camera = Head(person.identity, shot.expression), shot.camera
    front = head.surface(hairline(person, ANGLES), ANGLES, relief=False)
    ears = [ear(head, side, np.ones(3), AROUND) for side in (-1, 1)]
    frame = Frame.around(all_schemes(head, camera)[68], STORED_MARGIN)
    return frame.units(camera.project(np.concatenate([front, *ears]))).astype(np.float32)
