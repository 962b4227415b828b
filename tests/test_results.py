"""Numbers have one source, kdnotes/results: README and notebooks must agree with it."""

import re
from pathlib import Path

import nbformat
import pytest

from kdnotes import record
from kdnotes.evaluation import report

ROOT = Path(__file__).parents[1]
NAMES = ("synthetic", "youtube-faces")


def stored(name):
    if not report.stored(name).exists():
        pytest.skip(f"no run on {name} is stored yet: python -m kdnotes course --record")
    return report.read(report.stored(name))


@pytest.fixture(params=NAMES)
def results(request):
    return stored(request.param)


def test_readme_shows_the_stored_results(results):
    readme = (ROOT / "README.md").read_text("utf-8")
    section = report.section(results)
    assert report.insert(readme, results["data"]["name"], section) == readme
    assert section in readme


def test_stored_results_are_complete(results):
    names = {report.MEAN_SHAPE, report.PLAIN, report.KD, report.TOUGH, report.TOLERANT}
    for split in report.SPLITS:
        rows = {row["network"]: row for row in results["scores"] if row["split"] == split}
        assert names <= set(rows)
        assert all(row["n"] == results["data"]["faces"][split] for row in rows.values())
        assert all(row["low"] <= row["nme"] <= row["high"] for row in rows.values())
    assert results["normaliser"] == "interocular"
    assert results["profile"] == "quick"


def test_notebook_05_shows_the_stored_results():
    results = stored("synthetic")
    notebook = nbformat.read(ROOT / "notebooks" / "05_evaluation.ipynb", as_version=4)
    printed = [
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code" and "report.markdown(" in cell.source
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    assert [text.strip() for text in printed] == [report.markdown(results)]


def test_notebooks_say_the_measured_time():
    results = stored("synthetic")
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        first = nbformat.read(path, as_version=4).cells[0].source
        assert record.time_line(path.stem, results) in first


def test_students_learn_what_the_course_promises(results):
    """Of the stored runs; what a new run gives is measured, not tested."""
    nme = {row["network"]: row["nme"] for row in results["scores"] if row["split"] == "test"}
    promised = {"synthetic": 0.35, "youtube-faces": 0.42}[results["data"]["name"]]
    assert nme[report.KD] <= promised * nme[report.MEAN_SHAPE]


def test_readme_names_every_profile_as_it_is():
    from kdnotes.profiles import PROFILES

    readme = (ROOT / "README.md").read_text("utf-8")
    for profile in PROFILES.values():
        (row,) = re.findall(rf"^\| `{profile.name}` \|.*$", readme, re.MULTILINE)
        assert f"`{profile.student}`, {profile.student_size} px" in row
        same = profile.teacher == profile.student and "the same" in row
        assert same or f"`{profile.teacher}`, {profile.teacher_size} px" in row


def test_insert_refuses_a_text_without_a_place():
    with pytest.raises(ValueError, match="no place for results of 'other'"):
        report.insert("text", "other", "section")
