"""The results of the runs: errors, gains with their intervals, and a table of all experiments.

What is said of a comparison is one of three words, from the intervals on validation faces and, with
fresh seeds, on test faces:

- *shown*: at least `SEEDS` seeds each, and both intervals exclude zero on the same side;
- *hinted*: one of them does, or both with fewer seeds;
- *not known*: neither does, or they contradict each other.
"""

import contextlib

import numpy as np
import pandas as pd

from kdnotes.evaluation import report
from kdnotes.evaluation.report import markdown_table
from kdnotes.metrics import Estimate, gain_interval
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
        """The table for people: percentages, and a gain with its interval in one cell.

        An interval of one seed covers people only and would look narrower than one of five seeds,
        so the cell says "one seed" in its place.
        """
        table, gains = self.table(), self.gains()
        spreads, reference = table["sd of seeds"], self.experiment.contrast[1]
        one = {arm for arm in gains if len(self.seeds(arm, reference)) == 1}
        lower = {
            arm: f"{gain.value:+.1%}, one seed" if arm in one else signed(gain)
            for arm, gain in gains.items()
        }
        return pd.DataFrame(
            {
                "seeds": table["seeds"],
                "error": table["nme"].map("{:.2%}".format),
                "sd of seeds": ["" if np.isnan(sd) else f"{sd:.2%}" for sd in spreads],
                "lower by": [lower.get(arm, "") for arm in table.index],
            }
        )


def word(gains: list[tuple[Estimate, int]]) -> str:
    """ "shown", "hinted" or "not known", as this module's text has it.

    Args:
        gains: Of validation faces and of test faces the gain and its number of seeds; or of one of
            them. A gain of one seed is not counted, since its interval leaves out other seeds.
    """
    sides = {np.sign(gain.low) for gain, n in gains if n > 1 and gain.low * gain.high > 0}
    if len(sides) != 1:
        return "not known"
    clear = [n >= SEEDS and gain.low * gain.high > 0 for gain, n in gains]
    return "shown" if len(clear) == 2 and all(clear) else "hinted"


def gains_of(
    experiment: Experiment, log: Log, arm: str | None = None, reference: str | None = None
) -> dict[str, tuple[Estimate, int]]:
    """The gain of a comparison and its number of seeds, by the faces that it was measured on; those
    on which the arms have no seed in common are left out.

    Args:
        experiment, log: The experiment and its runs.
        arm, reference: The arms; None: those of the contrast.
    """
    arm, reference = arm or experiment.contrast[0], reference or experiment.contrast[1]
    found = {}
    for split in report.SPLITS:
        results = Results(experiment, log, split)
        if n := len(results.seeds(arm, reference)):
            found[f"{split} faces"] = results.gain(arm, reference), n
    return found


def verdict(
    experiment: Experiment, log: Log, arm: str | None = None, reference: str | None = None
) -> str:
    """What is known of a comparison, in a line.

    Args:
        experiment, log: The experiment and its runs.
        arm, reference: The arms; None: those of the contrast.

    Raises:
        ValueError: The arms have no seed in common.
    """
    arm, reference = arm or experiment.contrast[0], reference or experiment.contrast[1]
    gains = gains_of(experiment, log, arm, reference)
    if not gains:
        raise ValueError(f"{arm!r} and {reference!r} have no seed in common")
    parts = [
        f"{signed(gain)} on {faces}, {n} seed{'s' if n > 1 else ''}"
        for faces, (gain, n) in gains.items()
    ]
    return (
        f"{arm} against {reference}: error reduction {'; '.join(parts)}: "
        f"{word(list(gains.values()))}"
    )


def told(
    experiment: Experiment, log: Log, arm: str | None = None, reference: str | None = None
) -> str:
    """`verdict` in two sentences, for a text that has to hold whatever is measured.

    Args:
        experiment, log: The experiment and its runs.
        arm, reference: The arms; None: those of the contrast.
    """
    arm, reference = arm or experiment.contrast[0], reference or experiment.contrast[1]
    gains = gains_of(experiment, log, arm, reference)
    if not gains:
        return f"“{arm}” and “{reference}” have no seed in common yet."
    parts = [f"{signed(gain)} on {faces}" for faces, (gain, _) in gains.items()]
    clear = sum(gain.low * gain.high > 0 for gain, _ in gains.values())
    if len(gains) == 1:
        zero = "The interval excludes zero" if clear else "The interval includes zero"
        if [n for _, n in gains.values()] == [1]:
            zero += ", but it covers people only"
    else:
        zero = (
            "Both intervals include zero",
            "One interval includes zero, the other does not",
            "Neither interval includes zero",
        )[clear]
    seeds = " and ".join(str(n) for _, n in gains.values())
    plural = "" if seeds == "1" else "s"
    return (
        f"Error reduction of “{arm}” against “{reference}”: {' and '.join(parts)}. {zero}; with "
        f"{seeds} seed{plural} the difference is *{word(list(gains.values()))}*."
    )


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
    return f"{estimate.value:+.1%} ({estimate.low:+.1%} to {estimate.high:+.1%})"
