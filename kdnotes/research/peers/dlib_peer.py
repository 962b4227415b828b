"""dlib's 68-point predictor, which most tutorials use (Kazemi and Sullivan, CVPR 2014)."""

import importlib.util
from pathlib import Path

import numpy as np

from kdnotes.research.peers.common import Answers, Unavailable, timed


def _open():
    """The module and the model's file.

    Raises:
        Unavailable: One of the two packages is not installed.
    """
    package = importlib.util.find_spec("face_recognition_models")  # importing it may fail
    try:
        import dlib
    except ImportError:
        package = None
    if package is None:
        raise Unavailable('dlib or its model is not here: pip install "kdnotes[peers]"')
    return dlib, Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"


def size() -> int:
    """Bytes of the model."""
    return _open()[1].stat().st_size


def detect(images: list) -> list[list[tuple[float, float, float, float]]]:
    """Boxes of dlib's own detector.

    Each picture is searched at twice its size, without which small faces are missed.

    Args:
        images: `(H, W, 3)` uint8 each.

    Returns:
        For each picture the largest box (x, y, width, height), or none.
    """
    dlib, _ = _open()
    detector, largest = dlib.get_frontal_face_detector(), []
    for image in images:
        boxes = sorted(detector(np.ascontiguousarray(image), 1), key=lambda box: -box.width())
        largest.append(
            [(box.left(), box.top(), float(box.width()), float(box.height())) for box in boxes[:1]]
        )
    return largest


def predict(images: list, boxes: list) -> Answers:
    """Landmarks of one face per picture.

    Args:
        images: `(H, W, 3)` uint8 each.
        boxes: x, y, width, height of each face, as the predictor expects it.
    """
    dlib, model = _open()
    shapes, milliseconds = timed(
        dlib.shape_predictor(str(model)),
        [np.ascontiguousarray(image) for image in images],
        [dlib.rectangle(*map(round, (x, y, x + w, y + h))) for x, y, w, h in boxes],
    )
    points = [[(part.x, part.y) for part in shape.parts()] for shape in shapes]
    return Answers(np.array(points, float), milliseconds)
