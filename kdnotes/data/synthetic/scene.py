"""One picture from a person and a shot: gather the pieces, rasterise, paint, light, develop."""

import numpy as np

from kdnotes.data import schemes
from kdnotes.data.crops import STORED_MARGIN
from kdnotes.data.synthetic import covers, light, paint
from kdnotes.data.synthetic.appearance import Person, Shot
from kdnotes.data.synthetic.camera import Frame
from kdnotes.data.synthetic.hair import hair_patch
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.landmarks import all_schemes
from kdnotes.data.synthetic.meshes import (
    Kind,
    Patch,
    body_patch,
    ear_patches,
    head_patch,
    neck_patch,
)
from kdnotes.data.synthetic.photo import background, develop
from kdnotes.data.synthetic.raster import facing, grid_triangles, rasterise
from kdnotes.data.synthetic.smooth import box_blur, rgb

#: Samples along each axis for one pixel of the picture, or of a camera that sees less detail.
OVERSAMPLE = 1.5
#: A landmark counts as hidden when something is this much nearer (millimetres).
HIDDEN_BY = 3.5
#: Surfaces that are never seen from inside.
CLOSED = (Kind.HEAD, Kind.NECK, Kind.BODY)


def gather(head: Head, person: Person, shot: Shot) -> list[Patch]:
    """All patches of the scene."""
    camera = shot.camera
    rng = np.random.default_rng(shot.scenery + 1)
    patches = [
        head_patch(head, camera),
        *ear_patches(head, camera),
        neck_patch(head, camera, person.masculine),
        body_patch(camera, person.masculine),
    ]
    if person.hair_style != "bald":
        patches.append(hair_patch(head, camera, person))
    dark = shot.occluder == "sunglasses"
    if person.glasses or dark:
        patches += covers.glasses(head, camera, person, dark)
    if shot.occluder == "mask":
        patches.append(covers.mask(head, camera))
    elif shot.occluder == "hand":
        patches += covers.hand(head, camera, rng)
    elif shot.occluder == "object":
        patches += covers.microphone(head, camera, rng)
    return patches


def _join(patches: list[Patch], step: int = 1) -> tuple[np.ndarray, list[np.ndarray]]:
    """Vertices of all patches, every `step`-th row and column, and the triangles of each patch."""
    grids = [patch.points[::step, ::step] for patch in patches]
    firsts = np.cumsum([0] + [g.shape[0] * g.shape[1] for g in grids])
    triangles = [
        grid_triangles(*g.shape[:2], first) for g, first in zip(grids, firsts, strict=False)
    ]
    return np.concatenate([g.reshape(-1, 3) for g in grids]), triangles


def _visible(
    marks: dict[int, np.ndarray],
    landmarks: dict[int, np.ndarray],
    depth: np.ndarray,
    kind: np.ndarray,
) -> dict[int, np.ndarray]:
    """Whether nothing hides a landmark. Thin spectacle frames do not count.

    Args:
        marks: For each scheme `(L, 3)` x, y on the image plane and depth.
        landmarks: For each scheme `(L, 2)` in picture units.
        depth, kind: `(side, side)` depth and surface that each sample sees.

    Returns:
        For each scheme `(L,)` bool.
    """
    side = len(depth)
    near = np.concatenate([points[:, 2] for points in marks.values()])
    units = np.concatenate(list(landmarks.values()))
    # The contour lies where the head turns away, so that the head itself cannot hide it.
    outline = np.concatenate([
        np.isin(np.arange(n), schemes.SCHEMES[n].groups["contour"]) for n in marks
    ])  # fmt: skip
    column, row = np.floor((units + 0.5) * side).astype(int).T
    seen = np.zeros(len(units), dtype=bool)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            r, c = np.clip(row + i, 0, side - 1), np.clip(column + j, 0, side - 1)
            seen |= (depth[r, c] < near + HIDDEN_BY) | (kind[r, c] == Kind.FRAME)
            seen |= outline & (kind[r, c] == Kind.HEAD)
    return dict(zip(marks, np.split(seen, np.cumsum(list(marks))[:-1]), strict=True))


