"""Embedded faces: rendered heads with exact landmarks, the course's data without a download.

A parametric head surface (`head`) is turned and projected by a `camera`, rasterised with a depth
buffer (`raster`), painted (`paint`) and lit (`light`), and passes a simple camera (`photo`). The
landmarks are points of the same surface, so that they are exact. Who and what is in a picture is
drawn at random in `appearance`, reproducibly: picture `index` of seed `seed` is always the same.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from os import cpu_count
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from kdnotes.data import schemes
from kdnotes.data.synthetic.appearance import Person, Shot, draw_person, draw_shot, simplified
from kdnotes.data.synthetic.scene import render

__all__ = ["PER_SUBJECT", "VERSION", "render_face", "render_faces", "stream_faces"]

#: Grows when the same seed and index give other faces than before: stored faces are then stale.
VERSION = 2

#: Pictures of each subject.
PER_SUBJECT = 4
#: Below this number of faces, starting worker processes costs more than it saves.
FEW = 256

#: Image, landmarks, visible and attributes of one face.
Face = tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


def render_face(
    index: int, size: int, seed: int = 0, without: Sequence[str] = ()
) -> tuple[np.ndarray, dict[int, np.ndarray], dict[int, np.ndarray], dict[str, Any]]:
    """Render one face.

    Args:
        index: Number of the picture, 0 or more; subject `index // 4` is in it.
        size: Side of the square picture in pixels.
        seed: Another seed gives other people.
        without: Variety to leave out: "camera", "light", "background".

    Returns:
        image `(size, size, 3)` uint8 RGB; landmarks and visible, each a dictionary from the scheme
        (29, 68, 98) to `(L, 2)` float32 picture units and `(L,)` bool; attributes, a dictionary:
        subject; yaw, pitch, roll in degrees (positive: to the image's right, up, clockwise);
        skin_tone 1 (lightest) to 10 (deepest), evenly drawn; and true or false for WFLW's pose,
        expression, illumination, make_up, occlusion, blur, and for glasses and beard.

    Raises:
        ValueError: A negative index or seed, or a size below 16 pixels.
    """
    if index < 0 or seed < 0 or size < 16:
        raise ValueError(
            f"expected index and seed of 0 or more and a size of at least 16 pixels, "
            f"found index {index}, seed {seed}, size {size}"
        )
    subject = index // PER_SUBJECT
    person = draw_person(_rng(seed, subject, use=1))
    shot = simplified(draw_shot(_rng(seed, index, use=0), person), without)
    image, landmarks, visible = render(person, shot, size, _rng(seed, index, use=2))
    landmarks = {n: points.astype(np.float32) for n, points in landmarks.items()}
    return image, landmarks, visible, _attributes(subject, person, shot, visible[98])


def _rng(seed: int, number: int, use: int) -> np.random.Generator:
    """A separate stream of random numbers for each seed, number and use."""
    spawn_key = (use,) if use else ()
    return np.random.default_rng(np.random.SeedSequence([seed, number], spawn_key=spawn_key))


def _attributes(subject: int, person: Person, shot: Shot, visible: np.ndarray) -> dict[str, Any]:
    camera, face = shot.camera, shot.expression
    return {
        "subject": f"s{subject:05d}",
        "yaw": round(camera.yaw, 2),
        "pitch": round(camera.pitch, 2),
        "roll": round(camera.roll, 2),
        "skin_tone": person.tone,
        "pose": abs(camera.yaw) > 35.0 or abs(camera.pitch) > 20.0,
        "expression": face.jaw > 10.0 or abs(face.smile) > 0.7 or max(face.lids) > 0.75,
        "illumination": shot.exposure < 0.5 or bool(abs(shot.key[0]) * shot.key_power > 0.6),
        "make_up": person.make_up,
        "occlusion": shot.occluder != "none" or bool(np.mean(visible) < 0.8),
        "blur": shot.blur > 0.006 or shot.detail < 80.0,
        "glasses": person.glasses or shot.occluder == "sunglasses",
        "beard": person.beard not in ("none", "stubble"),
    }


def render_faces(
    n: int,
    size: int,
    seed: int = 0,
    scheme: schemes.Scheme | int = 68,
    processes: int | None = None,
    progress: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """Render faces 0 … n-1 of a seed.

    The result depends on `n`, `size`, `seed` and `scheme` only, never on `processes`.

    Args:
        n: Number of faces.
        size: Side of the square pictures in pixels.
        seed: Another seed gives other people.
        scheme: 29, 68 or 98 points.
        processes: Worker processes; None takes one per processor.
        progress: Show a progress bar.

    Returns:
        images `(n, size, size, 3)` uint8; landmarks `(n, L, 2)` float32 in units of the picture
        (origin at its centre, unit = its width); visible `(n, L)` bool; attributes, a DataFrame
        with one row per face (columns: see `render_face`).

    Raises:
        ValueError: An unknown scheme, or a number that makes no sense.
    """
    faces = stream_faces(n, size, seed, scheme, processes)
    bar = tqdm(faces, total=n, desc="rendering faces", unit="face", disable=not progress)
    images, landmarks, visible, rows = zip(*bar, strict=True)
    return np.stack(images), np.stack(landmarks), np.stack(visible), pd.DataFrame(rows)


def stream_faces(
    n: int,
    size: int,
    seed: int = 0,
    scheme: schemes.Scheme | int = 68,
    processes: int | None = None,
    without: Sequence[str] = (),
) -> Iterator[Face]:
    """The faces of `render_faces` one after the other, so that they need not fit into memory.

    Args:
        n, size, seed, scheme, processes: As for `render_faces`.
        without: Variety to leave out, as for `render_face`.

    Yields:
        Image, landmarks, visible and attributes of one face.

    Raises:
        ValueError: An unknown scheme, or a number that makes no sense.
    """
    n_points = schemes.get(scheme).n_points
    if n_points not in schemes.SCHEMES or n < 1:
        raise ValueError(
            f"expected at least one face and a scheme of 29, 68 or 98 points, "
            f"found n = {n} and {n_points} points"
        )
    one = partial(_one, size=size, seed=seed, scheme=n_points, without=tuple(without))
    yield from _map(one, n, processes or cpu_count() or 1)


def _one(index: int, size: int, seed: int, scheme: int, without: Sequence[str]) -> Face:
    image, landmarks, visible, attributes = render_face(index, size, seed, without)
    return image, landmarks[scheme], visible[scheme], attributes


def _map(function: Callable[[int], Face], n: int, processes: int) -> Iterator[Face]:
    """Results of `function` for 0 … n-1, in order.

    Each process computes with one thread. The matrices are small, and threads that wait for each
    other made it four times slower.
    """
    processes = min(processes, n // FEW + 1)
    if processes <= 1:
        with threadpool_limits(1):
            yield from map(function, range(n))
        return
    with parallel_config("loky", inner_max_num_threads=1):
        workers = Parallel(processes, batch_size=8, return_as="generator")
    yield from workers(delayed(function)(index) for index in range(n))
