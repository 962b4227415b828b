"""The results of the runs: errors, gains with their intervals, and a table of all experiments.

What is said of a comparison is one of three words, from the intervals on validation faces and, with
fresh seeds, on test faces:

- *shown*: at least `SEEDS` seeds each, and both intervals exclude zero on the same side;
- *hinted*: one of them does, or both with fewer seeds;
- *not known*: neither does, or they contradict each other.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from kdnotes.evaluation import report
from kdnotes.evaluation.report import markdown_table
from kdnotes.metrics import Estimate, gain_interval
from kdnotes.metrics.intervals import SEEDS_TOLD
from kdnotes.research.experiments.arms import Experiment
from kdnotes.research.experiments.log import Log, unpacked

#: The fewest seeds on each split that show anything.
SEEDS = 5


class Results:
    """The runs of one experiment in a log.

    Args:
        experiment: Arms and contrast.
        log: The runs.
        split: "validation", where everything was chosen, or "test".
    """

    def __init__(self, experiment: Experiment, log: Log, split: str = "validation"):
        self.experiment, self.log, self.split = experiment, log, split

    def run(self, arm: str, seed: int) -> dict | None:
        """The log's entry of one run, or None."""
        return self.log.find(self.experiment.arms[arm], self.experiment.regime, seed, self.split)

    def seeds(self, *arms: str) -> list[int]:
        """The seeds that all of these arms were run with."""
        seeds = self.experiment.fresh if self.split == "test" else self.experiment.seeds
        return [seed for seed in seeds if all(self.run(arm, seed) for arm in arms)]

    def arms(self) -> list[str]:
        """The arms that were run."""
        return [arm for arm in self.experiment.arms if self.seeds(arm)]

    def elsewhere(self) -> list[str]:
        """The arms outside the contrast that were trained on another machine than the reference.

        Their teachers were trained there, too, so that they differ from the reference in more than
        the arm.
        """
        reference, arms = self.experiment.contrast[1], []
        for arm in self.arms():
            devices = [
                [self.run(name, seed)["hardware"]["device"] for name in (arm, reference)]
                for seed in self.seeds(arm, reference)
            ]
            if devices and all(here != there for here, there in devices):
                arms.append(arm)
        return [arm for arm in arms if arm not in self.experiment.contrast]

    def without(self, arms: list[str]) -> "Results":
        """The same without some arms that are not in the contrast."""
        rest = {name: arm for name, arm in self.experiment.arms.items() if name not in arms}
        return Results(replace(self.experiment, arms=rest), self.log, self.split)

    def errors(self, arm: str, seeds=None) -> np.ndarray:
        """Errors of an arm on all faces.

        Args:
            arm: Its name.
            seeds: Of the runs; None: all that the arm was run with.

        Returns:
            `(S, N)`, a row per seed.
        """
        seeds = self.seeds(arm) if seeds is None else seeds
        return np.stack([unpacked(self.run(arm, seed)["errors"]) for seed in seeds])

    def gain(self, arm: str, reference: str | None = None) -> Estimate:
        """How much lower the error of an arm is than that of a reference, as a share of it.

        It is computed over the seeds that both have. The interval is about other seeds and people;
        with one seed, about other people alone.

        Args:
            arm: Its name.
            reference: Name of the other arm; None: the second arm of the contrast.

        Raises:
            ValueError: They have no seed in common.
        """
        reference = reference or self.experiment.contrast[1]
        seeds = self.seeds(arm, reference)
        if not seeds:
            raise ValueError(f"{arm!r} and {reference!r} have no seed in common on {self.split}")
        errors = (self.errors(name, seeds) for name in (arm, reference))
        return gain_interval(*errors, self.log.people(self.split))

    def gains(self) -> dict[str, Estimate]:
        """`gain` of every arm that has one."""
        gains = {}
        for arm in self.arms():
            if arm != self.experiment.contrast[1]:
                with contextlib.suppress(ValueError):
                    gains[arm] = self.gain(arm)
        return gains

    def table(self) -> pd.DataFrame:
        """Seeds, errors and gains of the arms.

        Returns:
            A row per arm: number of seeds, mean error, spread of the seeds, gain with its interval.
            Spread and gain are NaN where there is none.
        """
        gains, rows = self.gains(), {}
        for arm in self.arms():
            errors = pd.Series(self.errors(arm).mean(axis=1))  # of each seed
            rows[arm] = {"seeds": len(errors), "nme": errors.mean(), "sd of seeds": errors.std()}
            if arm in gains:
                rows[arm] |= gains[arm]._asdict()
        columns = ["seeds", "nme", "sd of seeds", *Estimate._fields]
        return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)

    def shown(self) -> pd.DataFrame:
        """The table for people, in percentages: every row compares errors of the same seeds.

        Returns:
            A row per arm: number of the seeds that it shares with the reference, mean error and
            spread of these seeds, error of the reference with them, gain with its interval.
        """
        reference, rows = self.experiment.contrast[1], {}
        for arm in self.arms():
            shared = self.seeds(arm, reference)
            errors = self.errors(arm, shared or None).mean(axis=1)  # of each seed
            spread = f"{errors.std(ddof=1):.2%}" if len(errors) > 1 else ""
            row = {"seeds": len(errors), "error": f"{errors.mean():.2%}", "sd of seeds": spread}
            if shared and arm != reference:
                row["reference, same seeds"] = f"{self.errors(reference, shared).mean():.2%}"
                row["lower by"] = told_gain(self.gain(arm), len(shared))
                if len(shared) < SEEDS_TOLD:
                    row["lower by"] += f", {('one seed', 'two seeds')[len(shared) - 1]}"
            rows[arm] = row
        columns = ["seeds", "error", "sd of seeds", "reference, same seeds", "lower by"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).fillna("")


