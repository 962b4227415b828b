"""A photograph in, landmarks out: with onnxruntime where it is installed, else with PyTorch.

The face is detected, or the box of its landmarks is given, from the brows to the chin and from ear
to ear. Coordinates are pixels of the upright picture, with the origin at the centre of its first
pixel.
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

#: The network that is used unless another one is named. Its weights may be used for everything.
STUDENT = "student-kd", zoo.PHOTOGRAPHS

Box = tuple[float, float, float, float]


class Reader(Protocol):
    """A network that reads crops: a `models.LandmarkNet`, or an `exported.Exported` without
    PyTorch."""

    config: object  # n_points, size, crop_margin

    def read(self, crops: np.ndarray) -> np.ndarray: ...


def check_box(image: np.ndarray, box: Box) -> None:
    """Checks that a face can be in a box.

    Args:
        image: `(H, W, …)`.
        box: x, y, width, height in pixels.

    Raises:
        ValueError: The box has no area, or is outside the picture.
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
    """Landmarks as the network sees them in one crop.

    Each face is read on its own, so its landmarks do not depend on other faces.

    Args:
        net: The network.
        image: `(H, W, 3)` uint8.
        crop: Centre x, centre y and side in pixels of the image.

    Returns:
        `(L, 2)` in pixels of the image.
    """
    small = crops.cut(image, crop, net.config.size)
    return np.asarray(crop[:2]) + crop[2] * net.read(small[None])[0].astype(np.float64)


def predict(
    net: Reader, image: np.ndarray, box: Box | None = None, *, looks: int = 1
) -> np.ndarray:
    """Landmarks of one face.

    Args:
        net: The network.
        image: Any picture that `pictures.as_image` takes.
        box: The box x, y, width, height of the landmarks in pixels. None: the whole picture, where
            the network was trained on whole pictures, else the largest square in its middle.
        looks: How often the network reads the face. Each time after the first, its crop is cut
            around the landmarks found before. Use 2 where the box comes from a detector.

    Returns:
        `(L, 2)` in pixels of the image.

    Raises:
        ValueError: The picture or the box cannot be used.
    """
    image, margin = as_image(image), net.config.crop_margin
    if box is None and net.config.box == "picture":
        crop = crops.square_around(crops.picture_box(image), margin)
    elif box is None:
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
    """Detects the faces of a picture and reads their landmarks.

    Args:
        net: The network.
        image: `(H, W, 3)` uint8.

    Returns:
        Box and landmarks of each face, the largest first; empty if there is no face.
    """
    return [(box, predict(net, image, box, looks=2)) for box in find_faces(image)]


def predict_files(
    photos: Sequence[Path],
    net: Reader,
    out: Path,
    boxes: Sequence[Box] = (),
    *,
    whole: bool = False,
) -> Iterator[tuple[bool, str]]:
    """Writes `NAME_landmarks.json` and the drawn `NAME_landmarks.png` for each photograph.

    A photograph that cannot be read or written does not stop the others.

    Args:
        photos: Picture files.
        net: The network.
        out: Folder for the results.
        boxes: The landmarks' boxes of the faces in each photograph. Without boxes, faces are
            detected.
        whole: The whole picture is the crop of one face.

    Yields:
        Whether all is well, and a line to print: one for each photograph, and one for each box at
        which no face can be.

    Raises:
        ValueError: The results of two photographs would have the same name.
    """
    results = {}
    for path in photos:
        result = out / f"{path.stem}_landmarks"
        if result in results:
            raise ValueError(f"{results[result]} and {path} would have one result, {result}.json")
        results[result] = path
    for result, path in results.items():
        try:
            faces, problems = _predict_file(path, net, result, boxes, whole)
        except (OSError, ValueError) as error:
            reason = str(error)
            if str(path) not in reason:
                reason = f"{path}: {reason}"
            yield False, f"skipped: {reason}"
            continue
        for problem in problems:
            yield False, f"{path}: {problem}"
        if faces or not problems:
            count = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces)} faces")
            yield bool(faces), f"{path}: {count} → {result}.json and .png"


def _predict_file(path, net, result, boxes, whole):
    """The faces of one photograph, written to files, and a sentence for each unusable box."""
    image, problems = read_picture(path).pixels, []
    if whole or (not boxes and net.config.box == "picture"):
        faces = [(None, predict(net, image))]
    elif boxes:
        faces, problems = _at_boxes(net, image, boxes)
    else:
        faces = find(net, image)
    if faces or not problems:
        _write(result, path, image, faces, net)
    return faces, problems


def _at_boxes(net, image, boxes):
    """The faces at the boxes, and a sentence for each box at which no face can be."""
    faces, problems = [], []
    for number, box in enumerate(boxes, start=1):
        try:
            faces.append((box, predict(net, image, box)))
        except ValueError as error:
            problems.append(f"face {number} of {len(boxes)} left out: {error}")
    return faces, problems


def _write(result, path, image, faces, net):
    """Writes landmarks and drawing of a photograph: both files or none."""
    content = {
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
        write_json(result.with_name(f"{result.name}.json"), content)


def load(network: str | Path = STUDENT[0], data: str = STUDENT[1]) -> Reader:
    """Loads a network for prediction.

    Args:
        network: The name of a network that ships, in onnxruntime if that is installed and it ships
            as an ONNX file; or the path of an ONNX or safetensors file.
        data: The face set that a network that ships was trained on.

    Raises:
        ValueError: No such network, or a damaged file.
    """
    exported = importlib.util.find_spec("onnxruntime") is not None
    path = zoo.find(str(network), data, exported=exported)
    if path.suffix == ".onnx":
        from kdnotes.deploy.exported import Exported

        return Exported(path)
    from kdnotes import models

    return models.load(path)


def about(net: Reader) -> str:
    """A network's name, data and licence in a line; "" where its file does not say them."""
    card = getattr(net, "about", None) or getattr(net, "card", {})
    name, data, licence = (card.get(key) for key in ("name", "data", "licence"))
    if not (name and data and licence):
        return ""
    return f"{name}, trained on {data if isinstance(data, str) else data['title']}. {licence}"
