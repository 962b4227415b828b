"""Which faces are hard: errors by pose, by what is in the picture, by skin tone, by visibility.

breakdown.table(pred, faces)          # one row per group of faces
"""

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.data import crops
from kdnotes.data.faceset import FaceSet

#: Borders of the groups, and their names.
TURN = ([0, 15, 30, 45, 90], ["0–15°", "15–30°", "30–45°", "over 45°"])
SKIN_TONE = ([0, 3, 6, 10], ["1–3 (light)", "4–6", "7–10 (deep)"])


def yaw(faces: FaceSet) -> np.ndarray | None:
    """The turn of each head in degrees: as the face set says, else estimated from the points.

    Returns:
        `(N,)`, or None where neither the face set nor its scheme tells it.
    """
    if "yaw" in faces.table:
        return faces.table["yaw"].to_numpy(float)
    if not crops.knows_yaw(faces.scheme):
        return None
    return np.array([crops.estimate_yaw(points, faces.scheme) for points in faces.landmarks])


def turn(yaw: np.ndarray) -> np.ndarray:
    """The name of each face's group in `TURN`, `(N,)`; "nan" where the yaw is unknown.

    Args:
        yaw: `(N,)` in degrees.
    """
    edges, names = TURN
    return pd.cut(np.abs(yaw), edges, labels=names, include_lowest=True).astype(str)


def groups(faces: FaceSet) -> dict[tuple[str, str], np.ndarray]:
    """Which faces are in which group.

    Returns:
        (by what, which group) to `(N,)` bool. There are only groups that the face set knows of and
        that have a face.
    """
    table, members = faces.table, {("all", "all"): np.ones(len(faces), bool)}
    degrees = yaw(faces)
    if degrees is not None:
        members |= {("turn", name): turn(degrees) == name for name in TURN[1]}
    if "skin_tone" in table:
        edges, names = SKIN_TONE
        tone = pd.cut(table["skin_tone"], edges, labels=names)
        members |= {("skin tone", name): (tone == name).to_numpy() for name in names}
    members |= {("subset", name): table[name].to_numpy(bool) for name in faces.meta["subsets"]}
    return {group: inside for group, inside in members.items() if inside.any()}


def table(pred: np.ndarray, faces: FaceSet, normaliser: metrics.Normaliser | None = None):
    """Mean and median error of each group of faces, with an interval over people.

    Args:
        pred: `(N, L, 2)` in stored-crop units.
        faces: The faces.
        normaliser: What divides the errors; None: the scheme's own.

    Returns:
        DataFrame: by, group, faces, nme, low, high, median (fractions of the normaliser). Where the
        face set knows hidden points, the rows "points" hold the errors of visible and of hidden
        points, over the faces that have any; a row without a face is left out.
    """
    points = metrics.point_errors(pred, faces.landmarks, faces.scheme, normaliser)
    people = faces.people()
    rows = [
        _row(by, group, points[inside].mean(axis=1), people[inside])
        for (by, group), inside in groups(faces).items()
    ]
    if not faces.visible.all():
        for group, counts in (("visible", faces.visible), ("hidden", ~faces.visible)):
            some = counts.any(axis=1)
            if some.any():
                errors = np.average(points[some], axis=1, weights=counts[some])
                rows.append(_row("points", group, errors, people[some]))
    return pd.DataFrame(rows)


def _row(by, group, errors, people):
    nme, low, high = metrics.mean_interval(errors, people)
    return {
        "by": by,
        "group": group,
        "faces": len(errors),
        "nme": nme,
        "low": low,
        "high": high,
        "median": np.median(errors),
    }
