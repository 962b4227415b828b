"""What does it take to have a teacher worth having?

    python -m kdnotes study teacher-search --data FACE_SET

A teacher that is hardly better than its student has little to teach. Each arm changes something
about the plain student of the profile `quick`: its input, its network, its schedule, its start; the
last ones several things at once. All see the same training faces and are measured on the
same validation faces; the error on training faces shows what is known by heart.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from kdnotes import metrics, models, training
from kdnotes.course import profiles, recipes
from kdnotes.course.machine import hardware
from kdnotes.evaluation import report
from kdnotes.models import inference


@dataclass(frozen=True)
class Arm:
    """One way to make a teacher.

    Attributes:
        network, size: Backbone and input side in pixels.
        epochs: Of the training.
        embedded_first: Train on embedded faces before.
        strength, average: Of the views and of the weights' average.
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
    "longer schedule": Arm(epochs=66),
    "embedded faces first": Arm(embedded_first=True),
    "larger input and network": BOTH,
    "larger, and much longer": replace(BOTH, epochs=160, strength=0.7, average=0.999),
}


def train(arm: Arm, course: recipes.Course, folder: Path, start: Path | None = None):
    """The arm's network and the end of its log; what was trained before is found again."""
    path, about = folder / "network.safetensors", {"arm": asdict(arm)}
    about["faces"] = course.faces.fingerprint
    if path.exists():
        net = models.load(path)
        if {name: net.card.get(name) for name in about} == about:
            return net, net.card["log"]
    net = recipes.new_network(course, arm.network, arm.size)
    if start is not None:
        net.load_state_dict(models.load(start).state_dict())
    config = training.TrainConfig("l1", arm.epochs, strength=arm.strength, average=arm.average)
    validation = course.split("validation")
    log = training.fit(net, course.split("train"), config, validation=validation, run=folder)
    models.save(net, path, card=about | {"log": log[-1]})
    return net, log[-1]


def run(course: recipes.Course, folder: Path, names=tuple(ARMS)) -> dict:
    """Trains and measures the arms of these names.

    Returns:
        JSON values: a row per arm with its error on validation and on training faces, the gain over
        the plain student, the seconds of its training and its validation error after each epoch.
    """
    rows = []
    train_faces, validation = course.split("train"), course.split("validation")
    some = train_faces.select(np.linspace(0, len(train_faces) - 1, 400).astype(int))
    for name in names:
        arm, where = ARMS[name], folder / name.replace(" ", "-").replace(",", "")
        start = None
        if arm.embedded_first:
            quick = profiles.get("quick")
            embedded = recipes.Course(quick, recipes.embedded_faces(quick), folder)
            train(replace(arm, embedded_first=False), embedded, where / "first")
            start = where / "first" / "network.safetensors"
        net, log = train(arm, course, where, start)
        nme = {
            split: float(
                metrics.nme(inference.predict(net, faces), faces.landmarks, faces.scheme).mean()
            )
            for split, faces in (("training", some), ("validation", validation))
        }
        first = rows[0] if rows else nme
        gain = 1 - nme["validation"] / first["validation"]
        lines = (where / "log.jsonl").read_text("utf-8").splitlines()
        curve = [round(json.loads(line)["nme"], 5) for line in lines]
        rows.append({"arm": name, **nme, "gain": gain, "seconds": log["seconds"], **asdict(arm)})
        rows[-1]["curve"] = curve
        print(
            f"{name:30} validation {nme['validation']:.2%}, training {nme['training']:.2%}, "
            f"{gain:+.1%} against {rows[0]['arm']}, {log['seconds']:.0f} s",
            flush=True,
        )
    about = {"data": report.about_data(course.faces), "hardware": hardware()}
    return about | {"rows": rows}
