"""Runs experiments, one training after the other, and keeps a line of every run.

    python -m kdnotes experiment few-labels-5 --data FACE_SET

Stop it when you like: the same command goes on. What it keeps is small enough to be kept for ever:
the errors on all faces of each run, from which every figure can be computed again.
"""

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.evaluation import report
from kdnotes.evaluation.experiments.arms import Arm, Experiment, Regime
from kdnotes.evaluation.experiments.setting import Setting
from kdnotes.faceset import FaceSet
from kdnotes.resampling import Draws, Estimate


class Log:
    """The runs on one face set, one JSON line each. A run that several experiments ask for is made
    once: it is found by what was done, not by its name.

    Args:
        path: File. Lines are only ever added, so that several processes may share it; one that a
            stop left half written is passed over, and its run made again.
    """

    def __init__(self, path: Path):
        self.path = path
        self.read()

    def read(self) -> None:
        """Sees what others have added."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.runs = []
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                self.runs.append(json.loads(line))

    def find(self, arm: Arm, regime: Regime, seed: int, split: str) -> dict | None:
        """The run of that arm, whatever it was called; None if it was not made."""
        for run in self.runs:
            done = run["seed"], run["split"], Arm(**run["config"]), Regime(**run["regime"])
            if done == (seed, split, arm, regime):
                return run
        return None

    def add(self, run: dict) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            half = file.tell() and (file.seek(-1, 2), file.read(1))[1] != b"\n"
            file.write(b"\n" * bool(half) + json.dumps(run).encode() + b"\n")
        self.runs.append(run)


def stored(data: str) -> Path:
    """Where the runs on a data set lie that the course tells about."""
    return report.stored(data).parent / "experiments" / f"{data}.jsonl"


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
    setting = Setting(regime, faces, root)
    split, todo = "validation", experiment.runs()
    if confirm:
        split = "test"
        todo = [(arm, seed) for seed in experiment.fresh for arm in experiment.contrast]
    for name, seed in todo:
        log.read()
        arm, began = experiment.arms[name], time.perf_counter()
        if log.find(arm, regime, seed, split):
            continue
        net, last = setting.train_arm(arm, seed)
        chosen = getattr(setting, split)
        errors = metrics.nme(setting.predict(net, split), chosen.landmarks, chosen.scheme)
        done = {
            "arm": name,
            "seed": seed,
            "split": split,
            "nme": round(float(errors.mean()), 6),
            "errors": packed(errors),
            "training": {key: float(f"{value:.6g}") for key, value in last.items()},
            "seconds": round(time.perf_counter() - began, 1),
            "config": asdict(arm),
            "regime": asdict(regime),
            "hardware": report.hardware(),
        }
        if arm.taught:
            done["teachers"] = setting.strength_of_teachers()
        log.add(done)
        yield done


def seeds_of(experiment: Experiment, log: Log, arm: str, split: str) -> list[int]:
    """The seeds with which an arm was run."""
    return sorted(
        seed
        for seed in (*experiment.seeds, *experiment.fresh)
        if log.find(experiment.arms[arm], experiment.regime, seed, split)
    )


def errors_of(experiment: Experiment, log: Log, arm: str, seeds, split: str) -> np.ndarray:
    """`(S, N)` errors of an arm, a row per seed."""
    runs = (log.find(experiment.arms[arm], experiment.regime, seed, split) for seed in seeds)
    return np.stack([unpacked(run["errors"]) for run in runs])


def gain(
    experiment: Experiment, log: Log, people, arm: str, reference: str, split: str = "validation"
) -> Estimate:
    """How much lower the error of an arm is than that of another one, on the seeds both have.

    Raises:
        ValueError: They have none.
    """
    seeds = [
        seed
        for seed in seeds_of(experiment, log, arm, split)
        if seed in seeds_of(experiment, log, reference, split)
    ]
    if not seeds:
        raise ValueError(f"{arm!r} and {reference!r} were not run with one seed on {split} faces")
    pair = (errors_of(experiment, log, name, seeds, split) for name in (arm, reference))
    return Draws(len(seeds), people).gain(*pair)


def table(experiment: Experiment, log: Log, people, split: str = "validation") -> pd.DataFrame:
    """Per arm that was run: number of seeds, mean error, spread of the seeds, and the gain over the
    contrast's reference on the seeds that both have."""
    reference, rows = experiment.contrast[1], []
    for name in experiment.arms:
        seeds = seeds_of(experiment, log, name, split)
        if not seeds:
            continue
        errors = errors_of(experiment, log, name, seeds, split)
        row = {"arm": name, "seeds": len(seeds), "nme": errors.mean()}
        row["sd of seeds"] = errors.mean(axis=1).std(ddof=1) if len(seeds) > 1 else np.nan
        if name != reference:
            with contextlib.suppress(ValueError):
                row |= gain(experiment, log, people, name, reference, split)._asdict()
        rows.append(row)
    return pd.DataFrame(rows).set_index("arm")
