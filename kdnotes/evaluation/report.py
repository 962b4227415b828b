"""The report: mean shape, plain student, KD student and both teachers on the same faces.

Every error is divided by the inter-ocular distance, or by what a scheme without eyes names, and
given with an interval over people. Nothing is chosen on the test split: it is
only measured.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kdnotes import metrics, models
from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.data.schemes import DISTANCES
from kdnotes.models import inference, zoo
from kdnotes.system.files import new_file, write_json

#: Names of the table's rows, in its order.
MEAN_SHAPE = "mean shape"
PLAIN = "plain student"
KD = "KD student"
TOUGH = "Tough teacher"
TOLERANT = "Tolerant teacher"
TOLERANT_SOFT = "Tolerant teacher, against soft landmarks"

#: What figures and notebooks call them.
SHORT = {
    MEAN_SHAPE: "mean",
    PLAIN: "plain",
    KD: "student",
    TOUGH: "tough",
    TOLERANT: "tolerant",
}

#: Everything is chosen on the first; the second is read once, when nothing is left to choose.
SPLITS = ("validation", "test")


def score(pred: np.ndarray, faces: FaceSet, target: np.ndarray | None = None) -> dict:
    """How far predictions lie from the landmarks of a face set.

    Args:
        pred: `(N, L, 2)` in stored-crop units.
        faces: The faces.
        target: `(N, L, 2)` to compare with in place of the faces' hard landmarks.

    Returns:
        Number of faces `n`; `nme` with its 95 % interval `low`, `high` (over people; NaN
        where there is one alone), `median`, failure rate `fr10` and `auc10` at 10 %, all as
        fractions of the distance that the scheme divides by.
    """
    target = faces.landmarks if target is None else target
    return summary(metrics.nme(pred, target, faces.scheme), faces.people())


def summary(errors: np.ndarray, people: np.ndarray) -> dict:
    """What `score` says of errors `(N,)` and the people `(N,)` on the faces."""
    nme, low, high = metrics.mean_interval(errors, people)
    return {
        "n": len(errors),
        "nme": nme,
        "low": low,
        "high": high,
        "median": float(np.median(errors)),
        "fr10": float(metrics.failure_rate(errors)),
        "auc10": float(metrics.auc(errors)),
    }


def errors(
    net: models.LandmarkNet, faces: FaceSet, target: np.ndarray | None = None, **views
) -> np.ndarray:
    """The error of a network on each face.

    Args:
        net: The network.
        faces: The faces.
        target: `(N, L, 2)` to compare with in place of the faces' hard landmarks.
        views: `moved` and `seed` of `inference.predict`.

    Returns:
        `(N,)` NME, fractions of the distance that the scheme divides by.
    """
    target = faces.landmarks if target is None else target
    return metrics.nme(inference.predict(net, faces, **views), target, faces.scheme)


def networks(course: recipes.Course) -> dict[str, models.LandmarkNet]:
    """The course's four networks by the name of their row; trained now if need be."""
    return {
        PLAIN: recipes.train_student(course, "l1")[0],
        KD: recipes.train_student(course, "kd-paper")[0],
        TOUGH: recipes.train_teacher(course, "tough")[0],
        TOLERANT: recipes.train_teacher(course, "tolerant")[0],
    }


def predictions(
    course: recipes.Course, split: str, nets: dict[str, models.LandmarkNet] | None = None
) -> dict[str, np.ndarray]:
    """What each network and the mean shape answer for a split.

    Args:
        course: The course.
        split: Name of the split.
        nets: Name of the row to network; None: those of the course.

    Returns:
        Name of the row to landmarks `(N, L, 2)` in stored-crop units.
    """
    faces = course.split(split)
    mean = np.broadcast_to(recipes.mean_shape(course), faces.landmarks.shape)
    nets = nets or networks(course)
    return {MEAN_SHAPE: mean} | {name: inference.predict(net, faces) for name, net in nets.items()}


