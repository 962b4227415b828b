"""Numbers have one source, kdnotes/results: README, book and notebooks must agree with it."""

import copy
import re
from pathlib import Path

import nbformat
import pytest

from kdnotes.evaluation import report
from kdnotes.evaluation.marks import marks
from kdnotes.publish import record
from kdnotes.research.experiments import log, on, paper
from kdnotes.research.experiments.results import Results, verdict

ROOT = Path(__file__).parents[1]
NAMES = ("synthetic", "youtube-faces", "300w")


def stored(name):
    if not report.stored(name).exists():
        pytest.skip(f"no run on {name} is stored yet: python -m kdnotes course --record")
    return report.read(report.stored(name))


@pytest.fixture(params=NAMES)
def results(request):
    return stored(request.param)


PAGE = report.results_page(ROOT)


def test_the_page_of_results_shows_the_stored_ones(results):
    page, section = PAGE.read_text("utf-8"), record.section(results)
    assert report.insert(page, results["data"]["name"], section) == page
    assert section in page


@pytest.mark.parametrize("data", ["300w", "youtube-faces", "synthetic"])
def test_the_page_of_results_shows_the_stored_experiments(data):
    page, section = PAGE.read_text("utf-8"), record.experiments_section(log.stored(data))
    assert report.insert(page, f"experiments-{data}", section) == page
    assert "| hinted |" in section or "| shown |" in section


def test_the_papers_table_has_what_was_measured_and_what_is_published():
    kept, experiment = log.stored("300w"), on("300w")["paper"]
    table, tested = paper.papers_table(kept), Results(experiment, kept, "test")
    assert list(table.index) == tested.arms()
    for arm, row in table.iterrows():
        errors = tested.errors(arm)
        assert row["NME, %"].startswith(f"{100 * errors.mean():.2f} (")
        assert row["FR@8 %"] == f"{(errors > 0.08).mean():.1%}"
        assert f"| {arm} | {len(errors)} | " in paper.markdown(kept)
    if len(table):
        assert table.loc["L2", "published"] == "3.93"
        assert table.loc["KD-Loss (PAPER)", "published"] == "3.56"


def test_the_readme_tells_what_came_out(tmp_path):
    """And fits two screens; its figure shows the same numbers."""
    readme = (ROOT / "README.md").read_text("utf-8")
    found = record.answers()
    assert report.insert(readme, "answer", record.answer(found)) == readme
    assert len(readme.splitlines()) <= 90
    seconds = report.read(report.stored("synthetic"))["seconds"]
    minutes = sum(s for name, s in seconds.items() if not name.startswith("appendix")) / 60
    assert f"The notebooks took {minutes:.0f} minutes" in readme
    assert f"took {minutes:.0f} minutes" in told(ROOT / "notebooks" / "teaching" / "running.md")
    record.draw_answers(found, tmp_path / "answer.svg")
    drawn, stored = (
        re.search(r"<dc:description>.*?</dc:description>", path.read_text("utf-8"), re.DOTALL)[0]
        for path in (tmp_path / "answer.svg", ROOT / "notebooks" / "figures" / "answer.svg")
    )
    assert drawn == stored and "Estimate" in drawn


def test_stored_results_are_complete(results):
    names = {report.MEAN_SHAPE, report.PLAIN, report.KD, report.TOUGH, report.TOLERANT}
    for split in report.SPLITS:
        rows = {row["network"]: row for row in results["scores"] if row["split"] == split}
        assert names <= set(rows)
        assert all(row["n"] == results["data"]["faces"][split] for row in rows.values())
        assert all(row["low"] <= row["nme"] <= row["high"] for row in rows.values())
    assert results["normaliser"] == "interocular"
    assert results["profile"] == "quick"


def test_one_split_alone(results):
    """What notebook 00 shows before the test faces are looked at."""
    shown = report.on_split(results, "validation")
    assert {row["split"] for row in shown["scores"]} == {"validation"}
    assert not [name for name in report.table(shown) if "test" in name]
    caption, counts = report.caption(shown), results["data"]["faces"]
    assert f"{counts['validation']} validation faces" in caption and "test faces" not in caption
    assert len(results["scores"]) > len(shown["scores"])


def test_notebook_05_shows_the_stored_results():
    results = stored("synthetic")
    notebook = nbformat.read(ROOT / "notebooks" / "05_evaluation.ipynb", as_version=4)
    shown = [
        output.data["text/html"]
        for cell in notebook.cells
        if cell.source == "display(report.table(results))"
        for output in cell.outputs
    ]
    assert shown == [report.table(results)._repr_html_()]


def test_notebooks_say_the_measured_time():
    results = stored("synthetic")
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        first = nbformat.read(path, as_version=4).cells[0].source
        assert record.time_line(path.stem, results) in first
    for path in sorted((ROOT / "notebooks").glob("appendix_*.ipynb")):
        if path.stem in results["seconds"]:  # recorded with the course
            first = nbformat.read(path, as_version=4).cells[0].source
            assert record.time_line(path.stem, results) in first


