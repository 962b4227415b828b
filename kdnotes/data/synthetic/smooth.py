"""Small smooth functions that every other module of the renderer uses."""

from collections.abc import Sequence
from functools import cache

import numpy as np

#: A number, or an array of them; shapes follow numpy's rules.
Real = float | np.ndarray


def smoothstep(x: Real, low: Real, high: Real) -> Real:
    """0 below `low`, 1 above `high` and a smooth rise between; it falls if `low` > `high`."""
    t = np.minimum(np.maximum((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x: Real, y: Real, x0: Real, y0: Real, width: Real, height: Real) -> np.ndarray:
    """A Gaussian hill of height 1 around (x0, y0); its shape is that of x and y."""
    return np.exp(-(((x - x0) / width) ** 2) - ((y - y0) / height) ** 2)


def spline(knots: Sequence[Sequence[float]], n: int, odd: Sequence[int] = ()) -> np.ndarray:
    """A Catmull-Rom curve, sampled evenly in its parameter.

    Beyond both ends the odd columns change sign and the others are mirrored. A half-width that is
    odd and a height that is even thus close a surface with a round pole.

    Args:
        knots: `(K, C)` points that the curve goes through.
        n: Number of samples.
        odd: Numbers of the odd columns.

    Returns:
        `(n, C)` points of the curve.
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


def rgb(red: float, green: float, blue: float) -> np.ndarray:
    """A colour as a column `(3, 1)` float32, which combines with `(K,)` shares and `(3, K)`
    colours."""
    return np.array([[red], [green], [blue]], dtype=np.float32)


def mix(a: Real, b: Real, weight: Real) -> Real:
    """`a` where `weight` is 0 and `b` where it is 1."""
    return a + weight * (b - a)


def box_blur(grid: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Mean of a grid `(R, C)` over a window of (2·rows+1) × (2·columns+1), edges repeated."""
    for reach in (columns, rows):  # first along the rows, then, turned round, along the columns
        n, window = grid.shape[1], 2 * reach + 1
        ahead = np.minimum(np.maximum(np.arange(-reach - 1, n + reach), 0), n - 1)
        total = np.cumsum(grid[:, ahead], axis=1)
        grid = ((total[:, window:] - total[:, :n]) / window).T
    return grid


@cache
def _noise_table(side: int) -> np.ndarray:
    """`(side * side,)` one tile of cloud-like noise, mean 0 and standard deviation 1."""
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


def noise(u: Real, v: Real, side: int = 512) -> np.ndarray:
    """Cloud-like noise at (u, v), mean 0 and standard deviation 1.

    One unit is a tile, about a hundred grains across. The noise is the same in every process.

    Args:
        u, v: Places in tiles, of shapes that go together.
        side: Grid points along a tile, a power of two.
    """
    i = np.floor(np.asarray(u) * side).astype(np.int32) & (side - 1)
    j = np.floor(np.asarray(v) * side).astype(np.int32) & (side - 1)
    return _noise_table(side)[i * side + j]
