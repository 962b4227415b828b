"""Landmarks of the three schemes: places on the curves of a `Head`, seen by a `Camera`."""

import numpy as np

from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Head

LEFT, RIGHT = -1, 1
#: Height at which the contour starts, in front of the ear (millimetres below the eyes).
EAR_Y = 6.0


def _eye(head: Head, side: int, places: list[float]) -> np.ndarray:
    """Upper lid from outer to inner corner, then the lower lid back, at `places` on each."""
    upper = head.eye(side, np.array([0.0, *places, 1.0]), "upper")
    lower = head.eye(side, np.array(places[::-1]), "lower")
    return np.concatenate([np.stack(upper, -1), np.stack(lower, -1)])


def _brow_line(head: Head, side: int) -> np.ndarray:
    """The five points of a 68-point brow, from the outer end."""
    return np.stack(head.brow(side, np.linspace(0.0, 0.95, 5)), -1)


def _brow_ring(head: Head, side: int) -> np.ndarray:
    """The nine points of a 98-point brow: outer end, upper edge inwards, lower edge back."""
    t = np.linspace(0.0, 0.95, 5)
    upper = np.stack(head.brow(side, t, np.where(t > 0, -1.0, 0.0)), -1)
    lower = np.stack(head.brow(side, t[:0:-1], 1.0), -1)
    return np.concatenate([upper, lower])


def _nose(head: Head) -> np.ndarray:
    """Four points down the ridge and five along the base."""
    one = head.identity
    ridge = np.stack([np.zeros(4), np.linspace(-1.0, one.nose_tip_y, 4)], -1)
    x = one.nose_width * np.array([-0.78, -0.40, 0.0, 0.40, 0.78])
    y = head.nose_base_y + np.array([-1.5, 0.3, 1.5, 0.3, -1.5])
    return np.concatenate([ridge, np.stack([x, y], -1)])


def _mouth(head: Head) -> np.ndarray:
    """Twelve points of the outer and eight of the inner edge."""
    outer = np.array([-1.0, -0.62, -0.25, 0.0, 0.25, 0.62, 1.0])
    below = np.array([0.59, 0.27, 0.0, -0.27, -0.59])
    inner = np.array([-0.86, -0.35, 0.0, 0.35, 0.86])
    lines = [
        head.mouth(outer, "upper"),
        head.mouth(below, "lower"),
        head.mouth(inner, "top"),
        head.mouth(inner[-2:0:-1], "low"),
    ]
    return np.concatenate([np.stack(line, -1) for line in lines])


def contour(head: Head, camera: Camera) -> np.ndarray:
    """`(33, 3)` points of the face's outline from ear to ear, in head coordinates.

    As annotators do, a point stays at its height and moves along the surface to the outline that
    the camera sees, but never further back than the jaw line in front of the ear.
    """
    table = head.slices
    part = table[table[:, 0] > EAR_Y]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(part[:, :2], axis=0).T))])
    y = np.interp(np.linspace(0.0, along[-1], 17), along, part[:, 0])
    angle = np.radians(np.linspace(40.0, 92.0, 27))
    across = camera.across()
    half = head.surface(y[:, None], angle)  # (17, 27, 3), image-right
    sides = []
    for side in (LEFT, RIGHT):
        choices = half * [side, 1, 1]
        best = np.argmax(side * (camera.project(choices)[..., :2] @ across), axis=1)
        sides.append(choices[np.arange(17), best])
    return np.concatenate([sides[0], sides[1][-2::-1]])


def all_schemes(head: Head, camera: Camera) -> dict[int, np.ndarray]:
    """Landmarks of every scheme in camera coordinates.

    Returns:
        `{29: (29, 3), 68: (68, 3), 98: (98, 3)}`: x, y on the image plane and depth, millimetres.
    """
    nose, mouth = _nose(head), _mouth(head)
    pupils = np.array([head.pupil(side) for side in (LEFT, RIGHT)])
    line = [_brow_line(head, side) for side in (LEFT, RIGHT)]
    ring = [_brow_ring(head, side) for side in (LEFT, RIGHT)]
    six = [_eye(head, side, [1 / 3, 2 / 3]) for side in (LEFT, RIGHT)]
    eight = [_eye(head, side, [1 / 4, 1 / 2, 3 / 4]) for side in (LEFT, RIGHT)]
    # Image-right parts are numbered from the face's middle, hence their other order.
    few = [line[0], line[1][::-1], nose, six[0], six[1][[3, 2, 1, 0, 5, 4]], mouth]
    many = [ring[0], ring[1][[4, 3, 2, 1, 0, 8, 7, 6, 5]], nose,
            eight[0], eight[1][[4, 3, 2, 1, 0, 7, 6, 5]], mouth, pupils]  # fmt: skip
    x, y = np.concatenate([*few, *many]).T
    inner = head.front(x, y)

    outline = contour(head, camera)
    points = {68: np.vstack([outline[::2], inner[:51]]), 98: np.vstack([outline, inner[51:]])}
    points[29] = points[98][FROM_98]
    return {n: camera.project(points[n]) for n in (29, 68, 98)}


#: Each of the 29 points is one of the 98.
FROM_98 = np.array([
    33, 46, 37, 42, 35, 40, 44, 48,  # brows: outer ends, inner ends, then upper and lower middles
    60, 72, 64, 68, 62, 66, 70, 74, 96, 97,  # eyes: outer, inner corners, lids, pupils
    55, 59, 54, 57,  # nose: wings, tip, base
    76, 82, 79, 85, 90, 94, 16,  # mouth: corners, outer edges, inner edges; chin
])  # fmt: skip
