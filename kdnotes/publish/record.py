"""Makes one run of the course the run that the course shows: results, README, stored notebooks."""

import re
import shutil
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kdnotes import plots
from kdnotes.course import recipes
from kdnotes.evaluation import published, report
from kdnotes.models import inference
from kdnotes.research.experiments import on, results
from kdnotes.research.experiments.log import Log
from kdnotes.system.files import new_file


def record_run(course: recipes.Course, found: dict, executed: Path, notebooks: list[Path]) -> None:
    """Stores the report as package data and shows it in the README. With embedded faces, stores
    the executed notebooks and the README's picture too: photographs show real people, and stay
    in the reader's own run.

    Args:
        found: The report of the run, with `seconds` and `memory_gb`.
        executed: Folder of the executed notebooks.
        notebooks: Where to store them.
    """
    name = found["data"]["name"]
    readme = notebooks[0].parents[1] / "README.md"
    report.insert_into(readme, name, section(found))
    report.write(found, report.stored(name))
    if not course.faces.rendered:
        return
    for path in notebooks:
        shutil.copyfile(executed / path.name, path)
        say_time(path, found)
    with new_file(notebooks[0].parent / "figures" / "overview.png") as part:
        overview(course).savefig(part, format="png", dpi=110)


def section(found: dict) -> str:
    """What the README says of a run; with published errors, where there are any."""
    text = report.section(found)
    if len(published.beside(found)):
        text += f"\n\nBeside what is published, NME in %:\n\n{published.markdown(found)}"
    return text


def record_experiments(log: Log, readme: Path | None = None) -> None:
    """Writes the table of all experiments beside their log, and their contrasts into the README."""
    experiments = on(log.path.stem)
    with new_file(log.path.with_suffix(".csv")) as part:
        results.summary(experiments, log).to_csv(part, index=False, lineterminator="\n")
    if readme is not None:
        table = results.markdown(experiments, log)
        report.insert_into(readme, f"experiments-{log.path.stem}", table)


def say_time(path: Path, found: dict) -> None:
    """Puts the measured time and memory of a notebook into its first cell."""
    import nbformat  # of the extra course; experiments are recorded without it

    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0]
    line = time_line(path.stem, found)
    first.source = re.sub(r"\*\*Time and memory:\*\* .*", line, first.source)
    with new_file(path) as part:
        nbformat.write(notebook, part)


def time_line(stem: str, found: dict) -> str:
    """What a notebook says of its time and memory; Markdown."""
    seconds, memory = found["seconds"][stem], found["memory_gb"][stem]
    time, machine = _minutes(seconds), found["hardware"]["device"]
    if found.get("note"):
        machine += f", {found['note']}"
    others = ", when the notebooks before it have run"
    if stem.startswith("00"):
        others = f", and {_minutes(found['seconds']['faces'])} the first time, to render the faces"
    return (
        f"**Time and memory:** {time} and {memory:.1f} GB in the profile `{found['profile']}` "
        f"({machine}){others}; `make course` prints what it takes on your "
        "machine."
    )


def _minutes(seconds):
    if seconds >= 90:
        return f"{seconds / 60:.0f} minutes"
    return f"{10 * max(1, round(seconds / 10))} seconds"


def overview(course: recipes.Course, n: int = 8) -> Figure:
    """Test faces of different people with the landmarks of the KD student and the true ones."""
    test = course.split("test")
    one_each = np.unique(test.people(), return_index=True)[1][:n]
    faces = test.select(one_each)
    pred = inference.predict(recipes.train_student(course, "kd-paper")[0], faces)
    named = [{"hard": g, "student": p} for g, p in zip(faces.landmarks, pred, strict=True)]
    return plots.face_grid(faces.images[:], named, faces.scheme, columns=n // 2, side=2.2, size=4)
