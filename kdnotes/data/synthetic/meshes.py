"""The pieces of surface that the picture is made of: head, ears, neck and shoulders.

Each piece is a `Patch`, a grid of points in space that the camera has already turned.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.smooth import box_blur, smoothstep, spline


class Kind(IntEnum):
    """Which paint a surface gets."""

    HEAD = 0
    EAR = 1
    NECK = 2
    BODY = 3
    HAIR = 4
    CAP = 5
    SCARF = 6
    MASK = 7
    LENS = 8
    FRAME = 9
    HAND = 10
    OBJECT = 11


@dataclass(frozen=True)
class Patch:
    """A grid of surface points.

    Attributes:
        kind: Which paint it gets.
        points: `(R, C, 3)` turned positions, millimetres.
        local: `(R, C, 3)` coordinates that the paint uses: for skin the head coordinates.
        open_sky: `(R, C)` how much ambient light arrives, 0 to 1.
    """

    kind: Kind
    points: np.ndarray
    local: np.ndarray
    open_sky: np.ndarray

    def normals(self) -> np.ndarray:
        """`(R, C, 3)` unit vectors at right angles to the surface."""
        xd, yd, zd = np.gradient(self.points, axis=0).transpose(2, 0, 1)
        xr, yr, zr = np.gradient(self.points, axis=1).transpose(2, 0, 1)
        normal = np.stack([yr * zd - zr * yd, zr * xd - xr * zd, xr * yd - yr * xd], axis=-1)
        length = np.sqrt((normal * normal).sum(axis=-1, keepdims=True))
        return normal / np.maximum(length, 1e-12)


def head_patch(head: Head, camera: Camera) -> Patch:
    """The head from crown to chin; hollows receive less ambient light."""
    level, end = head.slices[:, 0], head.chin_y
    chin = end - 9.0 * (1.0 - np.linspace(0.0, 1.0, 10) ** 0.5)
    y = np.concatenate([level[:200:12], np.linspace(level[200], end - 9.0, 50)[:-1], chin])
    sides = np.arange(112.5, 180.0, 12.5)
    angle = np.radians(np.concatenate([-sides[::-1], np.linspace(-100.0, 100.0, 67), sides]))
    local = head.surface(y[:, None], angle)
    bare = head.surface(y[:, None], angle, relief=False)
    hills = local[..., 2] - bare[..., 2]
    hollow = box_blur(hills, 4, 3) - hills
    sky = np.clip(
        1.0 - 0.075 * np.maximum(hollow, 0.0) + 0.012 * np.minimum(-hollow, 8.0), 0.3, 1.1
    )
    sky = sky * (1.0 - 0.45 * smoothstep(y, head.chin_y - 8.0, head.chin_y + 1.0))[:, None]
    return Patch(Kind.HEAD, camera.turn(local), local, sky)


def ear_patches(head: Head, camera: Camera) -> list[Patch]:
    """Two bowls beside the head."""
    r, phi = np.linspace(0.0, 1.0, 8)[:, None], np.linspace(0.0, 2 * np.pi, 25)
    patches = []
    for side in (-1, 1):
        width, centre = head.profile(14.0)[:2]
        middle = np.array([side * (width + 1.5), 14.0, centre - 14.0])
        tall = 30.0 + 3.0 * np.sin(phi)
        back, up = r * 17.0 * np.cos(phi), r * -tall * np.sin(phi)
        out = 5.0 * r**3 + 0.42 * back + 3.0 - 4.0 * np.sin(np.pi * r) ** 2
        xyz = np.stack([side * out, up + 0.08 * back, -back], axis=-1) + middle
        sky = np.broadcast_to(0.5 + 0.5 * smoothstep(r, 0.3, 0.95), back.shape)
        patches.append(Patch(Kind.EAR, camera.turn(xyz), xyz, sky))
    return patches


def neck_patch(head: Head, camera: Camera, masculine: float) -> Patch:
    """The neck: its upper end follows the head, its lower end the shoulders.

    Args:
        head: The head above it.
        camera: The camera that looks at it.
        masculine: 0 narrow to 1 wide.
    """
    y, angle = np.linspace(45.0, 215.0, 18)[:, None], np.radians(np.linspace(-110, 110, 33))
    wide = (46.0 + 10.0 * masculine) * (1.0 + 0.25 * smoothstep(y, 150, 215))
    x = wide * np.sin(angle)
    z = -18.0 - 0.10 * (y - 60.0) + 0.95 * wide * np.cos(angle) - 0 * y
    local = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    share = smoothstep(y, 70.0, 190.0)[..., None]
    points = (1 - share) * camera.turn(local) + share * camera.turn(local, 0.25)
    sky = np.broadcast_to(0.42 + 0.5 * smoothstep(y, head.chin_y, head.chin_y + 75.0), x.shape)
    return Patch(Kind.NECK, points, local, sky)


def body_patch(camera: Camera, masculine: float) -> Patch:
    """Shoulders and chest; `masculine` from 0 narrow to 1 wide."""
    size = 0.92 + 0.16 * masculine
    knots = [(150, 50, 44), (160, 62, 50), (172, 95, 58), (186, 140, 64), (205, 172, 70),
             (235, 190, 80), (290, 200, 95), (420, 205, 105)]  # fmt: skip
    y, wide, deep = spline(knots, 29).T[..., None]
    angle = np.radians(np.linspace(-110, 110, 45))
    x = size * wide * np.sin(angle)
    local = np.stack(np.broadcast_arrays(x, y, deep * np.cos(angle) - 28.0), axis=-1)
    sky = np.broadcast_to(0.45 + 0.55 * smoothstep(y, 150, 200), x.shape)
    return Patch(Kind.BODY, camera.turn(local, 0.25), local, sky)
