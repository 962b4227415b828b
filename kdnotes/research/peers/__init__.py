"""Against what people use: dlib and face-api on the same photographs, by the same measure.

    python -m kdnotes peers --dir UNPACKED_ARCHIVE

Each peer answers on the box that it is made for, on the landmarks' box, and on one common
detector's box. The peers were trained elsewhere and put all points a little to one side of these
labels; so every row is given as it is, and once more with one constant shift taken out, which is
fitted on validation faces. Our student was trained on other people of the same set, the peers were
not: that is part of what the table shows. It runs in onnxruntime where the extra `export` is
installed, else in PyTorch, which is several times slower for one face.
"""

import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from kdnotes import metrics
from kdnotes.course.machine import hardware
from kdnotes.data import crops
from kdnotes.data.crops import Sample
from kdnotes.data.formats import read_youtube_faces
from kdnotes.deploy import detect
from kdnotes.deploy.export import export
from kdnotes.deploy.exported import Exported
from kdnotes.deploy.predict import STUDENT, Reader, load, predict
from kdnotes.models import zoo
from kdnotes.research.peers import dlib_peer, face_api
from kdnotes.research.peers.common import Answers, Unavailable

__all__ = ["Answers", "Photos", "Unavailable", "compare", "ours", "run", "table"]

#: How the boxes are called in the table.
OWN, LANDMARKS, DETECTOR = "its own", "landmarks' box", "common detector (face-api tiny)"


@dataclass(frozen=True)
class Photos:
    """Photographs of one split.

    Attributes:
        images: `(H, W, 3)` uint8 each.
        points: `(N, L, 2)` landmarks in pixels.
    """

    images: list[np.ndarray]
    points: np.ndarray

    @classmethod
    def of(cls, faces: list[Sample]) -> "Photos":
        return cls([face.image for face in faces], np.stack([face.points for face in faces]))

    def landmarks_boxes(self) -> list[tuple]:
        return [crops.landmarks_box(points) for points in self.points]

    def square_boxes(self) -> list[tuple]:
        """The landmarks' boxes, made square: what dlib is given where its detector is not used."""
        squares = [crops.square_around(box, 1.0) for box in self.landmarks_boxes()]
        return [(cx - side / 2, cy - side / 2, side, side) for cx, cy, side in squares]

    def detector_boxes(self) -> list[tuple]:
        """The common detector's, the nearest to the face where there are several; the landmarks'
        square box for a face that it misses."""
        return self.nearest([detect.find_faces(image) for image in self.images])

    def nearest(self, found: list[list[tuple]]) -> list[tuple]:
        chosen = []
        for boxes, square in zip(found, self.square_boxes(), strict=True):
            x, y, side, _ = square
            near = [
                box
                for box in boxes
                if abs(box[0] + box[2] / 2 - x - side / 2) < side / 2
                and abs(box[1] + box[3] / 2 - y - side / 2) < side / 2
            ]
            chosen.append(near[0] if near else square)
        return chosen


def runtime(net: Reader) -> tuple[Reader, str]:
    """The network as it is timed here, and what runs it."""
    if isinstance(net, Exported):
        return net, "onnxruntime"
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        return net, "PyTorch"
    with tempfile.TemporaryDirectory() as folder:
        return Exported(export(net, Path(folder) / "student.onnx")), "onnxruntime"


def ours(net, photos: Photos, boxes: list[tuple], looks: int) -> Answers:
    """Our student's answers, one face at a time, and its time on one thread (the picture's crop
    included); `net` as `runtime` gives it."""
    threads, seconds, points = torch.get_num_threads(), [], []
    torch.set_num_threads(1)
    try:
        for image, box in zip(photos.images, boxes, strict=True):
            began = time.perf_counter()
            points.append(predict(net, image, box, looks=looks))
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return Answers(np.stack(points), 1000 * float(np.median(seconds)))


