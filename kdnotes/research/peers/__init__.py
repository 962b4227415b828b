"""Our student against dlib and face-api, on the same photographs and by the same measure.

    python -m kdnotes peers --dir UNPACKED_ARCHIVE

Each peer is measured on the box that it is made for, on the landmarks' box, and on the box of one
common detector. The peers were trained on other labels, and all their points lie a little to one
side of these labels. So every row is given as it is, and without a constant shift, which is fitted
on validation faces. Our student was trained on other people of the same data set; the peers were
not, which favours our student. It runs in onnxruntime where the extra `export` is installed, else
in PyTorch, which is several times slower for one face.
"""

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.course.machine import hardware
from kdnotes.data import crops
from kdnotes.data.crops import Sample
from kdnotes.data.formats import read_youtube_faces
from kdnotes.deploy import detect
from kdnotes.deploy.export import export
from kdnotes.deploy.exported import Exported
from kdnotes.deploy.predict import STUDENT, Reader, load, predict
from kdnotes.evaluation.cost import one_thread
from kdnotes.evaluation.report import per_cent
from kdnotes.models import zoo
from kdnotes.research.peers import dlib_peer, face_api
from kdnotes.research.peers.common import Answers, Unavailable, timed

__all__ = ["Answers", "Photos", "Unavailable", "compare", "ours", "run", "table"]

#: Names of the boxes in the table.
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
    def from_samples(cls, faces: list[Sample]) -> "Photos":
        return cls([face.image for face in faces], np.stack([face.points for face in faces]))

    def landmarks_boxes(self) -> list[tuple]:
        """The box (x, y, width, height) of each face's landmarks."""
        return [crops.landmarks_box(points) for points in self.points]

    def square_boxes(self) -> list[tuple]:
        """The landmarks' boxes made square, for dlib where its own detector is not used."""
        squares = [crops.square_around(box, 1.0) for box in self.landmarks_boxes()]
        return [(cx - side / 2, cy - side / 2, side, side) for cx, cy, side in squares]

    def detector_boxes(self) -> list[tuple]:
        """The `nearest` boxes of the common detector."""
        return self.nearest([detect.find_faces(image) for image in self.images])

    def own_boxes(self) -> list[tuple]:
        """The `nearest` boxes of dlib's detector."""
        return self.nearest(dlib_peer.detect(self.images))

    def nearest(self, detected: list[list[tuple]]) -> list[tuple]:
        """One of the detected boxes for each face.

        Args:
            detected: For each picture the boxes of a detector.

        Returns:
            For each face the first box whose centre lies in the landmarks' square box, or this
            square box where there is none.
        """
        chosen = []
        for boxes, square in zip(detected, self.square_boxes(), strict=True):
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
    """The network in the form in which it is timed, and the name of what runs it."""
    if isinstance(net, Exported):
        return net, "onnxruntime"
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        return net, "PyTorch"
    with tempfile.TemporaryDirectory() as folder:
        return Exported(export(net, Path(folder) / "student.onnx")), "onnxruntime"


def ours(net: Reader, images: list, boxes: list[tuple], looks: int = 1) -> Answers:
    """Our student's answers, one face at a time, timed on one thread with the picture's crop.

    Args:
        net: As `runtime` returns it.
        images: `(H, W, 3)` uint8 each.
        boxes: x, y, width, height of each face.
        looks: How often the network looks at a face, each time at the box of its last answer.
    """
    with one_thread():
        points, milliseconds = timed(partial(predict, net, looks=looks), images, boxes)
    return Answers(np.stack(points), milliseconds)


def _sides(points):
    """The longer side of each landmarks' box, `(N, 1, 1)`."""
    return np.ptp(points, axis=1).max(axis=-1)[:, None, None]


