"""Notebooks run in this process: seconds where a kernel for each would take minutes."""

import contextlib
import io
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat

FOLDER = Path(__file__).parents[1] / "notebooks"
APPENDICES = sorted(path.stem for path in FOLDER.glob("appendix_*.ipynb"))


def code_cells(stem: str) -> list:
    """The code cells of the notebook whose name begins so, without the one that installs."""
    (path,) = FOLDER.glob(f"{stem}*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"][1:]


def run_cell(cell, names: dict) -> str:
    """Runs a cell in a namespace; returns what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(cell.source, f"cell {cell.id}", "exec"), names)
    plt.close("all")
    return printed.getvalue()


def run(stem: str) -> dict[str, str]:
    """Runs a notebook from top to bottom; what each cell printed, by its id."""
    names = {"__name__": "notebook"}
    return {cell.id: run_cell(cell, names) for cell in code_cells(stem)}
