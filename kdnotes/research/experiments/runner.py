"""Runs experiments, one training after the other, and keeps a line of every run.

    python -m kdnotes experiment few-labels-5 --data FACE_SET

Stop it when you like: the same command goes on.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from kdnotes import metrics
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
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
        root: For networks and caches, which may be deleted afterwards.
        log: What was done before.
        confirm: Run the contrast's two arms alone, with fresh seeds, and measure on test faces:
            once, when nothing is left to choose.
    """
    regime = experiment.regime
    if regime.people and (faces.table["subject"] == "").all():
        print(f"This face set does not say who is who: {regime.people} faces stand for people.")
    setting = Setting(regime, faces, root)
    log.keep_people(faces)
    split, todo = "validation", experiment.runs()
    if confirm:
        split = "test"
        todo = [(arm, seed) for seed in experiment.fresh for arm in experiment.contrast]
    for name, seed in todo:
        log.read()
        arm = experiment.arms[name]
        if not log.find(arm, regime, seed, split):
            done = {"arm": name, **measured(setting, arm, seed, split)}
            log.add(done)
            yield done


def measured(setting: Setting, arm: Arm, seed: int, split: str) -> dict:
    """One run: trains an arm and measures it; what the log keeps of it."""
    began = time.perf_counter()
    net, last = setting.train_arm(arm, seed)
    chosen = getattr(setting, split)
    errors = metrics.nme(setting.predict(net, split), chosen.landmarks, chosen.scheme)
    done = {
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
        done["teachers"] = setting.strength_of_teachers()
    return done
