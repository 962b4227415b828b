"""The stored notebooks: their frame, their outputs, and that they are what GitHub can show.

The numbered ones have the frame of the course, and the appendices most of it; what holds for every
notebook is asked of exercises and solutions, too.
"""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from kdnotes.course import answers
from kdnotes.plots import live
from kdnotes.publish import fork
from kdnotes.publish.tidy import HIDDEN, alt_text, pictures

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
PATHS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
APPENDICES = sorted(FOLDER.glob("appendix_*.ipynb"))
MADE = sorted(FOLDER.glob("exercises/*.ipynb")) + sorted(FOLDER.glob("solutions/*.ipynb"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(FOLDER.rglob("*.md"))]
MARKERS = {"# NBVAL_CHECK_OUTPUT"}


def name_of(path):
    return path.relative_to(FOLDER).with_suffix("").as_posix()


@pytest.fixture(params=[*PATHS, *APPENDICES, *MADE], ids=name_of)
def path(request):
    return request.param


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def numbered(request):
    return request.param


@pytest.fixture(params=[*PATHS, *APPENDICES], ids=lambda path: path.stem)
def written(request):
    return nbformat.read(request.param, as_version=4)


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_all_nine_are_there():
    assert [path.stem[:2] for path in PATHS] == [f"0{i}" for i in range(9)]


def test_is_valid_small_and_without_widget_state(path, notebook):
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata, "GitHub shows no notebook with widget state"
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 1_000_000


def test_has_the_frame_of_the_course(numbered):
    notebook = nbformat.read(numbered, as_version=4)
    first = notebook.cells[0].source
    assert re.match(rf"# {numbered.stem[:2]} · \S", first)
    for part in ("## What you will learn", "## Before you start", "**Time and memory:**"):
        assert part in first
    text = markdown(notebook)
    wanted = ["## What you have learned", "## Exercises", "## References"]
    places = [text.index(part) for part in wanted]
    assert places == sorted(places)
    assert "TODO" not in text
    number, last = PATHS.index(numbered), notebook.cells[-1].source
    if number > 0:
        assert f"({PATHS[number - 1].name})" in last
    if number + 1 < len(PATHS):
        assert f"({PATHS[number + 1].name})" in last


@pytest.mark.parametrize("path", APPENDICES, ids=lambda path: path.stem)
def test_an_appendix_has_what_fits_of_it(path):
    """It belongs to numbered notebooks, and leads back to them."""
    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0].source
    assert re.match(r"# Appendix · \S", first)
    for part in ("## What you will learn", "## Before you start", "**Time and memory:**"):
        assert part in first
    assert re.search(r"\(0\d_\w+\.ipynb\)", first.split("## Before you start")[1])
    assert re.search(r"\(0\d_\w+\.ipynb\)", notebook.cells[-1].source)
    assert "## References" in markdown(notebook) and "TODO" not in markdown(notebook)


def test_what_is_learnt_is_told_twice(numbered):
    """The recap answers the promise: at least as many points, none of them empty."""
    notebook = nbformat.read(numbered, as_version=4)

    def points(heading):
        (cell,) = [c for c in notebook.cells if heading in c.source and c.cell_type == "markdown"]
        return re.findall(r"^- \S.+", cell.source.split(heading)[1].split("\n## ")[0], re.M)

    promised, kept = points("## What you will learn"), points("## What you have learned")
    assert 3 <= len(promised) <= len(kept) + 1


#: A question, or a call to guess; it may say itself where it is answered.
QUESTION = re.compile(r"\*\*(?:[^*]*\?|Guess[^*]*|Before you [^*]*|Predict[^*]*)\*\*")
LATER = re.compile(r"[Nn]otebooks? (\[?0\d|\d)|\]\(0\d_|[Ss]ection \d|[Ee]xercise \d")


def answers_in(cell):
    return cell.source.startswith(answers.TITLE) or f"<summary>{answers.SUMMARY}<" in cell.source


