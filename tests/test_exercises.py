"""Exercises and solutions: made from one source, up to date, gradable, and runnable unfilled."""

import ast
import contextlib
import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import nbformat
import pytest

from kdnotes.commands import app
from kdnotes.course import checks, recipes
from kdnotes.publish import exercises

jupytext = pytest.importorskip("jupytext", reason="exercises are made with Jupytext")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
SOURCES = exercises.sources(NOTEBOOKS)
LEVELS = {"Easy": 0, "Medium": 1, "Hard": 2}
HEADING = re.compile(r"^## (\d) · (.+)\n\n\*(\w+)\.\* ", re.MULTILINE)


def stored(kind, source):
    return nbformat.read(NOTEBOOKS / kind / f"{source.stem}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request):
    return request.param


@pytest.fixture
def copy(tmp_path):
    """A checkout with two sources and what was made of them."""
    for name in ("02_teachers", "03_kd_loss"):
        for kind in ("", "exercises", "solutions"):
            (tmp_path / "notebooks" / kind).mkdir(parents=True, exist_ok=True)
            file = f"{name}.ipynb"
            shutil.copy(NOTEBOOKS / kind / file, tmp_path / "notebooks" / kind / file)
        to = tmp_path / "notebooks" / "teaching" / "exercises"
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(NOTEBOOKS / "teaching" / "exercises" / f"{name}.md", to)
    return tmp_path


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_each_notebook_has_its_exercises_from_easy_to_hard(source):
    numbered = nbformat.read(NOTEBOOKS / f"{source.stem}.ipynb", as_version=4)
    found = HEADING.findall(source.read_text("utf-8"))
    assert 3 <= len(found) <= 6
    assert [int(number) for number, *_ in found] == list(range(1, len(found) + 1))
    levels = [LEVELS[level] for *_, level in found]
    assert levels == sorted(levels) and levels[0] == 0 < levels[-1]
    text = "\n".join(cell.source for cell in numbered.cells if cell.cell_type == "markdown")
    listed = [f"{number}. *{level}.* {title}" for number, title, level in found]
    assert "\n".join(listed) in text, "the notebook lists other exercises"
    tags = [tag for cell in exercises.read(source).cells for tag in cell.metadata.get("tags", [])]
    assert tags.count("exercise") == tags.count("check") == len(found)


def test_there_is_one_for_each_notebook_and_each_check_is_used_once():
    assert [path.stem for path in SOURCES] == [
        path.stem for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    ]
    asked = [
        re.fullmatch(r"print\(checks\.(\w+)\(\w+\)\)", cell.source)[1]
        for source in SOURCES
        for cell in exercises.read(source).cells
        if "check" in cell.metadata.get("tags", [])
    ]
    assert sorted(asked) == sorted(set(checks.__all__) - {"RIGHT"})


def test_nothing_is_stale():
    assert exercises.stale(NOTEBOOKS) == [], "run `make exercises`"


def test_exercises_do_not_give_the_answer_away(source):
    made = stored("exercises", source)
    text = "\n".join(cell.source for cell in made.cells)
    assert "SOLUTION" not in text
    assert text.count(exercises.BLANK) == text.count("print(checks.")
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(made))
    solution = "\n".join(cell.source for cell in stored("solutions", source).cells)
    assert exercises.BLANK not in solution and "SOLUTION" not in solution


def test_stored_solutions_name_no_folder_of_a_machine(source):
    """As a face set that is rendered meanwhile would."""
    shown = json.dumps([cell.outputs for cell in code(stored("solutions", source))])
    assert not re.search(r"/[\w./-]+/build/", shown)


def test_stored_solutions_are_right(source):
    for cell in code(stored("solutions", source)):
        if "check" in cell.metadata.get("tags", []):
            assert [output.text for output in cell.outputs] == [f"{checks.RIGHT}\n"]


