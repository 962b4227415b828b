"""What the runs say: errors, gains and their intervals, one table for all experiments."""

import contextlib

import numpy as np
import pandas as pd

from kdnotes.evaluation import report
from kdnotes.metrics import Draws, Estimate
from kdnotes.research.experiments.arms import Experiment
from kdnotes.research.experiments.log import Log, unpacked


class Results:
    """What a log holds of one experiment.

    Args:
        experiment: Arms and contrast.
        log: The runs.
        split: "validation", where everything was chosen, or "test".
    """

    def __init__(self, experiment: Experiment, log: Log, split: str = "validation"):
        self.experiment, self.log, self.split = experiment, log, split

    def run(self, arm: str, seed: int) -> dict | None:
        """The line of one run, or None."""
        return self.log.find(self.experiment.arms[arm], self.experiment.regime, seed, self.split)

    def seeds(self, *arms: str) -> list[int]:
        """The seeds that all of these arms were run with."""
        mine = self.experiment
        seeds = mine.seeds if self.split == "validation" else mine.fresh
        return [seed for seed in seeds if all(self.run(arm, seed) for arm in arms)]

    def arms(self) -> list[str]:
        """The arms that were run."""
        return [arm for arm in self.experiment.arms if self.seeds(arm)]

    def errors(self, arm: str, seeds=None) -> np.ndarray:
        """`(S, N)` errors of an arm on all faces, a row per seed."""
        seeds = self.seeds(arm) if seeds is None else seeds
        return np.stack([unpacked(self.run(arm, seed)["errors"]) for seed in seeds])

    def gain(self, arm: str, reference: str | None = None) -> Estimate:
        """How much lower the error of an arm is than that of `reference` (the contrast's second),
        over the seeds that both have; the interval draws seeds and people.

        Raises:
            ValueError: They have no seed in common.
        """
        reference = reference or self.experiment.contrast[1]
        seeds = self.seeds(arm, reference)
        if not seeds:
            raise ValueError(f"{arm!r} and {reference!r} have no seed in common on {self.split}")
        pair = (self.errors(name, seeds) for name in (arm, reference))
        return Draws(len(seeds), self.log.people(self.split)).gain(*pair)

    def gains(self) -> dict[str, Estimate]:
        """`gain` of every arm that has one."""
        found = {}
        for arm in self.arms():
            if arm != self.experiment.contrast[1]:
                with contextlib.suppress(ValueError):
                    found[arm] = self.gain(arm)
        return found

    def table(self) -> pd.DataFrame:
        """Per arm: number of seeds, mean error, spread of the seeds, gain with its interval."""
        gains, rows = self.gains(), {}
        for arm in self.arms():
            of_seeds = self.errors(arm).mean(axis=1)
            sd = of_seeds.std(ddof=1) if len(of_seeds) > 1 else np.nan
            rows[arm] = {"seeds": len(of_seeds), "nme": of_seeds.mean(), "sd of seeds": sd}
            rows[arm] |= gains[arm]._asdict() if arm in gains else {}
        columns = ["seeds", "nme", "sd of seeds", *Estimate._fields]
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)

    def shown(self) -> pd.DataFrame:
        """The table for people: percentages, and a gain with its interval in one cell."""
        rows = {}
        for arm, row in self.table().iterrows():
            gain = ""
            if np.isfinite(row["value"]):
                gain = _gain(Estimate(row["value"], row["low"], row["high"]))
            sd = "" if np.isnan(row["sd of seeds"]) else f"{row['sd of seeds']:.2%}"
            rows[arm] = {
                "seeds": int(row["seeds"]),
                "error": f"{row['nme']:.2%}",
                "sd of seeds": sd,
                "lower by": gain,
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def verdict(self) -> str:
        """The answer of the contrast in one sentence."""
        arm, reference = self.experiment.contrast
        found, n = self.gain(arm), len(self.seeds(arm, reference))
        if n == 1:
            answer = "one seed, so only people are drawn: a hint, no verdict"
        elif found.low > 0:
            answer = "better: the interval lies above zero"
        elif found.high < 0:
            answer = "worse: the interval lies below zero"
        else:
            answer = "no difference shown: the interval holds zero"
        interval = f"{found.low:+.1%} to {found.high:+.1%}"
        about = f"{n} seed{'s' * (n != 1)}, {self.split} faces"
        return f"{arm} against {reference}: {found.value:+.1%} ({interval}; {about}), {answer}"


def summary(experiments: dict[str, Experiment], log: Log) -> pd.DataFrame:
    """A row per experiment, split and arm; each says which command makes it, from which runs."""
    rows = []
    for name, experiment in experiments.items():
        for split in report.SPLITS:
            found = Results(experiment, log, split)
            command = f"python -m kdnotes experiment {name}"
            command += " --data FACE_SET" * (log.path.stem != "synthetic")
            command += " --confirm" * (split == "test")
            for arm, row in found.table().iterrows():
                about = {"experiment": name, "split": split, "arm": arm}
                seeds = " ".join(map(str, found.seeds(arm)))
                about |= {"seeds": seeds, **row.drop("seeds").round(5)}
                rows.append(about | {"command": command, "log": log.path.name})
    return pd.DataFrame(rows)


def markdown(experiments: dict[str, Experiment], log: Log) -> str:
    """The contrasts that were run with several seeds, as a table for the README."""
    lines = [
        "| question | compared | lower error, validation | seeds | test, fresh seeds | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for experiment in experiments.values():
        arm, reference = experiment.contrast
        cells = []
        for split in report.SPLITS:
            found = Results(experiment, log, split)
            seeds = found.seeds(arm, reference)
            cells += [_gain(found.gain(arm)), str(len(seeds))] if len(seeds) > 1 else ["–", "–"]
        if cells[0] != "–":
            compared = f"{arm} / {reference}"
            lines.append(f"| {' | '.join([experiment.question, compared, *cells])} |")
    return "\n".join(lines)


def _gain(estimate):
    return f"{estimate.value:+.1%} ({estimate.low:+.1%} to {estimate.high:+.1%})"
