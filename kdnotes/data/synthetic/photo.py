"""From light to a stored picture: background, lens, sensor, tone curve and compression."""

import numpy as np

from kdnotes.data.synthetic.appearance import Shot
from kdnotes.data.synthetic.smooth import mix, smoothstep


def _filtered(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A picture `(C, n, n)` filtered along both axes with weights `(m, n)`: `(C, m, m)`."""
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights @ picture @ weights.T


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture `(C, n, n)` at another size.

    Linear interpolation enlarges it, and averages make it smaller.

    Returns:
        `(C, size, size)`.
    """
    n = picture.shape[-1]
    if n == size:
        return picture
    at = (np.arange(size) + 0.5) * n / size - 0.5
    reach = max(1.0, n / size)
    return _filtered(picture, np.maximum(1.0 - np.abs(at[:, None] - np.arange(n)) / reach, 0.0))


def background(seed: int, size: int) -> np.ndarray:
    """A random place: soft colours, blurred boxes, discs, stripes.

    Args:
        seed: Another seed gives another place.
        size: Side in pixels.

    Returns:
        `(3, size, size)` float32, linear light.
    """
    rng = np.random.default_rng(seed)
    side = 72
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    vivid = rng.uniform(0.0, 0.8)  # most rooms are less colourful than a colour wheel
    tilt = 1.0 + rng.uniform(-0.8, 0.8) * (y - 0.5) + rng.uniform(-0.8, 0.8) * (x - 0.5)
    scene = _paint(rng, vivid) * tilt
    for _ in range(rng.integers(0, 11)):
        cx, cy = rng.uniform(0, 1, 2)
        w, h = rng.uniform(0.04, 0.4, 2)
        edge = rng.uniform(0.012, 0.06)
        kind = rng.choice(3, p=(0.65, 0.28, 0.07))
        if kind == 0:
            inside = np.minimum(w / 2 - np.abs(x - cx), h - np.abs(y - cy))
        elif kind == 1:
            inside = w / 2 - np.hypot(x - cx, y - cy)
        else:
            angle = rng.uniform(0, np.pi)
            inside = 0.1 * np.sin((x * np.cos(angle) + y * np.sin(angle)) / w * 6.0) - 0.03
        share = smoothstep(inside, -edge, edge) * rng.uniform(0.3, 1.0)
        scene = mix(scene, _paint(rng, vivid), share)
    clouds = resize(rng.normal(size=(1, 18, 18)), side)
    scene = scene * np.maximum(1.0 + 0.4 * rng.uniform() ** 2 * clouds, 0.0)
    return resize(scene.astype(np.float32), size)


def _paint(rng: np.random.Generator, vivid: float) -> np.ndarray:
    """A random colour `(3, 1, 1)` in linear light, grey where `vivid` is 0."""
    grey = rng.uniform(0.02, 0.95) ** 2.2
    return (grey * np.exp(0.9 * vivid * rng.normal(size=3))).clip(0.0, 0.9)[:, None, None]


def _blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with a standard deviation in pixels."""
    if sigma < 0.2:
        return picture
    at = np.arange(picture.shape[-1])
    return _filtered(picture, np.exp(-0.5 * ((at[:, None] - at) / sigma) ** 2))


def _compress(picture: np.ndarray, strength: float) -> np.ndarray:
    """Blocky loss as in JPEG: cosine transforms of 8×8 blocks lose their faint and fine waves.

    JPEG rounds; here waves shrink towards zero, so that a difference in the last digit between two
    machines never becomes a visible one.
    """
    size = picture.shape[-1]
    pad = -size % 8
    padded = np.pad(picture, ((0, 0), (0, pad), (0, pad)), mode="edge")
    n = padded.shape[-1] // 8
    k = np.arange(8)
    waves = np.cos(np.pi * (2 * k + 1) * k[:, None] / 16) / 2
    waves[0] *= 0.5**0.5
    waves = waves.astype(np.float32)
    blocks = padded.reshape(3, n, 8, n, 8).swapaxes(2, 3)
    step = (strength * 0.03 * (k[:, None] + k)).astype(np.float32)  # brightness stays
    waved = waves @ blocks @ waves.T
    waved = np.sign(waved) * np.maximum(np.abs(waved) - 0.5 * step, 0.0)
    blocks = (waves.T @ waved @ waves).swapaxes(2, 3)
    return blocks.reshape(3, 8 * n, 8 * n)[:, :size, :size]


def develop(light: np.ndarray, size: int, shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """The stored picture that the lens and sensor of `shot` make of a scene.

    Args:
        light: `(3, N, N)` linear light, finer than the sensor's pixels.
        size: Side of the stored picture in pixels.
        shot: The `Shot`: its `detail` is the sensor's own side.
        rng: Generator of the sensor's noise.

    Returns:
        `(size, size, 3)` uint8.
    """
    sensor = min(size, round(shot.detail))
    light = resize(light, sensor)
    light = _blur(light, shot.blur * sensor) * shot.cast.astype(np.float32)[:, None, None]
    light = np.maximum(light, 0.0)
    picture = (light / (1.0 + 0.18 * light**2)) ** (1 / 2.2)
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    picture = picture + np.float32(shot.grain) * noise
    if shot.grey:
        picture = np.repeat(np.tensordot([[0.30, 0.59, 0.11]], picture, 1), 3, axis=0)
    if shot.compression > 0.25:
        picture = _compress(picture, shot.compression)
    if sensor < size:
        picture = resize(picture, size)
    levels = (np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))
