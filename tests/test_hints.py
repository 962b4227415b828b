"""The hint below a NameError: which cell was left out."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from kdnotes.course import hints

CELLS = [
    "%matplotlib inline\nimport numpy as np",
    "# noise\nx = 1\ny, *z = 2, 3",
    "def f():\n    return x",
    "x = 5\nprint(f(), np.pi)",
    "print(x, y)",
]


@pytest.fixture
def folder(tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell(s) for s in CELLS]), tmp_path / "a.ipynb")
    (tmp_path / "b.ipynb").write_text("no notebook")
    return tmp_path


@pytest.mark.parametrize(
    "name, failed, first",
    [
        ("np", 3, "%matplotlib inline"),
        ("y", 4, "x = 1"),
        ("z", 4, "x = 1"),
        ("x", 4, "x = 5"),  # the nearest one above
        ("f", 3, "def f():"),
    ],
)
def test_the_nearest_cell_above_that_makes_the_name(folder, name, failed, first):
    assert hints.hint(name, CELLS[failed] + "\n", folder).endswith(f"begins with\n    {first}")


@pytest.mark.parametrize("name, failed", [("nobody", CELLS[4]), ("x", "another cell")])
def test_a_name_from_nowhere_or_a_notebook_from_elsewhere(folder, name, failed):
    assert hints.RUN_ABOVE in hints.hint(name, failed, folder)


def test_in_a_notebook_the_hint_follows_the_error(folder, monkeypatch, capsys):
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    monkeypatch.chdir(folder)
    shell = interactive.InteractiveShell()
    shell.run_line_magic("load_ext", "kdnotes.course.hints")
    result = shell.run_cell(CELLS[4], store_history=True)
    assert isinstance(result.error_in_exec, NameError)
    printed = capsys.readouterr()
    assert "NameError" in printed.out + printed.err
    assert printed.out.rstrip().endswith("begins with\n    x = 5")
