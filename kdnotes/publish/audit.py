"""Looks at a face set before anything is trained on it: `python -m kdnotes data show PATH`."""

import hashlib

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from kdnotes import plots
from kdnotes.data.faceset import FaceSet
from kdnotes.data.subjects import dominant_subject, leaking_subjects

SPLITS = ("train", "validation", "test")

#: A landmark farther from the centre of its crop is suspicious. The border of the crop is at 0.5.
FAR = 0.5


def warnings(faces: FaceSet, *, progress: bool = True) -> list[str]:
    """Says what is suspicious about a face set.

    It looks for people or pictures in more than one split, a person with too many faces, pictures
    that occur twice, hidden or distant landmarks, and splits that are missing or unknown.

    Args:
        faces: The face set.
        progress: Show a bar while pictures are compared.

    Returns:
        A sentence for each finding.
    """
    messages = []
    missing = [name for name in SPLITS if name not in faces.counts()]
    if missing:
        messages.append(
            f"no face is in the split {' or '.join(missing)}; the course needs all three"
        )
    unknown = [name for name in faces.counts() if name not in SPLITS]
    if unknown:
        messages.append(f"nothing reads the split {' or '.join(unknown)}; rename it in the table")
    people = leaking_subjects(faces.table)
    if people:
        messages.append(
            f"{len(people):,} people are in more than one split (first: {people[0]}): errors on "
            "the test split will look too small"
        )
    dominant = dominant_subject(faces.table)
    if dominant:
        messages.append(dominant)
    if not faces.visible.any():
        messages.append("no point of any face is visible: all of them count as hidden")
    return messages + _repeated(faces, progress) + _far(faces) + _eyes(faces)


def _repeated(faces, progress):
    """Messages on faces with exactly the same pixels."""
    images = tqdm(faces.images, desc="compare", unit=" faces", disable=not progress)
    table = faces.table.assign(pixels=[hashlib.sha256(image).digest() for image in images])
    table = table[table.duplicated("pixels", keep=False)]
    groups = [group for _, group in table.groupby("pixels", sort=False)]
    within = [group for group in groups if len(set(group["split"])) == 1]
    across = [group for group in groups if len(set(group["split"])) > 1]
    return [
        f"{len(groups):,} pictures {where} (first: {' and '.join(groups[0]['id'][:2])})"
        for groups, where in (
            (across, "are in more than one split"), (within, "occur twice in a split")
        )
        if groups
    ]  # fmt: skip


def _far(faces):
    """A message on faces with a landmark outside their crop."""
    far = (np.abs(faces.landmarks) > FAR).any(axis=(1, 2))
    return _on_faces(faces, far, "have landmarks outside their stored crop (first: {})")


def _eyes(faces):
    """A message on faces whose eyes have no distance, by which errors are divided."""
    if not faces.scheme.interocular:
        return []
    left, right = (faces.landmarks[:, list(side)].mean(axis=1) for side in faces.scheme.interocular)
    same = (left == right).all(axis=-1)
    return _on_faces(faces, same, "have both eyes in one point (first: {}): they have no error")


def _on_faces(faces, chosen, finding):
    """The finding with the number of the chosen faces and the first of them; or nothing."""
    ids = faces.table["id"][chosen]
    return [f"{len(ids):,} faces {finding.format(ids.iloc[0])}"] if len(ids) else []


def contact_sheet(faces: FaceSet, n: int = 40, seed: int = 0) -> Figure:
    """Draws random faces with their landmarks, whether visible or hidden.

    Args:
        faces: The face set.
        n: Number of faces, at most.
        seed: Seed of the choice.
    """
    n = min(n, len(faces))
    rows = np.sort(np.random.default_rng(seed).choice(len(faces), n, replace=False))
    shown = [{"hard": points} for points in faces.landmarks[rows]]
    return plots.face_grid(faces.images[rows], shown, faces.scheme, columns=8, side=1.6, size=2)
