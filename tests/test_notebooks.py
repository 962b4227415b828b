"""The stored notebooks: their frame, their outputs, and that they are what GitHub can show."""

import json
import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
MARKERS = {"# NBVAL_CHECK_OUTPUT"}


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_all_eight_are_there():
    assert [path.stem[:2] for path in PATHS] == [f"0{i}" for i in range(8)]


def test_is_valid_small_and_without_widget_state(path, notebook):
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 1_000_000


def test_has_the_frame_of_the_course(path, notebook):
    first = notebook.cells[0].source
    assert re.match(rf"# {path.stem[:2]} · \S", first)
    assert f"blob/main/notebooks/{path.name})" in first, "Colab badge of another notebook"
    for part in ("## What you will learn", "## Before you start", "**Time and memory:**"):
        assert part in first
    assert "importlib.util.find_spec" in notebook.cells[1].source
    text = markdown(notebook)
    wanted = ["## What you have learned", "## Exercises", "## References"]
    places = [text.index(part) for part in wanted]
    assert places == sorted(places)
    assert "TODO" not in text


def test_links_lead_somewhere(path, notebook):
    number = PATHS.index(path)
    last = notebook.cells[-1].source
    if number > 0:
        assert f"({PATHS[number - 1].name})" in last
    if number + 1 < len(PATHS):
        assert f"({PATHS[number + 1].name})" in last
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", markdown(notebook)):
        assert (FOLDER / target).exists(), f"{path.name} links to {target}"


def test_cells_are_short_and_markers_spelt_right(notebook):
    for cell in code_cells(notebook):
        lines = cell.source.splitlines()
        assert len(lines) <= 50
        for line in lines:
            if re.match(r"#\s*nbval", line, re.IGNORECASE):
                assert line in MARKERS


def test_was_stored_after_one_run_from_top_to_bottom(notebook):
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
            assert "widget-view" not in text
            assert not re.search(r"0x[0-9a-f]{6,}", text), text[:200]
            assert not re.search(r"(/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\)", text), text[:200]


def test_some_outputs_are_compared_in_every_profile():
    marked = [
        c for p in PATHS for c in code_cells(nbformat.read(p, 4)) if "NBVAL_CHECK" in c.source
    ]
    assert len(marked) >= 5
    assert all(cell.outputs for cell in marked)
