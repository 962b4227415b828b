"""Finding faces with the detector of the live page, a small YOLO v2 (see `face_api_detector`).

It knows faces that take a sixth to two thirds of what it sees, so it sees the whole picture at many
sizes, and of boxes that lie on each other the surest one is kept. They are about where the
landmarks' boxes lie; what is left of the difference is taken out by looking twice
(`kdnotes.deploy.predict`).

Of 200 test photos each (re-encoded copies), as they are and in the middle of a picture 2.5 times as
wide, it finds the face in 0.995 and 0.995 of YouTube Faces, 1.000 and 1.000 of 300W; OpenCV's Haar
cascade, which was used before, in 0.995 and 0.995, 0.960 and 0.970. On faces that both find, the
errors of the student that ships are the same to 0.03 % of the eyes' distance.
"""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kdnotes.data import crops
from kdnotes.deploy.exported import about_of

MODEL = Path(__file__).parent / "web" / "detector.onnx"

#: Sides in pixels at which a picture is seen, as a square: multiples of 32, the cells' side, each
#: about a quarter larger than the one before.
SIDES = (96, 128, 160, 192, 256, 320, 416, 512, 640, 832, 1024)

#: A picture is enlarged by this factor at most, unless it is tiny.
ENLARGED = 1.5

#: The least score of a face, and the share of overlap from which two boxes are one face's.
LEAST, OVERLAP = 0.5, 0.3


def find_faces(image: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Boxes x, y, width, height about where the landmarks of each face lie; the largest first.

    Args:
        image: `(H, W, 3)` uint8.

    Raises:
        RuntimeError: onnxruntime is not installed.
    """
    sides = [side for side in SIDES if side <= max(160, ENLARGED * max(image.shape[:2]))]
    boxes = np.concatenate([_seen(image, side) for side in sides])  # (N, 5)
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept = []
    for box in boxes:
        if all(_overlap(box, other) <= OVERLAP for other in kept):
            kept.append(box)
    kept.sort(key=lambda box: -box[2] * box[3])
    return [tuple(map(float, box[:4])) for box in kept]


def _seen(image, side):
    """Boxes and scores `(N, 5)` in pixels of the picture, seen as a square of that side."""
    session, about = _detector()
    height, width = image.shape[:2]
    whole = (width - 1) / 2, (height - 1) / 2, float(max(width, height))
    cells = session.run(None, {"pixels": crops.cut(image, whole, side)[None]})[0][0]
    n, anchors = len(cells), np.array(about["anchors"])  # (A, 2)
    cells = cells.reshape(n, n, len(anchors), 5).astype(np.float64)
    scores = _sigmoid(cells[..., 4])
    column_and_row = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1)[:, :, None]
    pixels = whole[2] / n  # of a cell
    sizes = np.exp(cells[..., 2:4]) * anchors * pixels / about["larger"]
    middles = (column_and_row + _sigmoid(cells[..., :2])) * pixels - about["middle"] * sizes
    corners = np.array(whole[:2]) - whole[2] / 2 + middles - sizes / 2
    boxes = np.concatenate([corners, sizes, scores[..., None]], axis=-1)
    return boxes[scores >= LEAST]


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _overlap(one, other):
    """Intersection over union of two boxes."""
    shared = np.minimum(one[:2] + one[2:4], other[:2] + other[2:4]) - np.maximum(one[:2], other[:2])
    area = np.prod(np.maximum(shared, 0))
    return area / (one[2] * one[3] + other[2] * other[3] - area)


class _Detector(NamedTuple):
    session: Any
    about: dict  # see `face_api_detector.ABOUT`


@functools.cache
def _detector() -> _Detector:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "faces are found with onnxruntime, which is not here: pip install onnxruntime, or say "
            "where the face is with --box"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    session = onnxruntime.InferenceSession(str(MODEL), options, ["CPUExecutionProvider"])
    return _Detector(session, about_of(MODEL))
