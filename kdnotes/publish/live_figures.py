"""A stored notebook as a page shows it: its live figures move without a kernel.

A notebook stores a figure's still picture and its state, see `kdnotes.plots.live`. Pages that are
made from the notebook, such as the web book, show the figure itself. The book also folds what
readers rarely need, and the answers to questions that they are asked first.
"""

import base64
import copy
import html
import itertools
import json
import re

import nbformat

from kdnotes.course import answers
from kdnotes.plots import live
from kdnotes.publish.tidy import pictures

#: The first line of the cell that installs the package.
INSTALLATION = "# Installs kdnotes"

#: What a reader does not see of a cell: a mark for nbval.
_COMPARED = "# NBVAL_CHECK_OUTPUT\n"

#: A question to be answered before the next output is seen.
_QUESTION = re.compile(r"\*\*Predict|Before you (run|look|train)")


def read(text: str) -> nbformat.NotebookNode:
    """The notebook in a file's text, as the web book shows it. The book's builder calls it."""
    notebook = nbformat.reads(text, as_version=4)
    asked = False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _fold(cell, asked)
            asked = asked and not cell.outputs
        else:
            asked = bool(_QUESTION.search(cell.source))
    return moving(notebook)


def _fold(cell, asked):
    """Tags a cell so that the book folds the installation, drawing, and the answer to a question.

    A live figure is never folded: the question is about moving it. What was answered is folded by
    the answer itself.
    """
    if cell.source.startswith(answers.TITLE):
        return
    moves = any(live.MIME in output.get("data", {}) for output in cell.outputs)
    if cell.source.startswith(INSTALLATION):
        tag, prompt = "hide-input", "Show the installation"
    elif asked and not moves:
        tag, prompt = "hide-cell" if _draws(cell.source) else "hide-output", "Show the answer"
    elif _draws(cell.source):
        tag, prompt = "hide-input", "Show the code of this drawing"
    else:
        return
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
    cell.metadata.setdefault("mystnb", {})["code_prompt_show"] = prompt


def _draws(source):
    """Whether code is mostly drawing: at most a third of it stands before the figure is made."""
    lines = source.splitlines()
    before = next((i for i, line in enumerate(lines) if "new_figure(" in line), len(lines))
    return "def draw_" in source or 3 * before <= len(lines)


def moving(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the notebook in which each live figure is HTML, and no line is for a test."""
    notebook = copy.deepcopy(notebook)
    numbers = itertools.count(1)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace(_COMPARED, "")
        for output in cell.get("outputs", []):
            if live.MIME in output.get("data", {}):
                output.data = {"text/html": page_of(output, f"live-figure-{next(numbers)}")}
                output.metadata = nbformat.NotebookNode()
    return notebook


def page_of(output: nbformat.NotebookNode, place: str) -> str:
    """A stored live figure as HTML; where scripts are switched off, its still picture.

    Args:
        output: The cell's output that holds it.
        place: Id of the element that is made for it; unique in the page.
    """
    figure = json.loads(output.data[live.MIME])
    stills = "".join(_still(output, kind) for kind in pictures(output))
    return f"{live.page(figure['module'], figure['state'], place)}\n<noscript>{stills}</noscript>"


def _still(output, kind):
    data = output.data[kind]
    if kind == "image/svg+xml":
        data = base64.b64encode(data.encode()).decode()
    alt = html.escape(output.metadata.get(kind, {}).get("alt", ""))
    return f'<img alt="{alt}" src="data:{kind};base64,{data.strip()}">'
