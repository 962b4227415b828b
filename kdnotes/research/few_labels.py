"""How many pictures do you need to label? The steps of `python -m kdnotes own`, with seeds.

    python -m kdnotes study few-labels
    python -m kdnotes study few-labels --table X-RAYS.csv --images X-RAYS --scheme SCHEME.json

Each seed draws its own labelled pictures, nested, and has networks of its own. A teacher learns
from them and labels all other training pictures. A student learns from both, and another one, as
many steps, from the labelled pictures alone. All are measured on pictures that none has seen.

The contrast was named before any run: with `NAMED` labelled pictures, the student with the
teacher's landmarks against the one without, over five seeds. The other rows have fewer seeds and
describe. A second question is asked of the rendered leaves: which picture to label next, one of
which a teacher is least sure, or any?

Without a table, the pictures are the rendered leaves of `own.example`.
"""

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics
from kdnotes.course.machine import hardware
from kdnotes.data import schemes
from kdnotes.evaluation import report
from kdnotes.metrics import Estimate
from kdnotes.own import example, steps
from kdnotes.own.labels import Label, Labels
from kdnotes.own.project import Project
from kdnotes.own.steps import Plan
from kdnotes.research.experiments.log import packed, unpacked
from kdnotes.research.experiments.results import signed, word
from kdnotes.system.files import json_text, write_json

#: Labelled pictures in the contrast, and how many of them come before the teacher may choose.
NAMED, BEGUN = 20, 10
#: Number of labelled pictures and seed of all runs in their order; None: all pictures.
ORDER = [(NAMED, seed) for seed in range(5)] + [
    (n, seed) for seed in range(2) for n in (5, 10, 40, 80, None)
]

TEACHER, PLAIN, TAUGHT = "teacher", "student, labels alone", "student, teacher's labels too"
CHOSEN = "teacher, least sure labelled next"


@dataclass(frozen=True)
class Pictures:
    """Pictures whose landmarks are known.

    Attributes:
        name: Of the results.
        train, test: Projects, each with a folder of pictures and the scheme.
        labels: File to what people have placed on a training picture.
        truth: The same for the test pictures.
        choosing: Ask the second question, too; it takes two more teachers for each seed.
    """

    name: str
    train: Project
    test: Project
    labels: Mapping[str, Label]
    truth: Mapping[str, Label]
    choosing: bool = False

    @property
    def digest(self) -> str:
        """A text that changes with any label."""
        cells = {
            file: label.cells()
            for part in (self.labels, self.truth)
            for file, label in part.items()
        }
        return hashlib.sha256(json_text(cells).encode()).hexdigest()[:10]


def rendered(folder: Path) -> Pictures:
    """The rendered leaves: exact landmarks to be measured by, and clicks beside them to learn."""
    learn, measure = example.choose("quick")
    train, exact = example.write(folder / "train", learn)
    test, truth = example.write(folder / "test", measure)
    labels = {
        file: example.clicked(points, np.random.default_rng([0, *file.encode()]))
        for file, points in exact.items()
    }
    known = {file: Label(points, np.zeros(len(points), bool)) for file, points in truth.items()}
    return Pictures("own-leaves", train, test, labels, known, choosing=True)


def labelled(table: Path, images: Path, scheme: Path, folder: Path) -> Pictures:
    """Pictures of one's own, all labelled. The table's column `split` says which are for training.

    Raises:
        ValueError: The table names no training or no test pictures that are there.
    """
    known = Labels(table, images, schemes.get_named(str(scheme)))
    read, splits = known.read(), known.column("split")
    content = table.read_bytes() + scheme.read_bytes()
    folder = folder / hashlib.sha256(content).hexdigest()[:10]
    projects, labels = {}, {}
    for split in ("train", "test"):
        projects[split] = project = Project.of(folder / split)
        labels[split] = {file: read[file] for file in known.complete() if splits[file] == split}
        if not labels[split]:
            raise ValueError(f"{table} has no picture whose column split says {split}")
        project.images.mkdir(parents=True, exist_ok=True)
        for file in labels[split]:
            shutil.copyfile(known.path(file), project.images / file)
        write_json(project.scheme_file, schemes.to_json(known.scheme))
    return Pictures(
        f"own-{table.stem}", projects["train"], projects["test"], labels["train"], labels["test"]
    )


