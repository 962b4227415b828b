"""Records a run of the course as the one that the course shows: results, their page, notebooks; and
what the experiments gave, with the README's answer."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from kdnotes import plots
from kdnotes.course import recipes
from kdnotes.evaluation import published, report
from kdnotes.models import inference
from kdnotes.research.experiments import on, paper
from kdnotes.research.experiments import results as experiments
from kdnotes.research.experiments.known import FACES, without_teacher
from kdnotes.research.experiments.log import Log, stored
from kdnotes.system.files import new_file

#: What the README shows of the experiments: face set, experiment, and its name in the figure. The
#: text tells those in `TOLD`.
ANSWERS = {
    ("300w", "paper"): "KD-Loss against L2,\n300W, labelled by hand",
    ("300w", "better-than-plain"): "KD-Loss against L1,\n300W, labelled by hand",
    ("youtube-faces", "better-than-plain"): "KD-Loss against L1,\nYouTube Faces, 15 people",
    ("youtube-faces", "few-labels-5"): "a teacher labels the rest,\nYouTube Faces, 5 people",
    ("youtube-faces", "few-labels-15"): "the same,\n15 people",
    ("youtube-faces", "few-labels-60"): "the same,\n60 people",
}
TOLD = (
    ("300w", "paper"),
    ("300w", "better-than-plain"),
    ("youtube-faces", "few-labels-5"),
)


def record_run(
    course: recipes.Course, results: dict, executed: Path, notebooks: list[Path]
) -> None:
    """Stores the report of a run as package data and shows it on the page of results.

    With embedded faces, the executed notebooks and the book's picture are stored, too.
    Photographs show real people, so runs on them stay with the reader.

    Args:
        course: What was run.
        results: The report of the run, with `seconds` and `memory_gb`.
        executed: Folder of the executed notebooks.
        notebooks: Where to store them.
    """
    name = results["data"]["name"]
    page = report.results_page(notebooks[0].parents[1])
    report.insert_into(page, name, section(results))
    report.write(results, report.stored(name))
    if not course.faces.rendered:
        return
    for path in notebooks:
        shutil.copyfile(executed / path.name, path)
        say_time(path, results)
    with new_file(notebooks[0].parent / "figures" / "overview.png") as part:
        overview(course).savefig(part, format="png", dpi=110)


def section(results: dict) -> str:
    """The section of the page of results on a run, in Markdown, with what is published.

    Args:
        results: The report of the run.
    """
    text = report.section(results)
    if len(published.beside(results)):
        text += f"\n\nBeside what is published, NME in %:\n\n{published.markdown(results)}"
    return text


def record_experiments(log: Log, checkout: Path | None = None) -> None:
    """Writes the table of all experiments beside their log, their contrasts into the page of
    results, and what came out into the README.

    Args:
        log: Log of the runs; its name is that of the face set.
        checkout: The checkout whose texts are changed, for a log that ships; None leaves them
            alone.
    """
    data = log.path.stem
    with new_file(log.path.with_suffix(".csv")) as part:
        experiments.summary(on(data), log).to_csv(part, index=False, lineterminator="\n")
    if checkout is None:
        return
    text = experiments_section(log)
    report.insert_into(report.results_page(checkout), f"experiments-{data}", text)
    found = answers()
    report.insert_into(checkout / "README.md", "answer", answer(found))
    with new_file(checkout / "notebooks" / "figures" / "answer.svg") as part:
        draw_answers(found, part)


def experiments_section(log: Log) -> str:
    """The section of the page of results on the experiments of a log, in Markdown."""
    data = log.path.stem
    tables = [experiments.markdown(on(data), log), paper.markdown(log) if data == "300w" else ""]
    return "\n\n".join(filter(None, tables))


def answers() -> dict[tuple[str, str], dict]:
    """What the experiments in `ANSWERS` gave, as `experiments.gains_of` returns it, from the logs
    that ship; those without runs are left out."""
    found = {
        (data, name): experiments.gains_of(on(data)[name], stored(data)) for data, name in ANSWERS
    }
    return {key: gains for key, gains in found.items() if gains}


def answer(found: Mapping[tuple[str, str], dict]) -> str:
    """What came out of the main questions, in Markdown, a paragraph each.

    Args:
        found: As `answers` returns it.
    """
    lines = []
    for data, name in (key for key in TOLD if key in found):
        experiment, gains = on(data)[name], found[data, name]
        parts = [f"{experiments.signed(gain)} on {faces}" for faces, (gain, _) in gains.items()]
        lines.append(
            f"**{experiment.question}** {experiments.word(list(gains.values())).capitalize()}: "
            f"error reduction {', '.join(parts)}. {FACES[data]}."
        )
    if shared := without_teacher():
        share, faces = shared
        lines.append(
            f"On the {faces} of 300W {share:.0%} of the gain over L2 comes with plain L1, without "
            "a teacher."
        )
    return "\n\n".join(lines)


def draw_answers(found: Mapping[tuple[str, str], dict], file: Path) -> None:
    """Draws the main contrasts with their intervals, as an SVG file whose description says what
    numbers it shows.

    Args:
        found: As `answers` returns it.
        file: To write.
    """
    gains = {
        ANSWERS[key]: {faces: gain for faces, (gain, _) in row.items()}
        for key, row in found.items()
    }
    figure = plots.gains(gains)
    with matplotlib.rc_context({"svg.hashsalt": "kdnotes"}):
        described = {"Date": None, "Description": str(gains)}
        figure.savefig(file, format="svg", metadata=described)


def say_time(path: Path, results: dict) -> None:
    """Puts the measured time and memory of a notebook into its first cell.

    Args:
        path: The notebook.
        results: The report of the run.
    """
    import nbformat  # of the extra course; experiments are recorded without it

    from kdnotes.publish import tidy

    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0]
    line = time_line(path.stem, results)
    first.source = re.sub(r"\*\*Time and memory:\*\* .*", line, first.source)
    tidy.write(notebook, path)


def time_line(stem: str, results: dict) -> str:
    """What a notebook says of its time and memory, in Markdown.

    Args:
        stem: Name of the notebook.
        results: The report of the run.
    """
    time, memory = _minutes(results["seconds"][stem]), results["memory_gb"][stem]
    machine = results["hardware"]["device"]
    if results.get("note"):
        machine += f", {results['note']}"
    condition = ", if the earlier notebooks have run"
    if stem.startswith("00"):
        first = _minutes(results["seconds"]["faces"])
        condition = f", and {first} more the first time, to render the faces"
    prints = "; `make course` prints the figures for your machine"
    if stem.startswith("appendix"):
        prints = ""  # it runs none
    return (
        f"**Time and memory:** {time} and {memory:.1f} GB in the profile `{results['profile']}` "
        f"({machine}){condition}{prints}."
    )


def _minutes(seconds):
    if seconds >= 90:
        return f"{seconds / 60:.0f} minutes"
    return f"{10 * max(1, round(seconds / 10))} seconds"


def overview(course: recipes.Course, n: int = 8) -> Figure:
    """Draws test faces of different people with their landmarks and those of the KD student.

    Args:
        course: Faces and profile; the student is trained first, if it is not yet.
        n: Number of faces, at most.
    """
    test = course.split("test")
    one_each = np.unique(test.people(), return_index=True)[1][:n]
    faces = test.select(one_each)
    pred = inference.predict(recipes.train_student(course, "kd-paper")[0], faces)
    points = [{"hard": g, "student": p} for g, p in zip(faces.landmarks, pred, strict=True)]
    return plots.face_grid(faces.images[:], points, faces.scheme, columns=n // 2, side=2.2, size=4)
