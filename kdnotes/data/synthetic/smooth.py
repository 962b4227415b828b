"""Small smooth functions that every other module of the renderer uses."""

from functools import cache

import numpy as np


def smoothstep(x, low, high):
    """0 below `low`, 1 above `high` and a smooth rise between (falls if `low` > `high`)."""
    t = np.minimum(np.maximum((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x, y, x0, y0, width, height):
    """A Gaussian hill of height 1 around (x0, y0)."""
    return np.exp(-(((x - x0) / width) ** 2) - ((y - y0) / height) ** 2)


def spline(knots, n, odd=()):
    """A Catmull-Rom curve through `knots` (K, C), sampled at `n` places evenly in the parameter.

    Columns listed in `odd` change sign beyond both ends and the others are mirrored there: a
    half-width that is odd and a height that is even close a surface with a round pole.
    """
    knots = np.asarray(knots, dtype=np.float64)
    sign = np.ones(knots.shape[1])
    sign[list(odd)] = -1.0
    padded = np.vstack([knots[1] * sign, knots, knots[-2] * sign])
    s = np.linspace(0.0, len(knots) - 1.0, n)
    i = np.minimum(s.astype(int), len(knots) - 2)
    t = (s - i)[:, None]
    p0, p1, p2, p3 = (padded[i + k] for k in range(4))
    return 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )  # fmt: skip


def rgb(red, green, blue):
    """A colour as a column (3, 1), so that it combines with `(K,)` shares and `(3, K)` colours."""
    return np.array([[red], [green], [blue]], dtype=np.float32)


def mix(a, b, weight):
    """`a` where `weight` is 0 and `b` where it is 1."""
    return a + weight * (b - a)


def box_blur(grid, rows, columns):
    """Mean of a 2-D grid over a window of (2·rows+1) × (2·columns+1), edges repeated."""
    for reach in (columns, rows):  # first along the rows, then, turned round, along the columns
        n, window = grid.shape[1], 2 * reach + 1
        ahead = np.minimum(np.maximum(np.arange(-reach - 1, n + reach), 0), n - 1)
        total = np.cumsum(grid[:, ahead], axis=1)
        grid = ((total[:, window:] - total[:, :n]) / window).T
    return grid


@cache
def _noise_table(side):
    """One tile of cloud-like noise, mean 0 and standard deviation 1, the same everywhere."""
    rng = np.random.default_rng(20220711)
    table = np.zeros((side, side))
    for cells in (8, 16, 32, 64, 128):
        coarse = rng.standard_normal((cells, cells))
        at = np.arange(side) * cells / side
        i, t = at.astype(int), smoothstep(at % 1.0, 0.0, 1.0)
        j = (i + 1) % cells
        rows = coarse[i] + t[:, None] * (coarse[j] - coarse[i])
        table += (rows[:, i] + t * (rows[:, j] - rows[:, i])) / np.sqrt(cells)
    return ((table - table.mean()) / table.std()).astype(np.float32).ravel()


def noise(u, v, side=512):
    """Cloud-like noise at (u, v); one unit is a tile, about a hundred grains across."""
    i = np.floor(np.asarray(u) * side).astype(np.int32) & (side - 1)
    j = np.floor(np.asarray(v) * side).astype(np.int32) & (side - 1)
    return _noise_table(side)[i * side + j]
