"""Runs experiments, one training after the other, and adds a line to the log for each.

    python -m kdnotes experiment few-labels-5 --data FACE_SET

It can be stopped at any time; the same command resumes where it stopped.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.research.experiments.arms import Arm, Experiment
from kdnotes.research.experiments.log import Log, packed
from kdnotes.research.experiments.setting import Setting


def run(
    experiment: Experiment,
    faces: FaceSet,
    root: Path,
    log: Log,
    *,
    confirm: bool = False,
) -> Iterator[dict]:
    """Makes the runs that the log does not hold yet; yields each when it is done.

    Args:
        experiment: Arms and seeds.
        faces: The face set.
        root: Folder for networks and caches, which may be deleted afterwards.
        log: The runs that were made before.
        confirm: Run the arms that are to be confirmed with fresh seeds, and measure them on test
            faces: once, when nothing is left to choose.
    """
    regime = experiment.regime
    if regime.people and (faces.table["subject"] == "").all():
        print(f"This face set does not say who is who: {regime.people} faces stand for people.")
    setting = Setting(regime, faces, root)
    log.keep_people(faces)
    split = "test" if confirm else "validation"
    for name, seed in experiment.runs(confirm=confirm):
        log.read()
        arm = experiment.arms[name]
        if not log.find(arm, regime, seed, split):
            entry = {"arm": name, **measured(setting, arm, seed, split)}
            log.add(entry)
            yield entry


def measured(setting: Setting, arm: Arm, seed: int, split: str) -> dict:
    """Trains an arm and measures it.

    Args:
        setting: Faces and teachers.
        arm: What to train.
        seed: Of the training.
        split: The faces to measure it on.

    Returns:
        The entry of the log, as JSON values, without the arm's name.
    """
    began = time.perf_counter()
    net, last = setting.train_arm(arm, seed)
    errors = report.errors(net, setting.faces.split(split))
    entry = {
        "seed": seed,
        "split": split,
        "nme": round(float(errors.mean()), 6),
        "errors": packed(errors),
        "training": {key: float(f"{value:.6g}") for key, value in last.items()},
        "seconds": round(time.perf_counter() - began, 1),
        "config": asdict(arm),
        "regime": asdict(setting.regime),
        "hardware": hardware(),
    }
    if arm.taught:
        entry["teachers"] = setting.strength_of_teachers
    return entry
