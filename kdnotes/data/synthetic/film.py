"""A film of one rendered person before a standing camera: moving, turning, talking, leaving.

For testing and showing what follows a face: where the face is, is known in every frame.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kdnotes.data.synthetic.appearance import Shot, draw_person, draw_shot, simplified
from kdnotes.data.synthetic.camera import Frame
from kdnotes.data.synthetic.scene import render
from kdnotes.data.synthetic.smooth import smoothstep

#: Millimetres that the image width shows, and where the head would be in its middle.
WIDTH, MIDDLE = 520.0, np.array([0.0, 45.0])

#: From which to which share of the film the person is away, stepping out and in included.
AWAY = 0.60, 0.90


class Still(NamedTuple):
    """One frame.

    Attributes:
        image: `(H, W, 3)` uint8.
        points: `(68, 2)` float64, in pixels counted from the middle of the first one.
        here: Whether all points are in the picture.
    """

    image: np.ndarray
    points: np.ndarray
    here: bool


def render_film(n: int, width: int = 640, height: int = 480, subject: int = 0) -> Iterator[Still]:
    """The frames of a film that begins where it ends.

    Args:
        n: Number of frames.
        width, height: Of the picture in pixels; the width is at least the height.
        subject: Another number gives another person in another place.

    Yields:
        One frame after the other.
    """
    rng = np.random.default_rng(subject)
    person = draw_person(rng)
    shot = simplified(draw_shot(rng, person), ("camera", "light"))
    shot = replace(shot, occluder="none", detail=2.0 * width)
    cut = (width - height) // 2
    for i in range(n):
        moved, frame = _moment(shot, i / n)
        image, landmarks, _ = render(person, moved, width, np.random.default_rng(i), frame)
        points = (landmarks[68] + 0.5) * width - 0.5 - [0, cut]
        here = bool(((points > 0) & (points < [width - 1, height - 1])).all())
        yield Still(np.ascontiguousarray(image[cut : cut + height]), points, here)


def _moment(shot: Shot, t: float) -> tuple[Shot, Frame]:
    """Pose, expression and place at the share `t` of the film."""
    wave = np.sin(2 * np.pi * (np.array([1, 2, 3, 5]) * t + np.array([0.0, 0.2, 0.5, 0.8])))
    start, end = AWAY
    out = smoothstep(t, start, start + 0.1) * (1 - smoothstep(t, end - 0.1, end))
    camera = replace(
        shot.camera,
        yaw=28 * wave[0] + 12 * wave[2], pitch=8 * wave[1] - 2, roll=7 * wave[2], distance=900.0,
    )  # fmt: skip
    blink = float(np.exp(-(((t * 6) % 1 - 0.5) ** 2) / 0.002))
    face = replace(
        shot.expression,
        jaw=6 + 6 * wave[3], smile=0.4 + 0.4 * wave[1], lids=(blink, blink), pucker=0.0,
    )  # fmt: skip
    place = np.array([90 * wave[1] * (1 - out) + 480 * out, 25 * wave[2]])
    frame = Frame(MIDDLE - place, WIDTH * (1.0 - 0.18 * wave[0]))
    return replace(shot, camera=camera, expression=face), frame