def shift(answers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The mean offset `(2,)` of answers from landmarks, in longer sides of the landmarks' box."""
    sides = np.ptp(points, axis=1).max(axis=-1)  # (N,)
    return ((answers - points) / sides[:, None, None]).mean(axis=(0, 1))


def row(name, box, size, answer: Callable, validation: Photos, test: Photos) -> dict:
    """One row of the table.

    Args:
        size: Bytes of the model.
        answer: Photos to `Answers`.
    """
    fitted, found = answer(validation), answer(test)
    offset = shift(fitted.points, validation.points)
    sides = np.ptp(test.points, axis=1).max(axis=-1)
    moved = found.points - offset * sides[:, None, None]
    errors, without = (metrics.nme(p, test.points, 68) for p in (found.points, moved))
    return {
        "who": name,
        "box": box,
        "nme": float(errors.mean()),
        "median": float(np.median(errors)),
        "fr10": float(metrics.failure_rate(errors)),
        "shift": offset.round(5).tolist(),
        "nme_without_shift": float(without.mean()),
        "milliseconds": found.milliseconds,
        "bytes": size,
    }


def compare(
    validation: Photos, test: Photos, net: Reader, size: int, npm: Path
) -> tuple[list[dict], list[str]]:
    """All rows that can be had here, and why the others cannot.

    Args:
        net: Our student; `size`: bytes of its file.
        npm: Folder for face-api's packages.
    """
    rows, missing = [], []

    def add(name, size, boxes: dict, answer: Callable) -> None:
        for box, of in boxes.items():
            got = lambda photos, of=of: answer(photos, of(photos))  # noqa: E731
            rows.append(row(name, box, size, got, validation, test))

    common = {LANDMARKS: Photos.landmarks_boxes, DETECTOR: Photos.detector_boxes}
    add("ours", size, {LANDMARKS: common[LANDMARKS]}, lambda p, b: ours(net, p, b, 1))
    add("ours, looking twice", size, common, lambda p, b: ours(net, p, b, 2))
    try:
        detectors = {
            OWN: lambda photos: photos.nearest([[b] if b else [] for b in _hog(photos)]),
            LANDMARKS: Photos.square_boxes,
            DETECTOR: Photos.detector_boxes,
        }
        size = dlib_peer.size()
        add("dlib", size, detectors, lambda p, b: dlib_peer.predict(p.images, b))
    except Unavailable as error:
        missing.append(str(error))
    try:
        folder = face_api.install(npm)
        for name in face_api.MODELS:
            boxes = {f"{OWN} (landmarks' box × 1.2)": common[LANDMARKS], DETECTOR: common[DETECTOR]}
            add(name, face_api.size(folder, name), boxes,
                lambda p, b, name=name: face_api.predict(name, folder, p.images, b))  # fmt: skip
    except Unavailable as error:
        missing.append(str(error))
    return rows, missing


def _hog(photos):
    return dlib_peer.detect(photos.images)


def run(folder: Path, network: Path | None, npm: Path) -> dict:
    """The whole comparison on the photographs of an unpacked data set.

    Args:
        folder: YouTube Faces with facial keypoints, unpacked.
        network: Our student's file; None: the one that ships.
        npm: Folder for face-api's packages.

    Returns:
        JSON values: the rows, what is missing and why, how many faces, and the machine.
    """
    faces = [face for face in read_youtube_faces(folder) if isinstance(face, Sample)]
    splits = [Photos.of([f for f in faces if f.split == name]) for name in ("validation", "test")]
    net, name = runtime(load(network))
    size = network.stat().st_size if network else zoo.size(*STUDENT)
    rows, missing = compare(*splits, net, size, npm)
    about = {"test_faces": len(splits[1].images), "normaliser": "interocular", "ours_runs_in": name}
    return about | {"hardware": hardware(), "missing": missing, "rows": rows}


def table(found: dict) -> pd.DataFrame:
    """The rows for people."""
    rows = pd.DataFrame(found["rows"])
    shown = rows[["who", "box"]].copy()
    for name in ("nme", "median", "fr10", "nme_without_shift"):
        shown[name] = (100 * rows[name]).map("{:.2f}".format)
    shown["ms a face"] = rows["milliseconds"].map("{:.1f}".format)
    shown["MB"] = (rows["bytes"] / 1e6).map("{:.2f}".format)
    return shown.set_index("who")