class Study:
    """The runs on some pictures, each made once and kept.

    Args:
        pictures: To learn from and to be measured on.
        plan: Sizes and lengths.
        folder: Of the networks.
        file: Of the results. What was measured by the same plan is not measured again.

    Attributes:
        rows: A dict for each network: labelled, seed, arm, nme, errors, seconds.
    """

    def __init__(self, pictures: Pictures, plan: Plan, folder: Path, file: Path):
        self.pictures, self.plan, self.folder, self.file = pictures, plan, folder, file
        kept = report.read(file) if file.exists() else {}
        same = (kept.get("plan"), kept.get("labels")) == (asdict(plan), pictures.digest)
        self.rows = kept["rows"] if same else []
        known = pictures.test.labels()
        self.faces = steps.store(pictures.test, "measured", known, pictures.truth, plan)

    def run(self, n: int | None, seed: int) -> None:
        """Makes the runs with `n` labelled pictures that are missing; None: with all.

        Where there are no more than `n`, nothing is run.
        """
        total = len(self.pictures.labels)
        if n is not None and n >= total:
            return
        n = n or total
        arms = [TEACHER, PLAIN] + ([TAUGHT] if n < total else [])
        if n == NAMED and self.pictures.choosing:
            arms.append(CHOSEN)
        if all(find(self.rows, n, seed, arm) for arm in arms):
            return
        plan = replace(self.plan, seed=seed)
        files = [
            str(f) for f in np.random.default_rng(seed).permutation(sorted(self.pictures.labels))
        ]
        project = self._project(f"{n}-seed{seed}", files[:n])
        teacher = self._measured(
            n, seed, TEACHER, lambda: steps.teach(project, plan, progress=False)
        )
        self._measured(
            n, seed, PLAIN,
            lambda: steps.distil(project, {}, plan, name="plain", progress=False),
        )  # fmt: skip
        if TAUGHT in arms:
            self._measured(n, seed, TAUGHT, lambda: self._taught(project, teacher, plan))
        if CHOSEN in arms:
            self._measured(n, seed, CHOSEN, lambda: self._chosen(files[:BEGUN], seed, plan))

    def _taught(self, project, teacher, plan):
        steps.propose(project, teacher, progress=False)
        return steps.distil(project, None, plan, name="taught", progress=False)

    def _chosen(self, files, seed, plan):
        """A teacher of the named number of pictures, half of them chosen by another teacher."""
        begun = self._project(f"{BEGUN}-seed{seed}", files)
        steps.propose(begun, steps.teach(begun, plan, progress=False), progress=False)
        files = [*files, *steps.order(begun)[: NAMED - BEGUN]]
        return steps.teach(self._project(f"chosen-seed{seed}", files), plan, progress=False)

    def _project(self, name, files):
        """A project in which these training pictures are labelled."""
        train = self.pictures.train
        project = Project(train.images, self.folder / self.pictures.digest / name)
        write_json(project.scheme_file, schemes.to_json(train.scheme()))
        labels = project.labels()
        for file in sorted(set(files) - set(labels.complete())):
            labels.save(file, self.pictures.labels[file], labels.get(file))
        return project

    def _measured(self, n, seed, arm, train):
        """The network that `train` gives, its errors kept."""
        began = time.perf_counter()
        net = train()
        seconds, errors = time.perf_counter() - began, report.errors(net, self.faces)
        if not find(self.rows, n, seed, arm):
            print(
                f"{n} labelled, seed {seed}, {arm}: {errors.mean():.2%}, {seconds:.0f} s",
                flush=True,
            )
            self.rows.append({
                "labelled": n, "seed": seed, "arm": arm, "nme": round(float(errors.mean()), 6),
                "errors": packed(errors), "seconds": round(seconds, 1),
            })  # fmt: skip
            report.write(self.results(), self.file)
        return net

    def results(self) -> dict:
        """JSON values: the pictures, the plan, where it ran, and the rows."""
        return {
            "pictures": self.pictures.name,
            "labels": self.pictures.digest,
            "learned_from": len(self.pictures.labels),
            "measured_on": len(self.pictures.truth),
            "unit": self.faces.scheme.distance,
            "plan": asdict(self.plan),
            "hardware": hardware(),
            "rows": self.rows,
        }