def test_unfilled_blanks_stop_nothing(source, tmp_path, monkeypatch):
    """Every cell runs, each check says that its function gives nothing, figures are the course's
    own."""
    monkeypatch.setenv("KDNOTES_PROFILE", "tiny")
    monkeypatch.setenv("KDNOTES_DATA", "")
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path))
    matplotlib.use("Agg")
    said, names = io.StringIO(), {}
    with contextlib.redirect_stdout(said):
        for cell in code(stored("exercises", source))[1:]:
            exec(cell.source, names)
    blanks = sum(exercises.BLANK in cell.source for cell in code(stored("exercises", source)))
    assert said.getvalue().count("Your function gives nothing") == blanks >= 3
    assert "Your function stopped" not in said.getvalue() and checks.RIGHT not in said.getvalue()


def test_what_changes_is_stale_and_made_again(copy, monkeypatch, capsys):
    notebooks, executed = copy / "notebooks", []
    monkeypatch.setattr(recipes, "checkout", lambda: copy)
    monkeypatch.setattr(
        exercises, "execute", lambda made, path, bar, **how: (made, executed.append(path.name))
    )
    assert exercises.stale(notebooks) == [] and exercises.build(notebooks) == []
    source = notebooks / "teaching" / "exercises" / "02_teachers.md"
    change(source, "e = np.exp(z / T)", "e = np.exp(z/T)")  # of the solution alone
    solution = notebooks / "solutions" / "02_teachers.ipynb"
    assert exercises.stale(notebooks) == [solution]
    with pytest.raises(SystemExit) as stopped:
        app.main(["exercises", "--check"])
    assert stopped.value.code == 1 and "make exercises" in capsys.readouterr().out
    assert exercises.build(notebooks) == [solution] and executed == ["02_teachers.ipynb"]
    exercise = notebooks / "exercises" / "03_kd_loss.ipynb"
    exercise.write_text("{", encoding="utf-8")
    (notebooks / "exercises" / "08_gone.ipynb").write_text("{}", encoding="utf-8")
    assert {path.name for path in exercises.stale(notebooks)} == {exercise.name, "08_gone.ipynb"}
    assert set(exercises.build(notebooks)) == {exercise, exercise.with_name("08_gone.ipynb")}
    assert exercises.stale(notebooks) == []


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("    ### END SOLUTION\n", "", "come in pairs"),
        (":tags: [exercise]\n", "", "is tagged `exercise`"),
        (":tags: [check]\n", "", "is followed by its check"),
    ],
)
def test_a_source_that_would_give_the_answer_away_is_refused(copy, old, new, said):
    source = copy / "notebooks" / "teaching" / "exercises" / "03_kd_loss.md"
    change(source, old, new)
    with pytest.raises(ValueError, match=said) as refused:
        exercises.build(copy / "notebooks")
    assert source.name in str(refused.value)


def test_a_solution_that_fails_is_shown_and_nothing_is_written(copy, monkeypatch):
    path = copy / "notebooks" / "solutions" / "02_teachers.ipynb"
    before = path.read_bytes()
    source = copy / "notebooks" / "teaching" / "exercises" / "02_teachers.md"
    change(source, "import numpy as np\n", "import numpy as np\n\n1 / 0\n")
    with pytest.raises(RuntimeError, match=r"02_teachers.ipynb, cell 2 failed"):
        exercises.build(copy / "notebooks")
    assert path.read_bytes() == before


