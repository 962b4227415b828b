"""Light: colour times illumination, with a main light, light from all around, and highlights."""

import numpy as np

from kdnotes.data.synthetic.appearance import Shot
from kdnotes.data.synthetic.raster import rasterise
from kdnotes.data.synthetic.smooth import rgb

#: Side in pixels of the light's own picture of the scene.
SHADOW_SIDE = 96


def _towards(key: np.ndarray) -> np.ndarray:
    """`(3, 3)` rotation whose third row looks along the main light."""
    right = np.cross([0.0, 1.0, 0.0], key)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(key, right), key])


def shadows(points: np.ndarray, triangles: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Share of the main light that reaches each vertex: the light looks at the scene too.

    A vertex lies in shadow where the light's own picture of the scene shows something nearer.

    Args:
        points: `(V, 3)` turned positions in millimetres.
        triangles: `(T, 3)` vertex numbers.
        key: `(3,)` unit vector towards the main light.

    Returns:
        `(V,)` from 0 to 1.
    """
    seen = points @ _towards(key).T
    low = seen[:, :2].min(axis=0)
    scale = (SHADOW_SIDE - 1.0) / (seen[:, :2].max(axis=0) - low).max()
    seen = np.column_stack([(seen[:, :2] - low) * scale, seen[:, 2]])
    depth = rasterise(seen, triangles, SHADOW_SIDE)[3]
    lit = np.zeros(len(points))
    column, row = np.floor(seen[:, :2]).astype(int).T
    for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)):
        r = np.clip(row + i, 0, SHADOW_SIDE - 1)
        c = np.clip(column + j, 0, SHADOW_SIDE - 1)
        lit += 0.2 * np.clip((seen[:, 2] - depth[r, c] + 14.0) / 6.0, 0.0, 1.0)
    return lit


def illuminate(
    colour: np.ndarray,
    gloss: np.ndarray,
    normal: np.ndarray,
    lit: np.ndarray,
    open_sky: np.ndarray,
    shot: Shot,
    soft: np.ndarray,
) -> np.ndarray:
    """Light that leaves each point towards the camera.

    Args:
        colour: `(3, K)` linear-light albedo.
        gloss: `(K,)` strength of highlights.
        normal: `(3, K)` unit normals, facing the camera.
        lit: `(K,)` share of the main light that is not in shadow.
        open_sky: `(K,)` share of the surrounding light that arrives.
        shot: The `Shot` with the lights.
        soft: `(K,)` 1 for skin, where light wanders inside and reddens the shadow's edge.

    Returns:
        `(3, K)` linear light.
    """
    power = shot.key_power * rgb(*shot.key_colour)
    key = shot.key.astype(np.float32)
    facing = np.tensordot(key, normal, 1)
    spread = rgb(0.30, 0.14, 0.10) * soft
    direct = np.maximum(facing + spread, 0.0) / (1.0 + spread) * lit
    sky = shot.ambient * open_sky * (0.72 - 0.28 * normal[1])
    half = key + np.array([0.0, 0.0, 1.0], np.float32)
    half /= np.linalg.norm(half)
    shine = np.maximum(np.tensordot(half, normal, 1), 0.0)
    for _ in range(4):  # to the 16th power
        shine = shine * shine
    return colour * (power * direct + sky) + power * (0.2 * shine * gloss * lit)
