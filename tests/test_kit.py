"""What the teaching kit and the book say of the lecture's plan and of the results is so."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_results import gain, told

from kdnotes.evaluation import report
from kdnotes.evaluation.published import PUBLISHED
from kdnotes.models import zoo
from kdnotes.research import few_labels
from kdnotes.research.experiments import log, on
from kdnotes.research.experiments.results import Results, verdict, word

ROOT = Path(__file__).parents[1]
KIT, BOOK = ROOT / "notebooks" / "teaching", ROOT / "notebooks" / "book"
LECTURE = KIT / "slides" / "lecture.md"
SLIDES = re.split(r"^---$", LECTURE.read_text("utf-8"), flags=re.MULTILINE)
MINUTES = [int(re.search(r"^Note:\n\*\*Minute (\d+)\.\*\*", s, re.MULTILINE)[1]) for s in SLIDES]

FAQ, QUIZ, PAGE = told(KIT / "faq.md"), told(KIT / "quiz.md"), told(BOOK / "results.md")
NOTES = [re.sub(r"\s+", " ", slide) for slide in SLIDES]


def slide(title):
    """The text of the slide with this title."""
    (found,) = [note for note in NOTES if f"## {title} " in note]
    return found


def printed(notebook, cell, pattern):
    """All that matches a pattern in what a cell of a stored notebook has printed."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    (found,) = [c for c in nbformat.read(path, as_version=4).cells if c.get("id") == cell]
    return re.findall(pattern, found.outputs[0].text)


def errors(name, arm, seeds=None):
    """Mean errors of an arm in per cent, seed by seed, on validation faces of YouTube Faces."""
    found = Results(on("youtube-faces")[name], log.stored("youtube-faces"))
    return 100 * found.errors(arm, seeds).mean(axis=1)


def study(name):
    return few_labels.table(report.read(report.stored(name)))


def test_the_plan_of_the_lecture_is_that_of_its_notes():
    assert sorted(set(MINUTES)) == MINUTES and MINUTES[0] == 0 and MINUTES[-1] < 90
    plan = re.findall(
        r"^\| (\d+)–(\d+) \| (\d+)–(\d+) \|", (KIT / "sessions.md").read_text("utf-8"), re.M
    )
    rows = np.array(plan, dtype=int)  # from and to of minutes, from and to of slides
    assert rows[0, 2] == 1 and rows[-1, 3] == len(SLIDES) and rows[-1, 1] == 90
    assert (rows[1:, 0] == rows[:-1, 1]).all() and (rows[1:, 2] == rows[:-1, 3] + 1).all()
    assert [MINUTES[first - 1] for first in rows[:, 2]] == rows[:, 0].tolist()


def test_the_short_lecture_takes_an_hour():
    plan = (KIT / "sessions.md").read_text("utf-8")
    (listed,) = re.findall(r"60 minutes leave out slides ([\d, and]+)\.", told(KIT / "sessions.md"))
    left_out = {int(number) for number in re.findall(r"\d+", listed)}
    kept, minutes = (
        [int(number) for number in re.findall(r"\d+", row)]
        for row in re.findall(r"^\| (?:slide|minute) \|(.*)\|$", plan, re.M)
    )
    assert sorted(left_out | set(kept)) == list(range(1, len(SLIDES) + 1))
    assert not left_out & set(kept)
    takes = np.diff([*MINUTES, 90])[np.array(kept) - 1]
    assert [0, *np.cumsum(takes)] == [*minutes, 60]


def test_slides_are_named_by_their_numbers():
    assert "## And the hope?" in SLIDES[28 - 1] and "student-kd" in SLIDES[28 - 1]
    assert "slide 28" in SLIDES[0] and "Slide 28" in SLIDES[2]
    assert "Slide 28 answers" in (KIT / "sessions.md").read_text("utf-8")
    assert len(SLIDES) == 30 and "makes thirty slides" in told(KIT / "sessions.md")
    marks = {int(n) for n in re.findall(r", slide (\d+)\)", QUIZ)}
    assert len(marks) > 10 and marks <= set(range(2, len(SLIDES)))