def test_an_assignment_for_nbgrader(copy, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "checkout", lambda: copy)
    folder = tmp_path / "course" / "source" / "one"
    with pytest.raises(SystemExit) as done:
        app.main(["exercises", "--nbgrader", str(folder)])
    assert done.value.code == 0
    made = nbformat.read(folder / "03_kd_loss.ipynb", as_version=4)
    nbformat.validate(made)
    graded = [cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    solved = [cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert len(graded) == len(solved) == 5
    assert all("raise ValueError(said)" in cell.source for cell in graded)
    assert all(exercises.BEGIN in cell.source for cell in solved)
    ids = [cell.metadata.nbgrader.grade_id for cell in graded + solved]
    assert len(set(ids)) == len(ids)
    head = made.cells[0].source
    assert "](" not in head and "olution" not in head, "the released one leads to no solution"
    with pytest.raises(SystemExit):
        app.main(["exercises", "--nbgrader", str(folder)])
    assert "is not empty" in capsys.readouterr().err


def points(notebook, optimise):
    """Runs a notebook as nbgrader does: an error ends its cell alone."""
    names, found = {}, 0
    for cell in code(notebook)[1:]:
        with contextlib.suppress(Exception):
            exec(compile(cell.source, cell.id, "exec", optimize=optimise), names)
            found += cell.metadata.get("nbgrader", {}).get("points", 0)
    return found


@pytest.mark.parametrize("optimise", [0, 1])
def test_points_are_for_right_answers_alone(copy, tmp_path, optimise):
    """Right answers, empty ones, and a right one beside a wrong one; also where Python leaves
    `assert` out."""
    exercises.write_gradable(copy / "notebooks", tmp_path / "made")
    made = nbformat.read(tmp_path / "made" / "02_teachers.ipynb", as_version=4)
    assert points(made, optimise) == 5
    answers = [cell for cell in made.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    for cell in answers:
        head = cell.source.partition("    ### BEGIN")[0]
        cell.source = f"{head}    raise NotImplementedError()"
    assert points(made, optimise) == 0
    right = "def soft_classes(z, T):\n    e = np.exp(z / T)\n    return e / e.sum(1)[:, None]"
    wrong = "def memorised(errors, people, trained):\n    return errors.mean()"
    answers[0].source, answers[1].source = right, wrong
    assert points(made, optimise) == 1


def test_no_check_is_an_assertion():
    """It would say that everything is right where Python leaves `assert` out."""
    for path in Path(checks.__file__).parent.glob("*.py"):
        kinds = {type(node) for node in ast.walk(ast.parse(path.read_text("utf-8")))}
        assert ast.Assert not in kinds, path.name


def test_points_stay_where_they_are_when_an_exercise_is_inserted(copy):
    source = copy / "notebooks" / "teaching" / "exercises" / "03_kd_loss.md"

    def ids():
        cells = exercises.gradable(exercises.read(source).cells)
        return {
            cell.metadata.nbgrader.grade_id: cell.source.partition("(")[0]
            for cell in cells
            if "nbgrader" in cell.metadata
        }

    before = ids()
    assert {"answer-reflect", "check-reflect", "answer-smallest_beta"} <= set(before)
    new = "```{code-cell}\n:tags: [exercise]\n\ndef f(*given):\n    ### BEGIN SOLUTION\n"
    new += "    return given[0]\n    ### END SOLUTION\n```\n\n"
    new += "```{code-cell}\n:tags: [check]\n\nprint(checks.source_pixels(f))\n```\n\n## 2 · "
    change(source, "## 2 · ", new)
    after = ids()
    assert len(after) == len(before) + 2 == 12
    assert {name: text for name, text in after.items() if name in before} == before


@pytest.mark.long
def test_nbgrader_takes_it(copy, tmp_path):
    """A release without solutions; the untouched one gets no point, the solved one all."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed")
    course = tmp_path / "course"
    exercises.write_gradable(copy / "notebooks", course / "source" / "one")

    def nbgrader(*arguments):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    nbgrader("generate_assignment", "one", "--create")
    release = course / "release" / "one"
    assert "SOLUTION" not in (release / "03_kd_loss.ipynb").read_text("utf-8")
    shutil.copytree(release, course / "submitted" / "bob" / "one")
    shutil.copytree(course / "source" / "one", course / "submitted" / "ada" / "one")
    nbgrader("autograde", "one")
    nbgrader("export")
    with (course / "grades.csv").open(encoding="utf-8") as table:
        scores = {row["student_id"]: row["score"] for row in csv.DictReader(table)}
    assert scores == {"ada": "10.0", "bob": "0.0"}