def shipped_predictions(course: recipes.Course, split: str) -> dict[str, np.ndarray]:
    """What the networks that ship for these faces answer for a split.

    Returns:
        "plain", "student" and "tough" to landmarks `(N, L, 2)` in stored-crop units.
    """
    nets, faces = zoo.shipped(course.faces), course.split(split)
    names = {"plain": "student-plain", "student": "student-kd", "tough": "tough"}
    return {short: inference.predict(nets[name], faces) for short, name in names.items()}


def build(course: recipes.Course, splits: tuple[str, ...] = SPLITS) -> dict:
    """The whole report as JSON values: what was run, on what, where, and every score."""
    nets, soft = networks(course), recipes.soft_landmarks(course)
    rows, subset_rows = [], []
    for split in splits:
        faces = course.split(split)
        answers = predictions(course, split, nets)
        for name, pred in answers.items():
            rows.append({"network": name, "split": split, **score(pred, faces)})
            subset_rows += [
                {"subset": subset, "network": name, "split": split, **numbers}
                for subset, numbers in subset_scores(pred, faces).items()
            ]
        against_soft = score(answers[TOLERANT], faces, soft[faces.rows])
        rows.append({"network": TOLERANT_SOFT, "split": split, **against_soft})
    return {
        "profile": course.profile.name,
        "data": about_data(course.faces),
        "normaliser": course.faces.scheme.normaliser,
        "crop_margin": course.faces.crop_margin,
        "sizes": {
            name: {
                "network": net.config.name,
                "pixels": net.config.size,
                "parameters": models.count_parameters(net),
            }
            for name, net in nets.items()
        },
        "hardware": hardware(),
        "scores": rows,
        "subsets": subset_rows,
    }


def subset_scores(pred: np.ndarray, faces: FaceSet) -> dict[str, dict]:
    """The `score` of each subset that has a face here, by its name."""
    inside = {name: np.flatnonzero(faces.table[name]) for name in faces.meta["subsets"]}
    return {
        name: score(pred[rows], faces.select(rows)) for name, rows in inside.items() if len(rows)
    }


def about_data(faces: FaceSet) -> dict:
    """What a reader must know of a face set to understand a number; JSON values."""
    people = pd.Series(faces.people()).groupby(faces.table["split"], sort=False)
    return {
        "name": faces.name,
        "rendered": faces.rendered,
        "title": faces.meta["source"],
        "points": faces.scheme.n_points,
        "faces": people.size().to_dict(),
        "people": people.nunique().to_dict(),
        **{key: faces.meta[key] for key in ("box", "stored_margin", "split_rule")},
        "labels": faces.meta.get("labels", ""),
        "fingerprint": faces.fingerprint,
    }


def on_split(report: dict, split: str) -> dict:
    """The report of one split alone."""
    return report | {
        key: [row for row in report.get(key, ()) if row["split"] == split]
        for key in ("scores", "subsets")
    }


def table(report: dict) -> pd.DataFrame:
    """The report's scores as a table for people, percentages as text.

    Returns:
        A row per network. The last four columns are about the last split.
    """
    frame = pd.DataFrame(report["scores"])
    names = frame["network"].drop_duplicates()
    columns = {}
    for split in frame["split"].drop_duplicates():
        scores = frame[frame["split"] == split].set_index("network").loc[names]
        columns[f"{split} NME %"] = per_cent(scores["nme"])
    columns |= {
        "95 % interval": intervals(scores),
        "median %": per_cent(scores["median"]),
        "FR@10 %": per_cent(scores["fr10"], digits=1),
        "AUC@10": scores["auc10"].map("{:.3f}".format),
    }
    return pd.DataFrame(columns, index=pd.Index(names, name=None))


def subset_table(report: dict) -> pd.DataFrame:
    """Mean error of each network on each subset of the last split, percentages as text.

    Returns:
        A row per subset with its number of faces and a column per network; empty without subsets.
    """
    split = report["scores"][-1]["split"]
    rows = pd.DataFrame([row for row in report["subsets"] if row["split"] == split])
    if rows.empty:
        return rows
    shown = rows.assign(nme=per_cent(rows["nme"]))
    shown = shown.pivot(index=["subset", "n"], columns="network", values="nme").reset_index("n")
    names = [row["network"] for row in report["scores"] if row["network"] in shown]
    return (
        shown[["n", *dict.fromkeys(names)]]
        .rename(columns={"n": "faces"})
        .rename_axis(index=None, columns=None)
    )


