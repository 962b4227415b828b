"""A notebook's word on a name that is not there yet: which cell to run, below the NameError.

    %load_ext kdnotes.course.hints

Cells are looked up in the notebooks of the working folder; where the notebook is not there, as on
Colab, the hint is to run all cells above.
"""

import ast
import json
from pathlib import Path

#: What is said where the cell cannot be named.
RUN_ABOVE = "run the cells above this one, in order"


def load_ipython_extension(shell) -> None:
    """Called by `%load_ext`."""
    shell.set_custom_exc((NameError,), _show)


def _show(shell, kind, error, traceback, tb_offset=None):
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    if error.name:
        print(hint(error.name, shell.user_ns["In"][-1]))


def hint(name: str, source: str, folder: Path | None = None) -> str:
    """A sentence on how to get `name`.

    Args:
        name: What is not defined.
        source: The cell that failed.
        folder: Where notebooks are looked for; None means the working folder.
    """
    for path in sorted((folder or Path.cwd()).glob("*.ipynb")):
        cells = _code(path)
        if source.strip() not in cells:
            continue
        above = cells[: cells.index(source.strip())]
        if makers := [cell for cell in above if name in defined(cell)]:
            (first, *_) = [line for line in makers[-1].splitlines() if not line.startswith("#")]
            return f"{name!r} comes from a cell above: run the one that begins with\n    {first}"
    return f"{name!r} is not there: {RUN_ABOVE}"


def _code(path: Path) -> list[str]:
    """The sources of a notebook's code cells; none of a file that is no notebook."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [source.strip() for source in sources]


def defined(source: str) -> set[str]:
    """The names that a cell gives to what it makes."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return names