def render(
    person: Person,
    shot: Shot,
    size: int,
    rng: np.random.Generator,
    frame: Frame | None = None,
) -> tuple[np.ndarray, dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Picture, landmarks and visibility.

    Args:
        person: Who is in it.
        shot: What else it shows, and how.
        size: Side of the picture in pixels.
        rng: Generator of the sensor's noise, the only chance that depends on `size`.
        frame: The `Frame` that becomes the picture; None: the one around the face.

    Returns:
        image `(size, size, 3)` uint8; `{29, 68, 98: (L, 2)}` landmarks in picture units;
        `{29, 68, 98: (L,) bool}`.
    """
    head, camera = Head(person.identity, shot.expression), shot.camera
    marks = all_schemes(head, camera)
    frame = frame or Frame.around(marks[68], STORED_MARGIN)
    landmarks = {n: frame.units(points) for n, points in marks.items()}

    side = round(OVERSAMPLE * min(size, shot.detail))
    patches = gather(head, person, shot)
    points, triangles = _join(patches)
    flat = camera.flatten(points)
    screen = np.column_stack([(frame.units(flat) + 0.5) * side, flat[:, 2]])
    triangles = [
        t[facing(screen, t)] if patch.kind in CLOSED else t
        for patch, t in zip(patches, triangles, strict=True)
    ]
    kinds = np.repeat([patch.kind for patch in patches], [len(t) for t in triangles])
    triangles = np.concatenate(triangles)
    pixel, triangle, weights, depth = rasterise(screen, triangles, side)
    kinds = kinds[triangle]

    glow = _shade(patches, triangles[triangle], weights, kinds, head, person, shot)
    glow = glow * (_exposure(glow, kinds) * shot.exposure)
    canvas = background(shot.scenery, side)
    canvas.reshape(3, -1)[:, pixel] = glow

    kind_map = np.full(side * side, -1)
    kind_map[pixel] = kinds
    visible = _visible(marks, landmarks, depth, kind_map.reshape(side, side))
    return develop(canvas, size, shot, rng), landmarks, visible


def _exposure(glow: np.ndarray, kinds: np.ndarray) -> float:
    """Gain of a camera that evens out half of how bright the head is."""
    head = glow[:, kinds == Kind.HEAD]
    if not head.size:
        return 1.0
    brightness = (head * rgb(0.30, 0.59, 0.11)).sum(axis=0).mean()
    return float(0.30 / max(brightness, 1e-3)) ** 0.65


def _lit(patches: list[Patch], key: np.ndarray) -> list[np.ndarray]:
    """For each patch `(R, C)` share of the main light, computed on every second grid point."""
    coarse, triangles = _join(patches, step=2)
    shadow = light.shadows(coarse, np.concatenate(triangles), key)
    shapes = [patch.points[::2, ::2].shape[:2] for patch in patches]
    parts = np.split(shadow, np.cumsum([rows * columns for rows, columns in shapes])[:-1])
    lit = []
    for patch, part, shape in zip(patches, parts, shapes, strict=True):
        row, column = (np.arange(n) // 2 for n in patch.points.shape[:2])
        lit.append(box_blur(part.reshape(shape)[row][:, column], 1, 1))
    return lit


def _shade(
    patches: list[Patch],
    corners: np.ndarray,
    weights: list[np.ndarray],
    kinds: np.ndarray,
    head: Head,
    person: Person,
    shot: Shot,
) -> np.ndarray:
    """Light from each visible point: interpolate, paint and illuminate.

    Args:
        patches: All pieces of surface.
        corners: `(K, 3)` the vertices of each point's triangle.
        weights: Its place in it, three arrays `(K,)`.
        kinds: `(K,)` which paint it gets.
        head: The head that the features of a face belong to.
        person: Whose.
        shot: The picture.

    Returns:
        `(3, K)` linear light.
    """
    per_vertex = np.concatenate([
        np.concatenate([p.local, p.normals(), np.stack([p.open_sky, lit], -1)], -1).reshape(-1, 8)
        for p, lit in zip(patches, _lit(patches, shot.key), strict=True)
    ]).astype(np.float32)  # fmt: skip
    values = sum(
        weights[k].astype(np.float32)[:, None] * per_vertex[corners[:, k]] for k in range(3)
    )
    values = np.ascontiguousarray(values.T)
    local, normal, sky, lit = values[:3], values[3:6], values[6], values[7]
    normal = normal / (np.sqrt((normal * normal).sum(axis=0)) * np.where(normal[2] < 0, -1, 1))

    colour, gloss = np.empty_like(local), np.empty_like(sky)
    for kind in np.unique(kinds):
        chosen = np.flatnonzero(kinds == kind)
        colour[:, chosen], gloss[chosen] = paint.colour(kind, local[:, chosen], head, person, shot)
    soft = np.isin(kinds, (Kind.HEAD, Kind.EAR, Kind.NECK, Kind.HAND)).astype(np.float32)
    return light.illuminate(colour, gloss, normal, lit, sky, shot, soft)
