"""Rendered leaves, a thing that is no face: what is to be found in them is known exactly.

A leaf is a midrib that bends, and an edge on both sides of it. `t` runs along the midrib from the
base (0) to the tip (1), the stalk lies before 0; `v` is the distance from the midrib, in lengths of
the blade, to the right where the tip points up.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from kdnotes.data.schemes import Scheme

LEAF = Scheme(
    6,
    flip=(0, 1, 2, 4, 3, 5),
    groups={"midrib": (0, 1, 5, 2), "edge": (3, 4)},
    edges=((0, 1), (1, 5), (5, 2), (3, 5), (5, 4)),
    names=("end of the stalk", "base", "tip", "left edge", "right edge", "middle"),
)

#: Side of a picture in pixels, and how many times finer it is drawn.
SIDE, FINER = 160, 2


@dataclass(frozen=True)
class Leaf:
    """One leaf in its picture.

    Attributes:
        base: (x, y) of the blade's base, in units of the picture.
        angle: Direction of the tip, radians clockwise from up.
        length: Of the blade, in units of the picture.
        width: Largest width, in lengths.
        widest: `t` where it is widest.
        point: How pointed both ends are.
        bend: Of the midrib, in lengths.
        stalk: Length of the stalk, in lengths.
        teeth: Number of teeth along an edge.
    """

    base: tuple[float, float]
    angle: float
    length: float
    width: float
    widest: float
    point: float
    bend: float
    stalk: float
    teeth: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Leaf":
        """A leaf at random, whole in its picture."""
        angle, length = np.radians(rng.uniform(-40, 40)), rng.uniform(0.5, 0.66)
        middle = 0.5 + rng.uniform(-0.06, 0.06, 2)
        half = 0.4 * length * np.array([np.sin(angle), -np.cos(angle)])
        return cls(
            tuple(middle - half), angle, length, rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.55),
            rng.uniform(1.0, 2.0), rng.uniform(-0.2, 0.2), rng.uniform(0.15, 0.3),
            int(rng.integers(0, 14)),
        )  # fmt: skip

    def half_width(self, t: np.ndarray) -> np.ndarray:
        """Distance of the smooth edge from the midrib, in lengths; 0 outside the blade."""
        t = np.clip(t, 0, 1)
        before, after = self.point * self.widest, self.point * (1 - self.widest)
        shape = t**before * (1 - t) ** after
        return self.width / 2 * shape / (self.widest**before * (1 - self.widest) ** after)

    def midrib(self, t: np.ndarray) -> np.ndarray:
        """How far the midrib lies beside the straight line, in lengths."""
        return self.bend * np.where(t > 0, t * (1 - t), t)

    def places(self, t: np.ndarray, v: np.ndarray) -> np.ndarray:
        """`(…, 2)` in units of the picture."""
        along = np.array([np.sin(self.angle), -np.cos(self.angle)])
        across, aside = np.array([-along[1], along[0]]), v + self.midrib(t)
        return self.base + self.length * (t[..., None] * along + aside[..., None] * across)

    def landmarks(self) -> np.ndarray:
        """`(6, 2)` in units of the picture, in the order of `LEAF`."""
        half, w = self.width / 2, self.widest
        t = np.array([-self.stalk, 0, 1, w, w, w])
        return self.places(t, np.array([0, 0, 0, -half, half, 0]))


def render(index: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a leaf on some ground, always the same for an index.

    Returns:
        `(SIDE, SIDE, 3)` uint8; the landmarks `(6, 2)` in pixels, counted from the middle of the
        first one.
    """
    rng = np.random.default_rng([2, index])
    leaf, side = Leaf.drawn(rng), SIDE * FINER
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    along = np.array([np.sin(leaf.angle), -np.cos(leaf.angle)])
    dx, dy = (x - leaf.base[0]) / leaf.length, (y - leaf.base[1]) / leaf.length
    t = dx * along[0] + dy * along[1]
    v = -dx * along[1] + dy * along[0] - leaf.midrib(t)
    edge = leaf.half_width(t) * (1 - 0.12 * (leaf.teeth * t % 1) * (leaf.teeth > 4))
    blade, stalk = np.abs(v) < edge, (np.abs(v) < 0.014) & (t > -leaf.stalk) & (t < 0.9)
    ground = 0.12 * _cloud(rng, side, 12)[..., None] * rng.uniform(0.5, 1.5, 3)
    ground += rng.uniform(0.2, 0.8) + rng.uniform(-0.1, 0.1, 3)
    shadow = gaussian_filter((blade | stalk).astype(float), 0.01 * side)
    ground *= 1 - 0.4 * np.roll(shadow, rng.integers(2, 8, 2), (0, 1))[..., None]
    colour = np.array([rng.uniform(0.1, 0.7), rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.2)])
    veins = np.abs((9 * (t - 0.6 * np.abs(v))) % 1 - 0.5) > 0.46
    shade = 0.85 + 0.25 * _cloud(rng, side, 6) + 0.12 * np.sign(v) * rng.uniform(-1, 1)
    painted = colour * (shade + 0.15 * veins)[..., None]
    picture = np.where(blade[..., None], painted, ground)
    picture = np.where(stalk[..., None], 0.5 * colour + 0.3, picture) * rng.uniform(0.7, 1.2)
    picture = gaussian_filter(picture, (FINER * rng.uniform(0.2, 0.8),) * 2 + (0,))
    picture = picture.reshape(SIDE, FINER, SIDE, FINER, 3).mean(axis=(1, 3))
    picture = picture + rng.normal(0, 0.015, picture.shape)
    return (255 * np.clip(picture, 0, 1)).astype(np.uint8), leaf.landmarks() * SIDE - 0.5


def _cloud(rng, side, cells):
    """Smooth noise between −1 and 1, about as many clouds along a side as there are cells."""
    small = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), float)