def test_every_question_has_its_answer(written):
    """Folded away, before the next section; or the paragraph says where the answer is."""
    waiting = None
    for cell in [*written.cells, nbformat.v4.new_markdown_cell("## ")]:
        if cell.cell_type == "markdown":
            parts = re.split(r"(?m)(?=^## )", cell.source)
        else:
            parts = [cell.source] if answers_in(cell) else []
        for part in parts:
            assert not (waiting and part.startswith("## ")), f"no answer to {waiting!r}"
            if cell.cell_type == "code" or answers_in(nbformat.v4.new_markdown_cell(part)):
                waiting = None
            for paragraph in part.split("\n\n"):
                if (asked := QUESTION.search(paragraph)) and not LATER.search(paragraph):
                    waiting = asked[0]


def test_an_answer_is_computed_in_the_run_that_it_tells(written):
    assert "stored run" not in markdown(written), "an `answer` says it, from the notebook's values"
    for cell in code_cells(written):
        assert ("answer(" in cell.source) == cell.source.startswith(answers.TITLE)
        if answers_in(cell):
            assert HIDDEN.items() <= cell.metadata.items()
            assert re.search(r"\{[^}]", cell.source), "nothing is computed: write it in Markdown"


def test_a_notebook_is_one_sitting(written):
    """200 words a minute, and six seconds for a line of code."""
    shown = [cell for cell in code_cells(written) if not answers_in(cell)]
    lines = sum(1 for cell in shown[1:] for line in cell.source.splitlines() if line.strip())
    words = sum(len(cell.source.split()) for cell in written.cells
                if cell.cell_type == "markdown" or answers_in(cell))  # fmt: skip
    assert words / 200 + lines / 10 <= 45


def test_opens_and_installs_from_one_repository(path, notebook):
    """The one of pyproject.toml, which `python -m kdnotes badges` sets."""
    where = path.relative_to(ROOT).as_posix()
    slug, version = fork.slug(ROOT), fork.version(ROOT)
    address = f"colab.research.google.com/github/{slug}/blob/{version}/{where})"
    assert address in notebook.cells[0].source, "Colab badge of another notebook"
    install = notebook.cells[1].source
    at = "" if version == "main" else f"@{version}"
    assert re.search(rf'"kdnotes(\[export\])? @ git\+https://github.com/{slug}{at}"\n', install)
    plain = nbformat.read(PATHS[0], as_version=4).cells[1].source
    assert install.replace("kdnotes[export] @", "kdnotes @") == plain, "another first cell"
    assert "[export]" not in install or path.stem.startswith("07")


def test_links_lead_somewhere(path, notebook):
    check_links(path, markdown(notebook))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_of_texts_lead_somewhere(path):
    text = path.read_text("utf-8")
    check_links(path, re.sub(r"```.*?```", "", text, flags=re.S))


def check_links(path, text):
    for target, place in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", text):
        file = (path.parent / target).resolve() if target else path
        at = "slides" if "slides" in path.parts else ""
        if at and target.endswith(".ipynb"):  # a cell of a notebook, see kdnotes.publish.slides
            file = FOLDER / target
        elif target.startswith("../live"):  # a page of the web book
            continue
        assert file.exists(), f"{path.name} links to {target}"
        if place and not at:
            assert place in headings(file), f"{path.name}: {file.name} has no heading #{place}"