def find(rows: Iterable[Mapping], n: int, seed: int, arm: str) -> Mapping | None:
    """The row of a run, or None."""
    wanted = n, seed, arm
    return next((r for r in rows if (r["labelled"], r["seed"], r["arm"]) == wanted), None)


def gain(results: Mapping, n: int, arm: str, reference: str) -> tuple[Estimate, int]:
    """How much lower the error of an arm is, as a share; about other seeds, draws and pictures.

    Args:
        results: As `Study.results` gives them.
        n: Number of labelled pictures.
        arm, reference: The arms.

    Returns:
        The gain with its interval, and the number of seeds.

    Raises:
        ValueError: The arms have no seed in common.
    """
    errors, seeds = [], sorted({row["seed"] for row in results["rows"]})
    for seed in seeds:
        pair = [find(results["rows"], n, seed, name) for name in (arm, reference)]
        if all(pair):
            errors.append([unpacked(row["errors"]) for row in pair])
    if not errors:
        raise ValueError(f"no seed has {arm!r} and {reference!r} with {n} labelled pictures")
    ours, theirs = np.array(errors).transpose(1, 0, 2)
    return metrics.gain_interval(ours, theirs), len(errors)


def table(results: Mapping) -> pd.DataFrame:
    """Mean errors by number of labelled pictures and arm, and the number of seeds."""
    rows = pd.DataFrame(results["rows"])
    shown = rows.pivot_table("nme", "labelled", "arm", "mean")
    shown = shown[[arm for arm in (TEACHER, PLAIN, TAUGHT, CHOSEN) if arm in shown]]
    shown["seeds"] = rows.groupby("labelled")["seed"].nunique()
    return shown


def verdicts(results: Mapping) -> list[str]:
    """What is known of the two questions that were named before the runs, a line each. One set of
    pictures alone shows nothing: it hints."""
    lines = []
    for arm, reference in ((TAUGHT, PLAIN), (CHOSEN, TEACHER)):
        with contextlib.suppress(ValueError):
            found, seeds = gain(results, NAMED, arm, reference)
            lines.append(
                f"{NAMED} labelled, {arm} against {reference}: error reduction {signed(found)}, "
                f"{seeds} seeds: {word([(found, seeds)])}"
            )
    return lines


def section(results: Mapping) -> str:
    """Mean errors and verdicts in Markdown, for the page of results.

    Args:
        results: As `Study.results` gives them.
    """
    shown = table(results)
    errors = shown.drop(columns="seeds")
    rows = [
        [str(n), str(shown["seeds"][n]), *("–" if np.isnan(e) else f"{100 * e:.2f}" for e in row)]
        for n, row in zip(errors.index, errors.to_numpy(), strict=True)
    ]
    header = ["labelled pictures", "seeds", *errors.columns]
    return (
        f"{report.markdown_table(header, rows)}\n\n"
        f"Mean errors in % of the {results['unit']}, on {results['measured_on']} pictures; "
        f"{results['learned_from']} to learn from. {results['hardware']['device']}, torch "
        f"{results['hardware']['torch']}.\n\n"
        + "\n".join(f"- {line}" for line in verdicts(results))
    )
