"""A triangle rasteriser in numpy: which triangle does each pixel see, and where in it?

Arrays hold one coordinate for all triangles (or all rows, or all pixels) at a time: loops over
three corners are written out, since numpy is slow on axes of length three.
"""

import numpy as np


def grid_triangles(rows: int, columns: int, first: int = 0) -> np.ndarray:
    """The two triangles in each cell of a grid.

    Args:
        rows, columns: Number of the grid's points in both directions.
        first: Number of its first vertex.

    Returns:
        `(T, 3)` vertex numbers.
    """
    index = first + np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return np.concatenate([
        np.stack([a, b, c], axis=-1).reshape(-1, 3),
        np.stack([b, d, c], axis=-1).reshape(-1, 3),
    ])  # fmt: skip


def facing(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Whether triangles of a grid show their outside to the camera.

    Args:
        points: `(V, 2+)` x and y of the vertices.
        triangles: `(T, 3)` vertex numbers.

    Returns:
        `(T,)` bool.
    """
    x, y = points[:, 0], points[:, 1]
    a, b, c = triangles.T
    return (x[b] - x[a]) * (y[c] - y[a]) > (x[c] - x[a]) * (y[b] - y[a])


def _spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each item repeated `counts` times: its number, and 0, 1, 2 … within the repetition."""
    item = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return item, np.arange(len(item)) - starts[item]


def _planes(x: list[np.ndarray], y: list[np.ndarray], area: np.ndarray) -> list[tuple]:
    """Per corner k the (a, b, c) of weight_k = a·x + b·y + c, each `(T,)`."""
    return [
        ((y[i] - y[j]) / area, (x[j] - x[i]) / area, (x[i] * y[j] - x[j] * y[i]) / area)
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]


def _pixels(
    y: list[np.ndarray], planes: list[tuple], size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle number, column and row of every pixel whose centre lies in a triangle.

    On each pixel row that a triangle crosses, its three edges bound the columns from both sides.
    """
    low, high = np.minimum(np.minimum(y[0], y[1]), y[2]), np.maximum(np.maximum(y[0], y[1]), y[2])
    top = np.maximum(np.ceil(low - 0.5), 0).astype(np.int64)
    end = np.minimum(np.floor(high - 0.5), size - 1).astype(np.int64)
    triangle, step = _spread(np.maximum(end - top + 1, 0))
    row = top[triangle] + step
    left, right = np.full(len(row), -1e9), np.full(len(row), 1e9)
    for a, b, c in planes:
        slope = np.where(a == 0.0, 1e-30, a)  # level edges bound rows, which `top` and `end` do
        cross = -((b / slope)[triangle] * (row + 0.5) + (c / slope)[triangle])
        starts = (slope > 0)[triangle]
        left = np.where(starts, np.maximum(left, cross), left)
        right = np.where(starts, right, np.minimum(right, cross))
    left = np.clip(np.ceil(left - 0.5 - 1e-9), 0, size).astype(np.int64)
    right = np.clip(np.floor(right - 0.5 + 1e-9), -1, size - 1).astype(np.int64)
    span, step = _spread(np.maximum(right - left + 1, 0))
    return triangle[span], left[span] + step, row[span]


def rasterise(
    points: np.ndarray, triangles: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """The nearest triangle at every pixel.

    Args:
        points: `(V, 3)` x and y in pixels (edges at whole numbers) and depth (more is nearer).
        triangles: `(T, 3)` vertex numbers.
        size: Side of the picture in pixels.

    Returns:
        pixel `(K,)`: numbers row·size + column of the covered pixels; triangle `(K,)`; weights:
        three arrays `(K,)`, one for each corner; depth `(size, size)`, -inf where nothing is.
    """
    x, y, z = ([column[triangles[:, k]] for k in range(3)] for column in points.T.copy())
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    left, right = np.minimum(np.minimum(x[0], x[1]), x[2]), np.maximum(np.maximum(x[0], x[1]), x[2])
    number = np.flatnonzero((np.abs(area) > 1e-9) & (right > 0) & (left < size))
    x, y, z = ([corner[number] for corner in axis] for axis in (x, y, z))
    planes = _planes(x, y, area[number])
    da, db, dc = (sum(planes[k][i] * z[k] for k in range(3)) for i in range(3))

    triangle, column, row = _pixels(y, planes, size)
    depth = da[triangle] * (column + 0.5) + db[triangle] * (row + 0.5) + dc[triangle]
    pixel = row * size + column
    nearest = np.full(size * size, -np.inf)
    np.maximum.at(nearest, pixel, depth)
    wins = np.flatnonzero(depth == nearest[pixel])
    winner = np.full(size * size, -1)
    winner[pixel[wins]] = wins
    winner = winner[winner >= 0]

    triangle, column, row = triangle[winner], column[winner] + 0.5, row[winner] + 0.5
    weights = [a[triangle] * column + b[triangle] * row + c[triangle] for a, b, c in planes]
    return pixel[winner], number[triangle], weights, nearest.reshape(size, size)
