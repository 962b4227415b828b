"""The live figures of a stored notebook as HTML that moves without a kernel.

A notebook stores a figure's still picture and its state, see `kdnotes.plots.live`. Pages that are
made from the notebook, such as the web book, show the figure itself.
"""

import base64
import copy
import html
import itertools
import json

import nbformat

from kdnotes.plots import live
from kdnotes.publish.tidy import pictures


def read(text: str) -> nbformat.NotebookNode:
    """The notebook in a file's text, with its live figures as HTML. The web book calls it."""
    return moving(nbformat.reads(text, as_version=4))


def moving(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the notebook in which each live figure is HTML."""
    notebook = copy.deepcopy(notebook)
    numbers = itertools.count(1)
    for cell in notebook.cells:
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