def sides(gains: Iterable[tuple[Estimate, int]]) -> set[int]:
    """On which sides of zero intervals lie: 1 for a lower error, -1 for a higher one.

    An interval that includes zero has no side, and neither has that of one seed, which leaves out
    other seeds.
    """
    return {int(np.sign(gain.low)) for gain, n in gains if n > 1 and gain.low * gain.high > 0}


def word(gains: list[tuple[Estimate, int]]) -> str:
    """ "shown", "hinted" or "not known", as this module's text has it.

    Args:
        gains: Of validation faces and of test faces the gain and its number of seeds; or of one of
            them.
    """
    if len(sides(gains)) != 1:
        return "not known"
    clear = [n >= SEEDS and gain.low * gain.high > 0 for gain, n in gains]
    return "shown" if len(clear) == 2 and all(clear) else "hinted"


def gains_of(experiment: Experiment, log: Log) -> dict[str, tuple[Estimate, int]]:
    """The gain of a contrast and its number of seeds, by the faces that it was measured on; those
    on which the arms have no seed in common are left out.

    For two other arms, see `Experiment.comparing`.
    """
    gains = {}
    for split in report.SPLITS:
        results = Results(experiment, log, split)
        if n := len(results.seeds(*experiment.contrast)):
            gains[f"{split} faces"] = results.gain(experiment.contrast[0]), n
    return gains


def verdict(experiment: Experiment, log: Log) -> str:
    """What is known of a contrast, in a line."""
    arm, reference = experiment.contrast
    gains = gains_of(experiment, log)
    if not gains:
        return f"{arm} against {reference}: not run yet"
    parts = [
        f"{told_gain(gain, n)} on {faces}, {n} seed{'s' if n > 1 else ''}"
        for faces, (gain, n) in gains.items()
    ]
    return (
        f"{arm} against {reference}: error reduction {'; '.join(parts)}: "
        f"{word(list(gains.values()))}"
    )


def told(experiment: Experiment, log: Log) -> str:
    """`verdict` in plain sentences, for a text that has to hold whatever is measured."""
    arm, reference = experiment.contrast
    gains = gains_of(experiment, log)
    if not gains:
        return f"“{arm}” and “{reference}” have no seed in common yet."
    said = word(list(gains.values()))
    if said == "not known":
        answer = f"Whether “{arm}” is better than “{reference}” is *not known*."
    else:
        better = "better" if sides(gains.values()) == {1} else "worse"
        verb = {"shown": "is", "hinted": "seems"}[said]
        answer = f"“{arm}” {verb} {better} than “{reference}”: *{said}*."
    parts = [f"{told_gain(gain, n)} on {faces}" for faces, (gain, n) in gains.items()]
    seeds = " and ".join(str(n) for _, n in gains.values())
    plural = "" if seeds == "1" else "s"
    return f"{answer} Error reduction with {seeds} seed{plural}: {' and '.join(parts)}."


def summary(experiments: dict[str, Experiment], log: Log) -> pd.DataFrame:
    """A row per experiment, split and arm, with the command that makes it and its log."""
    rows = []
    for name, experiment in experiments.items():
        for split in report.SPLITS:
            results = Results(experiment, log, split)
            command = f"python -m kdnotes experiment {name}"
            if log.path.stem != "synthetic":
                command += " --data FACE_SET"
            if split == "test":
                command += " --confirm"
            for arm, row in results.table().iterrows():
                rows.append(
                    {
                        "experiment": name,
                        "split": split,
                        "arm": arm,
                        "seeds": " ".join(map(str, results.seeds(arm))),
                        **row.drop("seeds").round(5),
                        "command": command,
                        "log": log.path.name,
                    }
                )
    return pd.DataFrame(rows)


def markdown(experiments: dict[str, Experiment], log: Log) -> str:
    """The contrasts that were run with several seeds, as a table for the page of results."""
    header = ("question", "compared", "lower error, validation", "seeds", "test, fresh seeds",
              "seeds", "verdict")  # fmt: skip
    rows = []
    for experiment in experiments.values():
        arm, reference = experiment.contrast
        cells, gains = [experiment.question, f"{arm} / {reference}"], []
        for split in report.SPLITS:
            results = Results(experiment, log, split)
            n = len(results.seeds(arm, reference))
            if n > 1:
                gains.append((results.gain(arm), n))
                cells += [signed(gains[-1][0]), str(n)]
            else:
                cells += ["–", "–"]
        if gains:
            rows.append([*cells, word(gains)])
    return markdown_table(header, rows)


def signed(estimate: Estimate) -> str:
    """A gain with its interval, one decimal."""
    value, low, high = (f"{round(end, 3) + 0.0:+.1%}" for end in estimate)  # + 0.0: no "-0.0%"
    return f"{value} ({low} to {high})"


def told_gain(gain: Estimate, n: int) -> str:
    """A gain with its interval, which is left out where there are fewer seeds than
    `SEEDS_TOLD`.

    That of one seed covers people only and would look narrower than that of five; with two seeds
    Student's t is 12.7.
    """
    told = signed(gain)
    return told if n >= SEEDS_TOLD else told.split()[0]
