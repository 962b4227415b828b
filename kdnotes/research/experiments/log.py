"""The log of the experiments: every run that was made, with its errors on every face.

What is kept is small enough to be kept for ever, and every figure can be computed from it again.
"""

import base64
import contextlib
import json
from pathlib import Path

import numpy as np

from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.research.experiments.arms import Arm, Regime
from kdnotes.system.files import json_text, new_file


def packed(errors: np.ndarray) -> str:
    """Errors as text: 16 bits each, base 64."""
    return base64.b64encode(errors.astype(np.float16).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float16).astype(np.float64)


class Log:
    """The runs on one face set, one JSON line each. A run that several experiments ask for is made
    once: it is found by what was done, not by its name.

    Args:
        path: File. Lines are only ever added, so that several processes may share it; one that a
            stop left half written is passed over, and its run made again.

    Attributes:
        runs: What was done: arm, seed, split, errors, configuration, hardware, ….
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
            file.write(b"\n" * bool(half) + json_text(run).encode() + b"\n")
        self.runs.append(run)

    @property
    def _people_file(self):
        return self.path.with_suffix(".people.json")

    def keep_people(self, faces: FaceSet) -> None:
        """Notes who is on which face, as numbers, so that intervals need no pictures."""
        who = {s: np.unique(faces.split(s).people(), return_inverse=True)[1] for s in report.SPLITS}
        with new_file(self._people_file) as part:
            part.write_text(json_text(who) + "\n")

    def people(self, split: str) -> np.ndarray:
        """`(N,)` a number for each face's person."""
        return np.array(json.loads(self._people_file.read_text())[split])


def stored(data: str) -> Log:
    """The runs on a data set that the course tells about."""
    return Log(report.stored(data).parent / "experiments" / f"{data}.jsonl")
