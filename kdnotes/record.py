"""Makes one run of the course the run that the course shows: results, README, stored notebooks."""

import re
import shutil
from pathlib import Path

import nbformat
from matplotlib.figure import Figure

from kdnotes import inference, plots, recipes
from kdnotes.evaluation import report
from kdnotes.files import new_file


def record_run(
    course: recipes.Course, results: dict, executed: Path, notebooks: list[Path]
) -> None:
    """Stores the report as package data and shows it in the README. With embedded faces, stores
    the executed notebooks and the README's picture too: photographs show real people, and stay
    in the reader's own run.

    Args:
        results: The report of the run, with `seconds` and `memory_gb`.
        executed: Folder of the executed notebooks.
        notebooks: Where to store them.
    """
    name = results["data"]["name"]
    readme = notebooks[0].parents[1] / "README.md"
    text = report.insert(readme.read_text("utf-8"), name, report.section(results))
    report.write(results, report.stored(name))
    with new_file(readme) as part:
        part.write_text(text, encoding="utf-8")
    if name != "synthetic":
        return
    for path in notebooks:
        shutil.copyfile(executed / path.name, path)
        say_time(path, results)
    with new_file(notebooks[0].parent / "figures" / "overview.png") as part:
        overview(course).savefig(part, format="png", dpi=110)


def say_time(path: Path, results: dict) -> None:
    """Puts the measured time and memory of a notebook into its first cell."""
    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0]
    line = time_line(path.stem, results)
    first.source = re.sub(r"\*\*Time and memory:\*\* .*", line, first.source)
    with new_file(path) as part:
        nbformat.write(notebook, part)


def time_line(stem: str, results: dict) -> str:
    """What a notebook says of its time and memory; Markdown."""
    seconds, memory = results["seconds"][stem], results["memory_gb"][stem]
    time = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{10 * round(seconds / 10)} seconds"
    others = "" if stem.startswith("00") else ", when the notebooks before it have run"
    return (
        f"**Time and memory:** {time} and {memory:.1f} GB in the profile `{results['profile']}` "
        f"({results['hardware']['device']}){others}; `make course` prints what it takes on your "
        "machine."
    )


def overview(course: recipes.Course, n: int = 8) -> Figure:
    """Test faces of different people with the landmarks of the KD student and the true ones."""
    test = course.split("test")
    one_each = test.table.drop_duplicates("subject").index[:n].to_numpy()
    faces = test.select(one_each)
    pred = inference.predict(recipes.train_student(course, "kd-paper")[0], faces)
    named = [{"hard": g, "student": p} for g, p in zip(faces.landmarks, pred, strict=True)]
    return plots.face_grid(faces.images[:], named, faces.scheme, columns=n // 2, side=2.2, size=4)
