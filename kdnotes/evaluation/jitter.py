"""What a box costs that does not fit: errors when the crop is moved and scaled.

A network is measured on crops around the landmarks' box, which nobody has outside of an evaluation.
A face detector's box lies elsewhere and is larger or smaller.
"""

from dataclasses import replace

import pandas as pd

from kdnotes import metrics, models
from kdnotes.data.faceset import FaceSet
from kdnotes.models import inference
from kdnotes.views import STILL

#: Half-widths of the uniform draws: shifts in crop widths, scales as a share.
SHIFTS = (0.0, 0.015, 0.03, 0.06, 0.09, 0.12, 0.15)
SCALES = (0.0, 0.06, 0.12, 0.18, 0.24)


def curve(net: models.LandmarkNet, faces: FaceSet, draws: int = 2) -> pd.DataFrame:
    """The mean error at each level of shift and of scale.

    Args:
        draws: Boxes per face and level; other levels move the same faces to the same side.

    Returns:
        DataFrame: kind ("shift" or "scale"), level, nme (a fraction).
    """
    rows = []
    for kind, levels in (("shift", SHIFTS), ("scale", SCALES)):
        for level in levels:
            moved = replace(STILL, **{kind: level})
            errors = [
                metrics.nme(
                    inference.predict(net, faces, moved=moved, seed=seed),
                    faces.landmarks,
                    faces.scheme,
                ).mean()
                for seed in range(draws if level else 1)
            ]
            rows.append({"kind": kind, "level": level, "nme": sum(errors) / len(errors)})
    return pd.DataFrame(rows)
