"""Runs experiments, one training after the other, and keeps a line of every run.

    python -m kdnotes experiment labels-few --data FACE_SET

Stop it when you like: the same command goes on. What it keeps is small enough to be kept for ever:
the errors on all validation faces of each run, from which every figure can be computed again.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.evaluation.experiments.arms import Experiment
from kdnotes.evaluation.experiments.setting import Setting, folder_of
from kdnotes.evaluation.report import hardware
from kdnotes.faceset import FaceSet
from kdnotes.files import new_file
from kdnotes.resampling import Draws, Estimate


class Log:
    """The runs of an experiment, one JSON line each.

    Args:
        path: File; a line is added by writing the whole file anew, so that none is ever half there.
    """

    def __init__(self, path: Path):
        self.path = path
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self.runs = [json.loads(line) for line in lines]

    def find(self, arm: str, seed: int, split: str) -> dict | None:
        wanted = (arm, seed, split)
        return next((r for r in self.runs if (r["arm"], r["seed"], r["split"]) == wanted), None)

    def add(self, run: dict) -> None:
        self.runs.append(run)
        with new_file(self.path) as part:
            part.write_text("".join(json.dumps(run) + "\n" for run in self.runs), "utf-8")


def packed(errors: np.ndarray) -> str:
    """Errors as text: 16 bits each, base 64."""
    return base64.b64encode(errors.astype(np.float16).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float16).astype(np.float64)


def run(
    experiment: Experiment,
    faces: FaceSet,
    root: Path,
    log: Log,
    *,
    split: str = "validation",
    seeds: tuple[int, ...] | None = None,
) -> Iterator[dict]:
    """Makes the runs that the log does not hold yet; yields each when it is done.

    Args:
        experiment: Arms and seeds.
        faces: The face set.
        root: For networks and caches, which may be deleted afterwards.
        log: What was done before.
        split: "test" only to confirm a contrast that was chosen on validation.
        seeds: Fresh seeds for that; then only the contrast's arms are run.
    """
    setting = Setting(experiment.regime, faces, folder_of(experiment.regime, faces, root))
    todo = experiment.runs()
    if seeds is not None:
        todo = [(arm, seed) for seed in seeds for arm in experiment.contrast]
    for name, seed in todo:
        if log.find(name, seed, split):
            continue
        arm, began = experiment.arms[name], time.perf_counter()
        net, last = setting.train_arm(arm, seed)
        chosen = getattr(setting, split)
        errors = metrics.nme(setting.predict(net, split), chosen.landmarks, chosen.scheme)
        done = {
            "arm": name,
            "seed": seed,
            "split": split,
            "nme": round(float(errors.mean()), 6),
            "errors": packed(errors),
            "loss": round(last["loss"], 6),
            "steps": last["step"],
            "seconds": round(time.perf_counter() - began, 1),
            "config": asdict(arm),
            "regime": asdict(experiment.regime),
            "hardware": hardware(),
        }
        log.add(done)
        yield done


def errors_of(log: Log, arm: str, seeds, split: str) -> np.ndarray:
    """`(S, N)` errors of an arm, a row per seed."""
    return np.stack([unpacked(log.find(arm, seed, split)["errors"]) for seed in seeds])


def contrast(
    experiment: Experiment, log: Log, people, split: str = "validation", seeds=None
) -> Estimate:
    """How much lower the error of the contrast's first arm is than that of its second."""
    seeds = experiment.seeds if seeds is None else seeds
    arm, reference = (errors_of(log, name, seeds, split) for name in experiment.contrast)
    return Draws(len(seeds), people).gain(arm, reference)


def table(experiment: Experiment, log: Log, people, split: str = "validation") -> pd.DataFrame:
    """Per arm: number of seeds, mean error, spread of the seeds, and the gain over the contrast's
    reference on the seeds that both have."""
    reference, rows = experiment.contrast[1], []
    for name in experiment.arms:
        seeds = [seed for seed in experiment.seeds if log.find(name, seed, split)]
        if not seeds:
            continue
        errors = errors_of(log, name, seeds, split)
        row = {"arm": name, "seeds": len(seeds), "nme": errors.mean()}
        row["sd of seeds"] = errors.mean(axis=1).std(ddof=1) if len(seeds) > 1 else np.nan
        shared = [seed for seed in seeds if log.find(reference, seed, split)]
        if shared and name != reference:
            pair = (errors_of(log, who, shared, split) for who in (name, reference))
            row |= Draws(len(shared), people).gain(*pair)._asdict()
        rows.append(row)
    return pd.DataFrame(rows).set_index("arm")