def test_two_seeds_of_one_loss():
    few = errors("few-labels-5", "L1 on the labelled faces")
    more = errors("better-than-plain", "L1")
    apart, less = (round(100 * (e.max() / e.min() - 1)) for e in (few, more))
    assert len(few) == len(more) == 5
    views = report.read(report.stored("view-count-synthetic"))["rows"]
    two = [row["nme"] for row in views if row["n_views"] == 1]
    nearest = round(100 * (max(two) / min(two) - 1))
    assert len(two) == 2
    trap = slide("Part 4: Two trainings")
    assert f"seeds of similar trainings differ by {nearest} to {apart} %" in trap
    assert f"its two seeds differ by {nearest} %, which is less" in trap
    assert f"the worst of five seeds of L1 has {apart} % more error than the best" in trap
    assert f"With fifteen people it is {less} %" in trap
    assert f"Seeds of similar trainings differ by {nearest} to {apart} %: two seeds" in QUIZ
    assert "the five seeds of L1 with five people labelled, in the experiments below" in PAGE
    assert f"differ by up to {apart} %. The question" in PAGE
    assert f"seeds of similar trainings differ by {nearest} to {apart} %" in FAQ
    plain, taught, steep = printed("06_ablations", "as-steep", r"validation NME ([\d.]+)%")
    assert f"L1 has an error of {plain} %, KD-Loss {taught} %, and L1 as steep as" in trap
    assert f"which needs no teacher, {steep} %" in trap
    gap = round(100 * (float(plain) / float(taught) - 1))
    assert f"L1 has {gap} % more error than KD-Loss" in trap and nearest < gap < apart
    rows = report.read(report.stored("synthetic"))["scores"]
    nme = {row["network"]: row["nme"] for row in rows if row["split"] == "validation"}
    assert nme[report.PLAIN] / nme[report.KD] - 1 < apart / 100, "more than the two trainings"


def test_the_row_that_everybody_asks_about():
    asked = on("youtube-faces")["better-than-plain"]
    (long,) = [name for name, arm in asked.arms.items() if arm.steps == 6]
    found, test = (Results(asked, log.stored("youtube-faces"), split) for split in report.SPLITS)
    assert found.arms()[-1] == long and found.seeds(long, "L1") == [0, 1]
    less = round(100 * found.gain(long).value)
    assert word([(found.gain(long), 2)]) == "not known" and test.seeds(long) == []
    shown = slide("Is KD-Loss better than a plain loss?")
    assert f"{less} % less error than L1; two seeds" in shown
    ours, plain = (errors("better-than-plain", arm, [0, 1]).mean() for arm in (long, "L1"))
    assert f"{ours:.1f} %, where L1 has {plain:.1f} % with the same two seeds" in shown
    assert f"six times as long has {less} % less error than L1, in two seeds" in PAGE


def test_what_a_teacher_on_unlabelled_faces_gave():
    shown = slide("Where a gain is hinted")
    for n, form in (
        (15, "with 15 people the gain is {} to {} %"),
        (60, "with 60 it is {} to {} %"),
    ):
        pair = sorted(gain(f"few-labels-{n}", split)[0] for split in report.SPLITS)
        assert form.format(*pair) in shown
        said = verdict(on("youtube-faces")[f"few-labels-{n}"], log.stored("youtube-faces"))
        assert said.endswith("not known")
    tests = Results(on("youtube-faces")["few-labels-5"], log.stored("youtube-faces"), "test")
    assert len(tests.seeds(*tests.experiment.contrast)) == 3, "three seeds, and five are asked for"


def reached(table, error):
    """Minutes of labelling, at 30 s each, after which the drawn line of the taught student is down
    to an error."""
    taught = table[few_labels.TAUGHT].dropna()
    return 0.5 * np.exp(np.interp(-error, -taught, np.log(taught.index)))