def per_cent(fractions: pd.Series, digits: int = 2) -> pd.Series:
    """Fractions as text for people, in per cent and without its sign."""
    return (100 * fractions).map(f"{{:.{digits}f}}".format)


def intervals(scores: pd.DataFrame) -> list[str]:
    """The columns "low" and "high" as text, in per cent; a dash where they are NaN."""
    ends = scores[["low", "high"]].astype(float)
    return [
        "–" if np.isnan(low) else f"{100 * low:.2f} to {100 * high:.2f}"
        for low, high in ends.itertuples(index=False)
    ]


def markdown(report: dict) -> str:
    """`table` as Markdown."""
    frame = table(report)
    return markdown_table(["", *frame.columns], frame.itertuples())


def markdown_table(header: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown, from the texts of its cells."""
    lines = [
        "|" + "".join(f" {cell} |" if cell else " |" for cell in cells) for cells in (header, *rows)
    ]
    lines.insert(1, "|---" * len(header) + "|")
    return "\n".join(lines)


def caption(report: dict) -> str:
    """One sentence that says what the numbers are."""
    data = report["data"]
    splits = list(dict.fromkeys(row["split"] for row in report["scores"]))
    counts = " and ".join(f"{data['faces'][split]} {split}" for split in splits)
    labels = f" Labels: {data['labels']}" if data["labels"] else ""
    return (
        f"NME divided by the {DISTANCES[report['normaliser']]}; {counts} faces of {data['name']}, "
        f"{data['points']} points, crop = {data['box']} box × {report['crop_margin']}; intervals "
        f"are over the people of the {splits[-1]} split. Split: {data['split_rule']}.{labels}"
    )


def section(report: dict) -> str:
    """What the page of results says of one run, in Markdown.

    Args:
        report: With `seconds`, also of appendices, and perhaps with a `note` on how it was run,
            such as "one thread".
    """
    embedded = report["data"]["rendered"]
    seconds = report["seconds"].items()  # `make course` runs no appendix
    minutes = sum(n for name, n in seconds if not name.startswith("appendix")) / 60
    hardware = report["hardware"]
    return "\n".join(
        [
            "## Embedded faces" if embedded else f"## {report['data']['title']}",
            "",
            f"`make course{'' if embedded else ' DATA=…'}`, profile `{report['profile']}`, "
            f"{hardware['device']}, torch {hardware['torch']}: {minutes:.0f} minutes"
            + (f", {report['note']}." if report.get("note") else "."),
            "",
            markdown(report),
            "",
            caption(report),
        ]
    )


def insert(text: str, name: str, section: str) -> str:
    """Replaces what stands between `<!-- results: NAME -->` and `<!-- end -->`.

    Args:
        text: Markdown with these marks.
        name: NAME in the first mark.
        section: What to put there.

    Returns:
        The new text.

    Raises:
        ValueError: The marks are not there.
    """
    before, mark, rest = text.partition(f"<!-- results: {name} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not (mark and end):
        raise ValueError(f"the text has no place for results of {name!r}: marks are missing")
    return before + mark + section + "\n" + end + after


def insert_into(file: Path, name: str, section: str) -> None:
    """`insert` in a file, such as the page of results."""
    text = insert(file.read_text("utf-8"), name, section)
    with new_file(file) as part:
        part.write_text(text, encoding="utf-8")


def results_page(checkout: Path) -> Path:
    """The page of the web book that shows all results."""
    return checkout / "notebooks" / "book" / "results.md"


def stored(name: str) -> Path:
    """The file of the results that the book and the notebooks show for a face set of that name."""
    return Path(__file__).parents[1] / "results" / f"{name}.json"


def write(report: dict, path: str | Path) -> Path:
    """Writes a report as JSON."""
    return write_json(path, report)


def read(path: str | Path) -> dict:
    return json.loads(Path(path).read_text())