def shift(answers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The mean offset `(2,)` of answers from landmarks, in longer sides of the landmarks' box.

    Args:
        answers, points: `(N, L, 2)` in pixels.
    """
    return ((answers - points) / _sides(points)).mean(axis=(0, 1))


def row(
    name: str,
    box: str,
    size: int,
    answer: Callable[[Photos], Answers],
    validation: Photos,
    test: Photos,
) -> dict:
    """One row of the table.

    Args:
        name: Who answers.
        box: Name of the box.
        size: Bytes of the model.
        answer: Photos to `Answers`.
        validation: The photographs that the shift is fitted on.
        test: The photographs that are measured.
    """
    offset = shift(answer(validation).points, validation.points)
    answers = answer(test)
    moved = answers.points - offset * _sides(test.points)
    errors, without = (metrics.nme(p, test.points, 68) for p in (answers.points, moved))
    return {
        "who": name,
        "box": box,
        "nme": float(errors.mean()),
        "median": float(np.median(errors)),
        "fr10": float(metrics.failure_rate(errors)),
        "shift": offset.round(5).tolist(),
        "nme_without_shift": float(without.mean()),
        "milliseconds": answers.milliseconds,
        "bytes": size,
    }


def compare(
    validation: Photos, test: Photos, net: Reader, size: int, npm: Path
) -> tuple[list[dict], list[str]]:
    """Measures whoever can be measured on this machine.

    Args:
        validation: The photographs that shifts are fitted on.
        test: The photographs that are measured.
        net: Our student, as `runtime` returns it.
        size: Bytes of its file.
        npm: Folder for face-api's packages.

    Returns:
        The rows, and for each peer that is missing the reason.
    """
    rows, missing = [], []

    def add(name, size, boxes_by_name, predict):
        for box, boxes_of in boxes_by_name.items():
            answer = partial(_answer, predict, boxes_of)
            rows.append(row(name, box, size, answer, validation, test))

    landmarks, detector = Photos.landmarks_boxes, Photos.detector_boxes
    add("ours", size, {LANDMARKS: landmarks}, partial(ours, net))
    both = {LANDMARKS: landmarks, DETECTOR: detector}
    add("ours, looking twice", size, both, partial(ours, net, looks=2))
    try:
        boxes = {OWN: Photos.own_boxes, LANDMARKS: Photos.square_boxes, DETECTOR: detector}
        add("dlib", dlib_peer.size(), boxes, dlib_peer.predict)
    except Unavailable as error:
        missing.append(str(error))
    try:
        folder = face_api.install(npm)
        boxes = {f"{OWN} (landmarks' box × 1.2)": landmarks, DETECTOR: detector}
        for name in face_api.MODELS:
            size = face_api.size(folder, name)
            add(name, size, boxes, partial(face_api.predict, name, folder))
    except Unavailable as error:
        missing.append(str(error))
    return rows, missing


def _answer(predict, boxes_of, photos):
    """What a peer answers for photographs, on boxes of one kind."""
    return predict(photos.images, boxes_of(photos))


def run(folder: Path, network: Path | None, npm: Path) -> dict:
    """The whole comparison on the photographs of an unpacked data set.

    Args:
        folder: YouTube Faces with facial keypoints, unpacked.
        network: File of our student; None: the one that ships.
        npm: Folder for face-api's packages.

    Returns:
        JSON values: the rows, what is missing and why, how many faces, and the machine.
    """
    faces = [face for face in read_youtube_faces(folder) if isinstance(face, Sample)]
    validation, test = (
        Photos.from_samples([face for face in faces if face.split == split])
        for split in ("validation", "test")
    )
    net, runs_in = runtime(load(network) if network else load())
    size = network.stat().st_size if network else zoo.size(*STUDENT)
    rows, missing = compare(validation, test, net, size, npm)
    return {
        "test_faces": len(test.images),
        "normaliser": "interocular",
        "ours_runs_in": runs_in,
        "hardware": hardware(),
        "missing": missing,
        "rows": rows,
    }


def table(results: dict) -> pd.DataFrame:
    """The rows as a table for people, percentages as text.

    Args:
        results: What `run` returns.
    """
    rows = pd.DataFrame(results["rows"]).set_index("who")
    shares = rows[["nme", "median", "fr10", "nme_without_shift"]].apply(per_cent)
    milliseconds = rows["milliseconds"].map("{:.1f}".format).rename("ms a face")
    megabytes = (rows["bytes"] / 1e6).map("{:.2f}".format).rename("MB")
    return pd.concat([rows["box"], shares, milliseconds, megabytes], axis="columns")