def test_what_few_labels_of_your_own_gave():
    shown, own = slide("Few labels: your own points"), told(BOOK / "own_pictures.md")
    leaves, rays = study("own-leaves"), study("own-cephalograms")
    for table in (leaves, rays):
        assert round(reached(table, table[few_labels.PLAIN][20])) == 5, "of ten minutes"
        assert set(table["seeds"].drop(20)) == {1} and table["seeds"][20] == 5
        assert (np.diff(table[few_labels.TEACHER]) < 0).all(), "better with each doubling"
    by = [1 - t[few_labels.TAUGHT] / t[few_labels.PLAIN] for t in (leaves, rays)]
    assert f"green is still {by[0][40]:.0%} lower with 40".replace("%", " %") in shown
    assert f"at 80 pictures, where it is {by[1][80]:.0%} lower".replace("%", " %") in shown
    twenty = [
        few_labels.gain(report.read(report.stored(n)), 20, few_labels.TAUGHT, few_labels.PLAIN)
        for n in ("own-leaves", "own-cephalograms")
    ]
    (value, low, high), (other, lower, higher) = (
        [round(100 * number) for number in estimate] for estimate, _ in twenty
    )
    assert (
        f"{value} % ({low} to {high} %) on leaves and {other} % ({lower} to {higher} %) on X-rays"
        in shown
    )
    assert value < 15 > other, "the goal"
    assert [word([pair]) for pair in twenty] == ["hinted", "hinted"]
    assert f"has {value} % less error than one that learns from the labels alone on leaves" in own
    assert f"and {other} % less on X-rays, five seeds each" in own
    ten = [round(100 * share[10]) for share in by]
    assert f"With ten it was {ten[0]} % and {ten[1]} %" in own


def test_what_the_right_distances_may_be_worth():
    """Of the teachers' errors, against those of another face."""
    shown = slide("The teachers, or the weighting?")
    asked, kept = on("youtube-faces")["weighting"], log.stored("youtube-faces")
    for split in report.SPLITS:
        found = Results(asked, kept, split)
        estimate = found.gain(asked.contrast[0])
        value, low, high = (f"{100 * number:+.1f}".replace("-", "−") for number in estimate)
        assert f"{value} % ({low} to {high} %) on {split} faces" in shown
        assert estimate.low < 0 < estimate.high and len(found.seeds(*asked.contrast)) == 3
    assert f"worth nothing, or up to {100 * estimate.high:.0f} % on test faces" in shown


def test_the_answer_to_the_hope():
    hope = slide("And the hope?")
    low, high = sorted(gain("few-labels-5", split)[0] for split in report.SPLITS)
    own = [
        few_labels.gain(report.read(report.stored(n)), 20, few_labels.TAUGHT, few_labels.PLAIN)
        for n in ("own-leaves", "own-cephalograms")
    ]
    less, more = sorted(round(100 * estimate.value) for estimate, _ in own)
    assert f"{low} to {high} % less error with five people" in hope
    assert f"{less} to {more} % on leaves and X-rays" in hope
    few = verdict(on("youtube-faces")["few-labels-5"], log.stored("youtube-faces"))
    assert few.endswith("hinted") and {word([pair]) for pair in own} == {"hinted"}
    assert "no gain of KD-Loss over L1 is known" in hope
    for data in ("300w", "youtube-faces", "synthetic"):
        assert verdict(on(data)["better-than-plain"], log.stored(data)).endswith("not known"), data
    wrong = verdict(on("youtube-faces")["wrong-labels"], log.stored("youtube-faces"))
    assert wrong.endswith("not known")


