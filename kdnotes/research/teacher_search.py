"""What does it take to have a teacher worth having?

    python -m kdnotes study teacher-search --data FACE_SET

A teacher that is hardly better than its student has little to teach. Each arm changes something
about the plain student of the profile `quick`: its input, its network, its schedule or its start.
The last arms change several things at once. All arms see the same training faces and are measured
on the same validation faces. The error on training faces shows how much is memorised.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from kdnotes import models, training
from kdnotes.course import profiles, recipes
from kdnotes.course.machine import hardware
from kdnotes.evaluation import report
from kdnotes.research import studies


@dataclass(frozen=True)
class Arm:
    """One way to make a teacher.

    Attributes:
        network, size: Backbone and input side in pixels.
        epochs: Epochs of the training.
        embedded_first: Train on embedded faces first.
        strength: Of the views.
        average: Decay of the running average of the weights.
    """

    network: str = "mobilenetv2_050"
    size: int = 64
    epochs: int = 22
    embedded_first: bool = False
    strength: float = 0.5
    average: float = 0.99


STUDENT = "the plain student"
BOTH = Arm("mobilenetv2_100", 96)
ARMS = {
    STUDENT: Arm(),
    "larger input": Arm(size=96),
    "bigger network": Arm("mobilenetv2_100"),
    "more epochs": Arm(epochs=66),
    "embedded faces first": Arm(embedded_first=True),
    "larger input and network": BOTH,
    "larger, and most epochs": replace(BOTH, epochs=160, strength=0.7, average=0.999),
}


def train(
    arm: Arm, course: recipes.Course, folder: Path, start: models.LandmarkNet | None = None
) -> tuple[models.LandmarkNet, list[dict]]:
    """The arm's network and its log; what was trained before is found again.

    Args:
        arm: How to train.
        course: The faces.
        folder: Of the run; its `network.safetensors` is the network.
        start: The network whose weights it starts with; None: a new network.

    Raises:
        ValueError: The folder holds another training.
    """
    config = training.TrainConfig("l1", arm.epochs, strength=arm.strength, average=arm.average)
    net, log = studies.train(course, arm.network, arm.size, config, folder, start=start)
    card = {"arm": asdict(arm), "faces": course.faces.fingerprint, "log": log[-1]}
    models.save(net, folder / "network.safetensors", card=card)
    return net, log


def run(course: recipes.Course, folder: Path, names=tuple(ARMS)) -> dict:
    """Trains and measures the arms of these names.

    Args:
        course: The faces.
        folder: For the runs.
        names: Names in `ARMS`; gains are those over the first.

    Returns:
        JSON values: a row per arm with its error on validation and on training faces, the gain, the
        seconds of its training and its validation error after each epoch.
    """
    rows = studies.collect(_rows(course, folder, names))
    return {"data": report.about_data(course.faces), "hardware": hardware(), "rows": rows}


def _rows(course, folder, names):
    """The row of each arm, and its line of text."""
    faces, reference = course.split("train"), None
    some = faces.select(np.linspace(0, len(faces) - 1, 400).astype(int))
    for name in names:
        arm, run_folder = ARMS[name], folder / name.replace(" ", "-").replace(",", "")
        start = None
        if arm.embedded_first:
            quick = profiles.get("quick")
            embedded = recipes.Course(quick, recipes.embedded_faces(quick), folder)
            first = replace(arm, embedded_first=False)
            start, _ = train(first, embedded, run_folder / "first")
        net, log = train(arm, course, run_folder, start)
        on_training = float(report.errors(net, some).mean())
        on_validation = float(report.errors(net, course.split("validation")).mean())
        reference = reference or on_validation
        row = {
            "arm": name,
            "training": on_training,
            "validation": on_validation,
            "gain": 1 - on_validation / reference,
            "seconds": log[-1]["seconds"],
            **asdict(arm),
            "curve": [round(epoch["nme"], 5) for epoch in log],
        }
        yield (
            row,
            f"{name:30} validation {on_validation:.2%}, training {on_training:.2%}, "
            f"{row['gain']:+.1%} against {names[0]}, {row['seconds']:.0f} s",
        )
