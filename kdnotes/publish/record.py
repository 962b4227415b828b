"""Records a run of the course as the one that the course shows: results, README, notebooks."""

import re
import shutil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kdnotes import plots
from kdnotes.course import recipes
from kdnotes.evaluation import published, report
from kdnotes.models import inference
from kdnotes.research.experiments import on
from kdnotes.research.experiments import results as experiments
from kdnotes.research.experiments.log import Log
from kdnotes.system.files import new_file


def record_run(
    course: recipes.Course, results: dict, executed: Path, notebooks: list[Path]
) -> None:
    """Stores the report of a run as package data and shows it in the README.

    With embedded faces, the executed notebooks and the README's picture are stored, too.
    Photographs show real people, so runs on them stay with the reader.

    Args:
        course: What was run.
        results: The report of the run, with `seconds` and `memory_gb`.
        executed: Folder of the executed notebooks.
        notebooks: Where to store them.
    """
    name = results["data"]["name"]
    readme = notebooks[0].parents[1] / "README.md"
    report.insert_into(readme, name, section(results))
    report.write(results, report.stored(name))
    if not course.faces.rendered:
        return
    for path in notebooks:
        shutil.copyfile(executed / path.name, path)
        say_time(path, results)
    with new_file(notebooks[0].parent / "figures" / "overview.png") as part:
        overview(course).savefig(part, format="png", dpi=110)


def section(results: dict) -> str:
    """The README's section on a run, in Markdown, with published errors where there are any.

    Args:
        results: The report of the run.
    """
    text = report.section(results)
    if len(published.beside(results)):
        text += f"\n\nBeside what is published, NME in %:\n\n{published.markdown(results)}"
    return text


def record_experiments(log: Log, readme: Path | None = None) -> None:
    """Writes the table of all experiments beside their log, and their contrasts into the README.

    Args:
        log: Log of the runs; its name is that of the face set.
        readme: The README; None leaves it alone.
    """
    known = on(log.path.stem)
    with new_file(log.path.with_suffix(".csv")) as part:
        experiments.summary(known, log).to_csv(part, index=False, lineterminator="\n")
    if readme is not None:
        table = experiments.markdown(known, log)
        report.insert_into(readme, f"experiments-{log.path.stem}", table)


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
    condition = ", when the notebooks before it have run"
    if stem.startswith("00"):
        first = _minutes(results["seconds"]["faces"])
        condition = f", and {first} the first time, to render the faces"
    return (
        f"**Time and memory:** {time} and {memory:.1f} GB in the profile `{results['profile']}` "
        f"({machine}){condition}; `make course` prints what it takes on your machine."
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
