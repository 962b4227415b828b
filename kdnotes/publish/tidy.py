"""Executed notebooks as they are stored: tidied, and small enough for GitHub to show them.

A cell that draws describes its picture in its metadata, for readers who cannot see it:
`{"mystnb": {"image": {"alt": …}}}`. The web book reads the text there. `tidy` copies it to the
outputs.

The code of a cell that answers a question is hidden, see `kdnotes.course.answers`.
"""

import base64
import io
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor, CoalesceStreamsPreprocessor
from PIL import Image, ImageChops

from kdnotes.course import answers
from kdnotes.system.files import new_file

WIDGET = "application/vnd.jupyter.widget-view+json"

#: What is kept of a code cell's metadata, and of a notebook's.
CELL_METADATA, NOTEBOOK_METADATA = {"tags", "mystnb"}, {"kdnotes"}

#: How JupyterLab, Colab and the pages made from a notebook are told to hide a cell's code.
HIDDEN = {"jupyter": {"source_hidden": True}, "cellView": "form", "tags": ["remove-input"]}

#: What a stored notebook says of its language, whichever Python has executed it.
PYTHON = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

#: A PNG figure of more bytes is shrunk.
LARGEST_PNG = 20_000

#: A drawing with more bytes of SVG is stored as a picture.
LARGEST_SVG = 45_000

#: A palette may change the red, green or blue of a pixel by this much of 255.
PALETTE_ERROR = 40


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Writes a notebook to a file, completely or not at all."""
    with new_file(path) as part:
        nbformat.write(notebook, part)


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Removes progress bars and time stamps from an executed notebook, and shrinks its figures.

    Of a widget, which needs a running kernel, only what a page can show stays: a live figure's
    still and its state.

    Args:
        notebook: The notebook; it is changed in place.

    Returns:
        The same notebook.
    """
    from kdnotes.plots import live  # which loads torch

    ClearMetadataPreprocessor(
        preserve_cell_metadata_mask=CELL_METADATA, preserve_nb_metadata_mask=NOTEBOOK_METADATA
    ).preprocess(notebook, {})
    notebook.metadata.update(PYTHON)
    for cell in [cell for cell in notebook.cells if cell.cell_type == "code"]:
        if cell.source.startswith(answers.TITLE):
            cell.metadata.update(HIDDEN)
        cell.outputs = [output for output in cell.outputs if _can_be_shown(output, live.MIME)]
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET, None)
            _keep_one(output.get("data", {}))
            _shrink(output.get("data", {}))
            for kind in pictures(output):
                output.metadata[kind] = {"alt": alt_text(cell)}
    CoalesceStreamsPreprocessor().preprocess(notebook, {})
    return notebook


def _can_be_shown(output, live_figure):
    """Whether a page without a kernel can show an output."""
    data = output.get("data", {})
    return output.get("name") != "stderr" and (WIDGET not in data or live_figure in data)


def alt_text(cell: nbformat.NotebookNode) -> str:
    """The description of a cell's pictures in words; empty if the cell has none."""
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def pictures(output: nbformat.NotebookNode) -> list[str]:
    """The picture formats that an output holds, as MIME types."""
    return [kind for kind in output.get("data", {}) if kind.startswith("image/")]


def _keep_one(data):
    """Of a drawing, stored as lines and as pixels, the lines, unless they are too many."""
    if "image/svg+xml" in data and "image/png" in data:
        large = len(data["image/svg+xml"]) > LARGEST_SVG
        del data["image/svg+xml" if large else "image/png"]


def _shrink(data):
    """Replaces a large PNG figure by the smaller of a JPEG and a drawing with a palette.

    A palette that would change a colour visibly, as in faces, is not used: colours tell networks
    apart.
    """
    png = base64.b64decode(data.get("image/png", ""))
    if len(png) <= LARGEST_PNG:
        return
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    kind, content = "image/jpeg", _encoded(picture, "JPEG", quality=80, subsampling=0)
    drawing = picture.quantize(256, Image.Quantize.FASTOCTREE)
    changes = ImageChops.difference(picture, drawing.convert("RGB")).getextrema()
    small = _encoded(drawing, "PNG")
    if max(high for _, high in changes) <= PALETTE_ERROR and len(small) < len(content):
        kind, content = "image/png", small
    del data["image/png"]
    data[kind] = base64.b64encode(content).decode()


def _encoded(picture, form, **options):
    stream = io.BytesIO()
    picture.save(stream, form, optimize=True, **options)
    return stream.getvalue()