def test_a_perfect_tolerant_teacher_of_300w():
    shown, plain = slide("How soft?"), Results(on("300w")["paper"], log.stored("300w"))
    path = ROOT / "notebooks" / "appendix_data_sets.ipynb"
    (cell,) = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if cell.get("id") == "data-300w-table"
    ]
    soft = float(re.search(r"0\.90: \(4, ([\d.]+)", cell.source)[1])  # on the 689 test faces
    published = PUBLISHED["300w"][report.PLAIN]["full"]
    assert f"lie {soft:.1f} % of the eyes' distance from the hard ones" in shown
    assert f"the authors' plain student has an error of {published:.1f} %" in shown
    assert published < soft < 100 * plain.errors("L1").mean() < 5.5
    assert "about 5.4 % on validation faces" in shown


def test_what_the_answers_to_students_say():
    better = {split: gain("better-than-plain", split) for split in report.SPLITS}
    assert all(low < 0 < high for _, low, high in better.values()) and better["test"][2] > 10
    assert (
        f"{better['validation'][0]} % on validation faces and {better['test'][0]} % on test" in FAQ
    )
    plain = {arm: errors("better-than-plain", arm) for arm in ("L1", "Wing", "L2")}
    l1, wing, l2 = (f"{values.mean():.1f} %" for values in plain.values())
    order = f"{l1} in five seeds, against {wing} of Wing and {l2} of L2 in two seeds each"
    assert order in FAQ
    assert [len(values) for values in plain.values()] == [5, 2, 2]
    moved = on("youtube-faces")["wrong-labels"]
    assert verdict(moved, log.stored("youtube-faces")).endswith("not known")
    for split in report.SPLITS:
        _, low, high = gain("wrong-labels", split)
        assert low <= -10 and high >= 10, "a gain and a loss of a tenth, in the exam's answer"


def test_what_is_said_of_the_teachers_that_ship():
    nme = {
        (data, name): zoo.load(name, data).card["scores"]
        for data in ("synthetic", "youtube-faces")
        for name in ("tough", "student-plain", "student-kd")
    }
    less = {
        (data, split): 1 - nme[data, "tough"][split]["nme"] / nme[data, student][split]["nme"]
        for data, student in (("synthetic", "student-plain"), ("youtube-faces", "student-kd"))
        for split in report.SPLITS
    }
    assert all(less["youtube-faces", split] < 0 for split in report.SPLITS), (
        "worse than the student"
    )
    rendered = [round(100 * less["synthetic", split]) for split in report.SPLITS]
    assert f"{rendered[0]} % lower on validation faces and {rendered[1]} % lower on test" in PAGE
    assert max(rendered) < 15


def test_the_times_of_two_tables():
    bits = report.read(report.stored("on-device-youtube-faces"))
    forms = {r["runs as"]: r["milliseconds"] for r in bits["networks"]["student-kd"]["rows"]}
    compared = report.read(report.stored("peers-youtube-faces"))
    ours = next(row for row in compared["rows"] if row["who"] == "ours")
    assert f"takes {ours['milliseconds']:.1f} ms here and about 5 ms there" in PAGE
    assert round(forms["fp32"]) == round(forms["fp16"]) == 5
    assert compared["ours_runs_in"] == "onnxruntime"


def test_the_first_mode_of_the_shape_model():
    """Its share is that of the components kept at 80 and at 85 %."""
    notebook = nbformat.read(ROOT / "notebooks" / "01_data_and_soft_landmarks.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.get("id") == "2656dc0e"]
    kept = cell.outputs[0].data["text/plain"]
    assert re.search(r"^80%\s+1 ", kept, re.M) and re.search(r"^85%\s+2 ", kept, re.M)
    assert "it alone has more than 80 % of the variance" in slide("The shape model in one line")


@pytest.mark.parametrize("group", ["own", "data"])
def test_the_page_of_commands_lists_them_all(group):
    from typer.main import get_command

    from kdnotes.commands.app import app

    listed = (BOOK / "install.md").read_text("utf-8")
    commands = get_command(app).commands
    assert all(f"`{name}" in listed for name in commands)
    assert all(f"`{group} {name}`" in listed for name in commands[group].commands)
