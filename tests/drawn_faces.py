"""Faces drawn with a few shapes: quick, and with landmarks that a small network can learn."""

import numpy as np
from PIL import Image, ImageDraw

#: Side of a drawn picture in pixels.
DRAWN = 120


def arc(centre, radii, start, stop, n):
    """`n` points of an ellipse from angle `start` to `stop` (degrees, 90 is down)."""
    angle = np.radians(np.linspace(start, stop, n))
    return np.array(centre) + np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radii


def face_68(rng_person, rng):
    """68 landmarks of an invented face around the origin, about 2 wide; x right, y down."""
    wide, gap, mouth = rng_person.uniform((0.85, 0.36, 0.25), (1.05, 0.46, 0.4))
    smile, lids = rng.uniform((-0.06, 0.05), (0.06, 0.12))
    eye = [0, 1, 2, 3, 4, 5]
    left = arc((-gap, -0.3), (0.18, lids), 180, 540, 7)[eye]
    right = arc((gap, -0.3), (0.18, lids), 180, 540, 7)[eye]
    points = np.concatenate(
        [
            arc((0, -0.1), (wide, 1.2), 170, 10, 17),
            arc((-gap, -0.45), (0.28, 0.16), 200, 340, 5),
            arc((gap, -0.45), (0.28, 0.16), 200, 340, 5),
            np.stack([np.zeros(4), np.linspace(-0.25, 0.12, 4)], axis=-1),
            arc((0, 0.12), (0.2, 0.1), 170, 10, 5),
            left,
            right,
            arc((0, 0.55 + smile), (mouth, 0.16), 180, 510, 12),
            arc((0, 0.55 + smile), (0.7 * mouth, 0.07), 180, 495, 8),
        ]
    )
    angle, scale = np.radians(rng.uniform(-35, 35)), DRAWN * rng.uniform(0.17, 0.22)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return scale * points @ turn + DRAWN / 2 + rng.uniform(-5, 5, 2)


def draw_face(person, number):
    """A drawn face: picture `(DRAWN, DRAWN, 3)` uint8 and landmarks `(68, 2)` in its pixels."""
    rng_person, rng = np.random.default_rng([1, person]), np.random.default_rng([2, person, number])
    points = face_68(rng_person, rng)
    skin = rng_person.integers((150, 110, 90), (240, 190, 170))
    picture = Image.new("RGB", (DRAWN, DRAWN), tuple(rng.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(picture)

    def polygon(rows, colour):
        draw.polygon([tuple(point) for point in points[rows].tolist()], fill=colour)

    forehead = np.concatenate([np.arange(17), np.arange(26, 16, -1)])
    polygon(forehead, tuple(skin.tolist()))
    for rows in (np.arange(17, 22), np.arange(22, 27)):
        draw.line([tuple(p) for p in points[rows].tolist()], fill=(40, 25, 20), width=4)
    polygon(np.arange(36, 42), (250, 250, 250))
    polygon(np.arange(42, 48), (250, 250, 250))
    for rows in (np.arange(36, 42), np.arange(42, 48)):
        x, y = points[rows].mean(axis=0)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(20, 20, 30))
    polygon([27, 31, 35], tuple((skin * 0.8).astype(int).tolist()))
    polygon(np.arange(48, 60), (170, 40, 50))
    polygon(np.arange(60, 68), (90, 10, 20))
    return np.asarray(picture), points