def headings(path):
    """The places of a notebook or a text that can be linked to, as JupyterLab and GitHub name
    them."""
    if path.suffix == ".ipynb":
        text = markdown(nbformat.read(path, as_version=4))
        return {title.replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)}
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_pictures_are_described(path, notebook):
    """In words, for those who do not see them; in Markdown, too."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in pictures(output):
                assert output.metadata[kind].alt == alt_text(cell)
                assert 60 <= len(alt_text(cell)) <= 320, cell.id
    assert "![](" not in markdown(notebook) and "<img" not in markdown(notebook)


def test_words_are_spelt_right(tmp_path):
    pytest.importorskip("codespell_lib", reason="needs the extra dev")
    for path in [*PATHS, *APPENDICES, *MADE]:
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source + "\n" + alt_text(cell) for cell in cells)
        (tmp_path / f"{name_of(path).replace('/', '-')}.md").write_text(text, encoding="utf-8")
    ours = [*TEXTS, ROOT / "kdnotes", ROOT / "data_scripts", ROOT / "tests", tmp_path]
    command = [sys.executable, "-m", "codespell_lib", "--toml", ROOT / "pyproject.toml", *ours]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_live_figure_has_a_still_and_a_cell_that_moves_it(path, notebook):
    """GitHub and print show the still, pages move by what is stored, and the cell can fail."""
    cells = code_cells(notebook)
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        assert not re.search(r"%matplotlib (widget|ipympl|notebook)", cell.source)
        made = re.search(r"^(\w+) = live\.\w+\(", cell.source, re.M)
        if path.parent.name == "exercises" or not made:
            continue
        (output,) = [o for o in cell.outputs if live.MIME in o.get("data", {})]
        assert json.loads(output.data[live.MIME])["state"] and len(pictures(output)) == 1
        moved = re.search(rf"^{made[1]}\.\w+(, {made[1]}\.\w+)* = ", following.source, re.M)
        said = "".join(str(o.get("text", "")) for o in following.outputs)
        assert moved and "assert " in following.source and "the figure says: " in said, cell.id


def test_live_figures_are_there(numbered):
    stored = [json.loads(output.data[live.MIME])["module"] for cell in
              code_cells(nbformat.read(numbered, as_version=4)) for output in cell.outputs
              if live.MIME in output.get("data", {})]  # fmt: skip
    wanted = {"01": ["modes"], "02": ["temperature"], "03": ["coordinate", "plane", "face"],
              "04": ["face"], "05": ["failures"], "06": ["seeds"], "08": ["labelling"]}  # fmt: skip
    assert stored == wanted.get(numbered.stem[:2], [])


def test_stored_pictures_come_from_rendered_faces(path, notebook):
    """`make course --record` and `make exercises` write down which faces they showed."""
    if any(pictures(output) for cell in code_cells(notebook) for output in cell.outputs):
        assert notebook.metadata.kdnotes.faces == "synthetic"
    text = "\n".join(cell.source for cell in code_cells(notebook))
    assert not re.search(r"read_(300w|cofw|wflw|youtube_faces)|imread|Image\.open", text)


def test_cells_are_short_and_markers_spelt_right(notebook):
    for cell in code_cells(notebook):
        lines = cell.source.splitlines()
        assert len(lines) <= 50
        for line in lines:
            if re.match(r"#\s*nbval", line, re.IGNORECASE):
                assert line in MARKERS


def test_was_stored_after_one_run_from_top_to_bottom(path, notebook):
    if path.parent.name == "exercises":  # to be filled in: test_exercises runs them
        return
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_outputs_hold_no_errors_addresses_paths_or_widgets(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            text = json.dumps(
                {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            ) + str(output.get("text", ""))
            text = re.sub(r"data:image/jpeg;base64,[\w+/=]+", "", text)  # of live figures
            assert "widget-view" not in text
            assert not re.search(r"0x[0-9a-f]{6,}", text), text[:200]
            assert not re.search(r"(/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\)", text), text[:200]


def test_shown_sources_are_those_of_the_package(written):
    """A module that changes while a notebook runs shows other lines than those that were asked."""
    names, cells = {}, code_cells(written)
    imports = cells[1].source.split("\n\n")  # the first cell installs
    exec("\n".join(part for part in imports if part.startswith(("import", "from"))), names)
    for cell in cells:
        for name in re.findall(r"inspect\.getsource\((\w+\.[\w.]+)\)", cell.source):
            shown = "".join(
                str(output.get("data", {}).get("text/plain")) for output in cell.outputs
            )
            last = inspect.getsource(eval(name, names)).rstrip().splitlines()[-1].strip()
            assert last in shown, f"{cell.id} shows something else than {name}"


def test_some_outputs_are_compared_in_every_profile():
    marked = [
        c
        for p in [*PATHS, *APPENDICES]
        for c in code_cells(nbformat.read(p, 4))
        if "NBVAL_CHECK" in c.source
    ]
    assert len(marked) >= 5
    assert all(cell.outputs for cell in marked)


def test_every_answer_shows_something(written):
    """A call of `answer` that is not the last line of its cell shows nothing."""
    for cell in code_cells(written):
        if cell.source.startswith(answers.TITLE):
            (last,) = ast.parse(cell.source).body[-1:]
            assert isinstance(last, ast.Expr) and last.value.func.id == "answer", cell.id
            assert cell.outputs, cell.id
