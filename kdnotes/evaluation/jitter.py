"""What a box costs that does not fit: errors when the crop is moved and scaled.

A network is measured on crops around the landmarks' box, which is known in an evaluation only. A
face detector's box lies elsewhere and is larger or smaller.
"""

from dataclasses import replace

import pandas as pd

from kdnotes import models
from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.views import STILL

#: Half-widths of the uniform draws: shifts in crop widths, scales as a share.
SHIFTS = (0.0, 0.015, 0.03, 0.06, 0.09, 0.12, 0.15)
SCALES = (0.0, 0.06, 0.12, 0.18, 0.24)


def curve(net: models.LandmarkNet, faces: FaceSet, draws: int = 2) -> pd.DataFrame:
    """The mean error at each level of shift and of scale.

    Args:
        net: The network.
        faces: Faces with landmarks.
        draws: Boxes per face and level. Each draw moves a face in the same direction at all levels.

    Returns:
        DataFrame: kind ("shift" or "scale"), level, nme (a fraction).
    """
    rows = []
    for kind, levels in (("shift", SHIFTS), ("scale", SCALES)):
        for level in levels:
            moved = replace(STILL, **{kind: level})
            errors = [
                report.errors(net, faces, moved=moved, seed=seed).mean()
                for seed in range(draws if level else 1)
            ]
            rows.append({"kind": kind, "level": level, "nme": sum(errors) / len(errors)})
    return pd.DataFrame(rows)
