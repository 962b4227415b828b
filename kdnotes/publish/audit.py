"""A look at a face set before anything is trained on it: `python -m kdnotes data show PATH`."""

import hashlib
from collections import defaultdict

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from kdnotes import plots
from kdnotes.data.faceset import FaceSet
from kdnotes.data.subjects import dominant_subject, leaking_subjects

SPLITS = ("train", "validation", "test")

#: Landmarks farther from a crop's centre than this are worth a look; 0.5 is the crop's border.
FAR = 0.5


def warnings(faces: FaceSet, *, progress: bool = True) -> list[str]:
    """What is suspicious about a face set, a sentence each: people or pictures in more than one
    split, a person of too many faces, the same picture twice, hidden or far points, splits that are
    missing or unknown."""
    found = []
    missing = [name for name in SPLITS if name not in faces.counts()]
    if missing:
        found.append(f"no face is in the split {' or '.join(missing)}; the course needs all three")
    if unknown := [name for name in faces.counts() if name not in SPLITS]:
        found.append(f"nothing reads the split {' or '.join(unknown)}; rename it in the table")
    if people := leaking_subjects(faces.table):
        found.append(
            f"{len(people):,} people are in more than one split (first: {people[0]}): errors on "
            "the test split will look too small"
        )
    if sentence := dominant_subject(faces.table):
        found.append(sentence)
    if not faces.visible.any():
        found.append("no point of any face is visible: all of them count as hidden")
    return found + _repeated(faces, progress) + _far(faces) + _eyes(faces)


def _repeated(faces, progress):
    """Faces with the very same pixels."""
    places = defaultdict(list)
    for i in tqdm(range(len(faces)), desc="compare", unit=" faces", disable=not progress):
        places[hashlib.sha256(faces.images[i]).digest()].append(i)
    twins = [rows for rows in places.values() if len(rows) > 1]
    split = faces.table["split"].to_numpy()
    ids = faces.table["id"].to_numpy()
    across = [rows for rows in twins if len(set(split[rows])) > 1]
    found = []
    if across:
        first = " and ".join(ids[across[0][:2]])
        found.append(f"{len(across):,} pictures are in more than one split (first: {first})")
    if len(twins) > len(across):
        rows = next(rows for rows in twins if len(set(split[rows])) == 1)
        first = " and ".join(ids[rows[:2]])
        count = len(twins) - len(across)
        found.append(f"{count:,} pictures occur twice in a split (first: {first})")
    return found


def _far(faces):
    """Faces with a landmark outside their crop."""
    far = np.flatnonzero((np.abs(faces.landmarks) > FAR).any(axis=(1, 2)))
    if not far.size:
        return []
    first = faces.table["id"].iloc[far[0]]
    return [f"{far.size:,} faces have landmarks outside their stored crop (first: {first})"]


def _eyes(faces):
    """Faces without a distance between their eyes, which errors are divided by."""
    if not faces.scheme.interocular:
        return []
    left, right = (faces.landmarks[:, list(side)].mean(axis=1) for side in faces.scheme.interocular)
    same = np.flatnonzero((left == right).all(axis=-1))
    if not same.size:
        return []
    first = faces.table["id"].iloc[same[0]]
    return [f"{same.size:,} faces have both eyes in one point (first: {first}): they have no error"]


def contact_sheet(faces: FaceSet, n: int = 40, seed: int = 0) -> Figure:
    """Random faces with their landmarks, `n` of them; hidden points are not told apart."""
    n = min(n, len(faces))
    rows = np.sort(np.random.default_rng(seed).choice(len(faces), n, replace=False))
    shown = [{"hard": points} for points in faces.landmarks[rows]]
    return plots.face_grid(faces.images[rows], shown, faces.scheme, columns=8, side=1.6, size=2)
