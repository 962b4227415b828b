"""Our students against dlib and face-api, on the same photographs and by the same measure.

    python -m kdnotes peers --dir UNPACKED_ARCHIVE             # YouTube Faces
    python -m kdnotes peers --dir UNPACKED_ARCHIVES --of 300w

Each network is measured on the box that it is made for, on the landmarks' box, and on the box of
one common detector, as on one's own photographs. The peers were trained on other labels, and all
their points lie a little to one side of these labels. So every row is given as it is, and without a
constant shift, which is fitted on validation faces. One of our students was trained on other people
of the same data set, which favours it; dlib was trained on the very pictures of 300W. Ours run in
onnxruntime where the extra `export` is installed, else in PyTorch, which is several times slower
for one face.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.course.machine import hardware
from kdnotes.data import crops
from kdnotes.data.crops import Sample
from kdnotes.data.formats import read_300w, read_youtube_faces
from kdnotes.deploy import detect
from kdnotes.deploy.export import export
from kdnotes.deploy.exported import Exported
from kdnotes.deploy.predict import Reader, load, predict
from kdnotes.evaluation.cost import one_thread
from kdnotes.evaluation.report import per_cent
from kdnotes.models import zoo
from kdnotes.research.peers import dlib_peer, face_api
from kdnotes.research.peers.common import Answers, Unavailable, timed

__all__ = ["Answers", "Photos", "Unavailable", "compare", "ours", "run", "table"]

#: Names of the boxes in the table.
OWN, LANDMARKS, DETECTOR = "its own", "landmarks' box", "common detector (face-api tiny)"


#: What is compared on: how its faces are read, and who was trained on these very pictures.
READERS = {
    "youtube-faces": (read_youtube_faces, ()),
    "300w": (partial(read_300w, without=["ibug"]), ("dlib",)),
}


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


def runtime(net: Reader) -> Reader:
    """The network in the form in which it is timed: in onnxruntime, where that is installed."""
    needed = ("onnx", "onnxscript", "onnxruntime")
    if isinstance(net, Exported) or not all(map(importlib.util.find_spec, needed)):
        return net
    with tempfile.TemporaryDirectory() as folder:
        return Exported(export(net, Path(folder) / "student.onnx"))


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


@dataclass(frozen=True)
class Ours:
    """One of our networks.

    Attributes:
        name: In the table.
        net: As `runtime` returns it.
        size: Bytes of its file.
    """

    name: str
    net: Reader
    size: int


def compare(
    validation: Photos, test: Photos, nets: Sequence[Ours], npm: Path, seen: Sequence[str] = ()
) -> tuple[list[dict], list[str]]:
    """Measures whoever can be measured on this machine.

    Args:
        validation: The photographs that shifts are fitted on.
        test: The photographs that are measured.
        nets: Our networks.
        npm: Folder for face-api's packages.
        seen: Peers that were trained on these photographs.

    Returns:
        The rows, and for each peer that is missing the reason.
    """
    rows, missing = [], []

    def add(name, size, boxes_by_name, predict):
        if name in seen:
            name += ", trained on these pictures"
        for box, boxes_of in boxes_by_name.items():
            answer = partial(_answer, predict, boxes_of)
            rows.append(row(name, box, size, answer, validation, test))

    landmarks, detector = Photos.landmarks_boxes, Photos.detector_boxes
    both = {LANDMARKS: landmarks, DETECTOR: detector}
    for our in nets:
        add(our.name, our.size, {LANDMARKS: landmarks}, partial(ours, our.net))
        add(f"{our.name}, looking twice", our.size, both, partial(ours, our.net, looks=2))
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


def _students():
    """Our students that ship for photographs."""
    return [
        Ours(f"student of {data}", runtime(load(name, data)), zoo.size(name, data))
        for name, data in zoo.names()
        if name == "student-kd" and data in READERS
    ]


def run(folder: Path, network: Path | None, npm: Path, of: str = zoo.PHOTOGRAPHS) -> dict:
    """The whole comparison on the photographs of an unpacked data set.

    Args:
        folder: The data set, unpacked.
        network: File of our network; None: the students that ship for photographs.
        npm: Folder for face-api's packages.
        of: Which data set it is, a name in `READERS`.

    Returns:
        JSON values: the rows, what is missing and why, how many faces, and the machine.

    Raises:
        ValueError: No such data set.
    """
    if of not in READERS:
        raise ValueError(f"no comparison on {of!r}; there is one on {', '.join(READERS)}")
    read, seen = READERS[of]
    faces = [face for face in read(folder) if isinstance(face, Sample) and face.split != "train"]
    validation, test = (
        Photos.from_samples([face for face in faces if face.split == split])
        for split in ("validation", "test")
    )
    if network:
        path = zoo.find(str(network), zoo.PHOTOGRAPHS)
        nets = [Ours("ours", runtime(load(path)), path.stat().st_size)]
    else:
        nets = _students()
    rows, missing = compare(validation, test, nets, npm, seen)
    return {
        "data": of,
        "test_faces": len(test.images),
        "normaliser": "interocular",
        "ours_runs_in": "onnxruntime" if isinstance(nets[0].net, Exported) else "PyTorch",
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