def test_students_learn_what_the_course_promises(results):
    """Of the stored runs; a new run prints it. The teachers of other face sets are not asked."""
    *students, teacher = marks(results)
    assert len(students) == 2 and all(line.endswith("is reached") for line in students)
    if results["data"]["name"] == "synthetic":
        assert teacher.endswith("is reached")


def test_a_mark_can_be_missed(results):
    worse = copy.deepcopy(results)
    for row in worse["scores"]:
        row["nme"] *= {report.PLAIN: 2, report.KD: 2, report.TOUGH: 9}.get(row["network"], 1)
    assert all(line.endswith("is missed") for line in marks(worse))


def test_the_page_of_sizes_names_every_profile_as_it_is():
    from kdnotes.course.profiles import PROFILES

    page = (ROOT / "notebooks" / "book" / "install.md").read_text("utf-8")
    for profile in PROFILES.values():
        (row,) = re.findall(rf"^\| `{profile.name}` \|.*$", page, re.MULTILINE)
        assert f"`{profile.student}`, {profile.student_size} px" in row
        same = profile.teacher == profile.student and "the same" in row
        assert same or f"`{profile.teacher}`, {profile.teacher_size} px" in row


def told(path):
    """A text in one line, a notebook's Markdown without its cells."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text("utf-8")
    return re.sub(r"\s+", " ", text)


def gain(name, split="validation", data="youtube-faces"):
    """What the contrast of an experiment gave, in whole per cent: value, low, high."""
    found = Results(on(data)[name], log.stored(data), split)
    return tuple(round(100 * value) for value in found.gain(found.experiment.contrast[0]))


def test_sentences_tell_the_stored_numbers():
    """A number in a sentence is typed by hand, once; each of these is computed here."""
    both = {name: (gain(name), gain(name, "test")) for name in on("youtube-faces")
            if name.startswith(("few", "better", "weighting"))}  # fmt: skip
    page = told(PAGE)
    quiz = told(ROOT / "notebooks" / "teaching" / "quiz.md")
    low, high = sorted(value for value, *_ in both["few-labels-5"])
    assert f"has {low} to {high} % less error than" in page
    assert f"{low} to {high} % less error than L1 with five people labelled" in quiz
    low, high = sorted(value for value, *_ in both["few-labels-15"])
    assert f"With fifteen people labelled the gain is {low} to {high} %" in page
    low, high = sorted(value for value, *_ in both["few-labels-60"])
    assert f"with sixty {low} to {high} %" in page
    plain, test = both["better-than-plain"]
    assert plain[1] < 0 < plain[2] and test[1] < 0 and test[2] > 10
    assert f"has {plain[0]} % less error than L1 on validation faces and {test[0]} %" in page
    left = [value for _, _, value in reversed(both["weighting"])]
    assert f"the test interval ends at {left[0]} %" in page
    assert f"gains of up to {left[0]} % on test faces and {left[1]} % on validation faces" in quiz
    asked, kept = on("300w")["paper"], log.stored("300w")
    kd = [gain("paper", split, data="300w")[0] for split in report.SPLITS]
    found = [Results(asked.comparing("L1", "L2"), kept, split) for split in report.SPLITS]
    l1 = [round(100 * results.gain("L1").value) for results in found]
    ends = {gain("better-than-plain", split, data="300w")[1:] for split in report.SPLITS}
    (end,) = {high for _, high in ends}
    assert all(low < 0 < high < 10 for low, high in ends)
    less = (
        f"KD-Loss has {kd[0]} % less error than L2 on validation faces and {kd[1]} % on test faces"
    )
    faq, slides = (told(ROOT / "notebooks" / "teaching" / name)
                   for name in ("faq.md", "slides/lecture.md"))  # fmt: skip
    assert f"{less}; plain L1 has {l1[0]} % and {l1[1]} %. Both are *shown*." in page
    assert f"{less}, and plain L1 has {l1[0]} % and {l1[1]} %: both are *shown*." in faq
    assert f"{less}, and L1 without any teacher has {l1[0]} % and {l1[1]} %: *shown*." in slides
    assert all(f"both intervals end at {end} %" in text for text in (page, faq, slides))
    for contrast in (asked, asked.comparing("L1", "L2")):
        assert verdict(contrast, kept).endswith(": shown")
    assert verdict(on("300w")["better-than-plain"], kept).endswith(": not known")
    teacher = found[0].run(asked.contrast[0], 0)["teachers"]["tough"]["unseen"]
    lower = 1 - teacher / found[0].errors("L1").mean()
    assert f"The Tough teacher has {teacher:.1%}".replace("%", " %") in page
    assert f"{100 * lower:.0f} % less than L1" in page
    assert [len(results.seeds(*asked.contrast)) for results in found] == [8, 6]
    assert "has the eight planned seeds, test six of eight fresh ones" in page
    said = {name: verdict(on("youtube-faces")[name], log.stored("youtube-faces")) for name in both}
    assert {name for name, line in said.items() if not line.endswith("not known")} == {
        "few-labels-5"
    }
    assert said["few-labels-5"].endswith("hinted")


def test_insert_refuses_a_text_without_a_place():
    with pytest.raises(ValueError, match="no place for results of 'other'"):
        report.insert("text", "other", "section")
