"""The log of the experiments: every run that was made, with its errors on every face.

It is small enough to be kept, and every number can be computed from it again.
"""

import base64
import contextlib
import json
import os
from pathlib import Path

import numpy as np

from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.research.experiments.arms import Arm, Regime
from kdnotes.system.files import json_text, new_file


def packed(errors: np.ndarray) -> str:
    """Errors `(N,)` as text: 16 bits each, base 64."""
    return base64.b64encode(errors.astype(np.float16).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """The errors `(N,)` that `packed` made a text of."""
    return np.frombuffer(base64.b64decode(text), np.float16).astype(np.float64)


class Log:
    """The runs on one face set, one JSON line each.

    A run that several experiments ask for is made once: it is found by its configuration, not by
    its name.

    Args:
        path: File. Lines are only ever added, so that several processes may share it. A line that
            was left half written is ignored, and its run made again.

    Attributes:
        runs: Dicts of arm, seed, split, errors, configuration, hardware and more.
    """

    def __init__(self, path: Path):
        self.path, self._people_file = path, path.with_suffix(".people.json")
        self.read()

    def read(self) -> None:
        """Reads the file again, with what other processes have added."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.runs = []
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                self.runs.append(json.loads(line))

    def find(self, arm: Arm, regime: Regime, seed: int, split: str) -> dict | None:
        """The run of that arm, whatever it was called; None if it was not made."""
        for run in self.runs:
            config = run["seed"], run["split"], Arm(**run["config"]), Regime(**run["regime"])
            if config == (seed, split, arm, regime):
                return run
        return None

    def add(self, run: dict) -> None:
        """Adds a run to the file; a line that was left half written is ended first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json_text(run).encode() + b"\n"
        with self.path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    line = b"\n" + line
            file.write(line)
        self.runs.append(run)

    def keep_people(self, faces: FaceSet) -> None:
        """Writes who is on which face, as numbers, so that intervals need no face set."""
        people = {
            split: np.unique(faces.split(split).people(), return_inverse=True)[1]
            for split in report.SPLITS
        }
        with new_file(self._people_file) as part:
            part.write_text(json_text(people) + "\n")

    def people(self, split: str) -> np.ndarray:
        """A number for the person on each face, `(N,)`."""
        return np.array(json.loads(self._people_file.read_text())[split])


def stored(data: str) -> Log:
    """The runs on a data set that the course shows."""
    return Log(report.stored(data).parent / "experiments" / f"{data}.jsonl")
