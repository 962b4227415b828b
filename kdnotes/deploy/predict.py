"""A photo in, landmarks out; with onnxruntime where it is installed, else with PyTorch.

The face is found, or its landmarks' box is given (from the brows to the chin, from ear to ear).
Coordinates are pixels of the upright picture, counted from the middle of its first pixel.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from kdnotes.data import crops, schemes
from kdnotes.data.pictures import as_image, read_picture
from kdnotes.deploy.detect import find_faces
from kdnotes.deploy.photos import drawn
from kdnotes.models import zoo
from kdnotes.system.files import new_file, write_json

UNIT = "pixels of the upright picture, (0, 0) = middle of its first pixel"

#: The network that is used where none is named.
STUDENT = "student-kd", "youtube-faces"

Box = tuple[float, float, float, float]


class Reader(Protocol):
    """A network that reads crops: `models.LandmarkNet`, or `exported.Exported` without PyTorch."""

    config: object  # n_points, size, crop_margin

    def read(self, crops: np.ndarray) -> np.ndarray: ...


def check_box(image: np.ndarray, box: Box) -> None:
    """
    Raises:
        ValueError: A box without an area, or outside the picture.
    """
    height, width = image.shape[:2]
    x, y, w, h = box
    inside = x < width and y < height and x + w > 0 and y + h > 0
    if not (np.isfinite(box).all() and w > 0 and h > 0 and inside):
        raise ValueError(
            f"box {box} is no part of the picture of {width} × {height} pixels; expected x, y, "
            "width, height of the face, in pixels"
        )


def look(net: Reader, image: np.ndarray, crop: tuple[float, float, float]) -> np.ndarray:
    """Landmarks `(L, 2)` in pixels of `image`, as the network sees them in `crop` (cx, cy, side).

    The same answer for a face alone and in company: each is looked at by itself.
    """
    small = crops.cut(image, crop, net.config.size)
    return np.asarray(crop[:2]) + crop[2] * net.read(small[None])[0].astype(np.float64)


def predict(
    net: Reader, image: np.ndarray, box: Box | None = None, *, looks: int = 1
) -> np.ndarray:
    """Landmarks `(L, 2)` of one face in pixels of `image`.

    Args:
        image: Any picture that `pictures.as_image` takes.
        box: The landmarks' box x, y, width, height in pixels; None: the largest square in the
            middle of the picture is the network's crop.
        looks: How often to look: each time after the first at the box of the landmarks that were
            found. Twice, where the box comes from a detector.

    Raises:
        ValueError: A picture or a box that makes no sense.
    """
    image, margin = as_image(image), net.config.crop_margin
    if box is None:
        height, width = image.shape[:2]
        crop = (width - 1) / 2, (height - 1) / 2, float(min(width, height))
    else:
        check_box(image, box)
        crop = crops.square_around(box, margin)
    points = look(net, image, crop)
    for _ in range(looks - 1):
        points = look(net, image, crops.square_around(crops.landmarks_box(points), margin))
    return points


def find(net: Reader, image: np.ndarray) -> list[tuple[Box, np.ndarray]]:
    """Box and landmarks of each face that is found, the largest first; none is an empty list."""
    return [(box, predict(net, image, box, looks=2)) for box in find_faces(image)]


def predict_files(
    photos: Sequence[Path],
    net: Reader,
    out: Path,
    boxes: Sequence[Box] = (),
    *,
    whole: bool = False,
) -> Iterator[tuple[bool, str]]:
    """Writes `NAME_landmarks.json` and the drawn `NAME_landmarks.png` for each photo.

    Args:
        photos: Picture files.
        boxes: Landmarks' boxes of the faces of each photo; without one, faces are looked for.
        whole: The whole picture is one face's crop.

    Yields:
        Whether all is well, and a line to print: one for each photo, and one for each box at which
        no face can be. A photo that cannot be read or written ends nothing but itself.

    Raises:
        ValueError: Two photos whose results would have the same name.
    """
    results = [out / f"{path.stem}_landmarks" for path in photos]
    for i, result in enumerate(results):
        if result in results[:i]:
            other = photos[results.index(result)]
            raise ValueError(f"{other} and {photos[i]} would have one result, {result}.json")
    for path, result in zip(photos, results, strict=True):
        faces, problems = [], []
        try:
            image = read_picture(path).pixels
            if whole:
                faces = [(None, predict(net, image))]
            elif boxes:
                faces, problems = _at_boxes(net, image, boxes)
            else:
                faces = find(net, image)
            if not problems or faces:
                _write(result, path, image, faces, net)
        except (OSError, ValueError) as error:
            named = str(path) in str(error)
            yield False, f"skipped: {error}" if named else f"skipped: {path}: {error}"
            continue
        for problem in problems:
            yield False, f"{path}: {problem}"
        if not problems or faces:
            words = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces)} faces")
            yield bool(faces), f"{path}: {words} → {result}.json and .png"


def _at_boxes(net, image, boxes):
    """The faces at boxes, and a sentence for each box at which none can be."""
    faces, problems = [], []
    for number, box in enumerate(boxes, start=1):
        try:
            faces.append((box, predict(net, image, box)))
        except ValueError as error:
            problems.append(f"face {number} of {len(boxes)} left out: {error}")
    return faces, problems


def _write(result, path, image, faces, net):
    about = {
        "photo": path.name,
        "width": image.shape[1],
        "height": image.shape[0],
        "unit": UNIT,
        "box": "x, y, width, height",
        "faces": [
            {"box": None if box is None else np.round(box, 2), "landmarks": points.round(2)}
            for box, points in faces
        ],
    }
    picture = drawn(image, [points for _, points in faces], schemes.of_config(net.config))
    with new_file(result.with_name(f"{result.name}.png")) as part:
        picture.save(part, format="png")
        write_json(result.with_name(f"{result.name}.json"), about)  # both files, or none


def load(network: Path | None) -> Reader:
    """The network of that file (ONNX or safetensors), or the one that ships with the course."""
    exported = network.suffix == ".onnx" if network else importlib.util.find_spec("onnxruntime")
    if exported:
        from kdnotes.deploy.exported import Exported

        return Exported(network or zoo.exported(*STUDENT))
    if network:
        from kdnotes import models

        return models.load(network)
    return zoo.load(*STUDENT)
