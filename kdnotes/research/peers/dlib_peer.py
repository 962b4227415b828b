"""dlib's 68-point predictor, which most tutorials use (Kazemi and Sullivan, CVPR 2014)."""

import importlib.util
import time
from pathlib import Path

import numpy as np

from kdnotes.research.peers.common import Answers, Unavailable


def _open():
    """The module and the model's file.

    Raises:
        Unavailable: One of the two packages is not installed.
    """
    package = importlib.util.find_spec("face_recognition_models")  # it cannot always be imported
    try:
        import dlib
    except ImportError:
        dlib = None
    if dlib is None or package is None:
        raise Unavailable('dlib or its model is not here: pip install "kdnotes[peers]"')
    return dlib, Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"


def size() -> int:
    """Bytes of the model."""
    return _open()[1].stat().st_size


def detect(images: list) -> list[tuple[float, float, float, float] | None]:
    """The box of dlib's own detector for each picture, the largest where there are several.

    The picture is searched at twice its size, without which small faces are missed.
    """
    dlib, _ = _open()
    detector, found = dlib.get_frontal_face_detector(), []
    for image in images:
        boxes = sorted(detector(np.ascontiguousarray(image), 1), key=lambda box: -box.width())
        first = boxes[0] if boxes else None
        found.append(
            first and (first.left(), first.top(), float(first.width()), float(first.height()))
        )
    return found


def predict(images: list, boxes: list) -> Answers:
    """Landmarks of one face per picture.

    Args:
        images: `(H, W, 3)` uint8 each.
        boxes: x, y, width, height of each face, as the predictor shall see it.
    """
    dlib, model = _open()
    predictor, points, seconds = dlib.shape_predictor(str(model)), [], []
    for image, (x, y, width, height) in zip(images, boxes, strict=True):
        image = np.ascontiguousarray(image)
        sides = (round(v) for v in (x, y, x + width, y + height))
        began = time.perf_counter()
        shape = predictor(image, dlib.rectangle(*sides))
        seconds.append(time.perf_counter() - began)
        points.append([(part.x, part.y) for part in shape.parts()])
    return Answers(np.array(points, float), 1000 * float(np.median(seconds)))
