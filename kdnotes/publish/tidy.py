"""Executed notebooks as they are stored: tidied, and small enough for GitHub.

A cell that draws describes its picture in its metadata for readers who cannot see it:
`{"mystnb": {"image": {"alt": …}}}`, which the web book reads; here it goes to the outputs.
"""

import base64
import io

import nbformat
from PIL import Image, ImageChops

WIDGET = "application/vnd.jupyter.widget-view+json"


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An executed notebook as it is stored: without progress bars, widgets and time stamps.

    Widgets need a live kernel; a static figure stands beside each of them. Figures are
    made smaller, so that a notebook stays small enough for GitHub to show it.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3", "language": "python", "name": "python3"
    }  # fmt: skip
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr" and WIDGET not in output.get("data", {})
            ]
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                _shrink(output.get("data", {}))
                for kind in pictures(output):
                    output.metadata[kind] = {"alt": alt_text(cell)}
    return notebook


def alt_text(cell: nbformat.NotebookNode) -> str:
    """What a cell's pictures show, in words; empty where nobody has said it."""
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def pictures(output: nbformat.NotebookNode) -> list[str]:
    """The kinds of picture (MIME types) that an output holds."""
    return [kind for kind in output.get("data", {}) if kind.startswith("image/")]


def _joined(outputs):
    """Outputs with printed text in one piece, however the kernel happened to send it."""
    joined = []
    for output in outputs:
        if joined and output.get("name") and output.get("name") == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _shrink(data, largest=20_000, palette_error=40):
    """Makes a PNG figure of more bytes than `largest` smaller, in the way that suits it.

    Faces shrink most as JPEG, drawings as PNG with a palette; a palette that would change a colour
    by more than `palette_error` of 255 is not used, since colours tell networks apart.
    """
    png = base64.b64decode(data.get("image/png", ""))
    if len(png) <= largest:
        return
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    jpeg, palette = io.BytesIO(), io.BytesIO()
    picture.save(jpeg, "JPEG", quality=85, subsampling=0, optimize=True)
    reduced = picture.quantize(256, Image.Quantize.FASTOCTREE)
    reduced.save(palette, "PNG", optimize=True)
    change = ImageChops.difference(picture, reduced.convert("RGB")).getextrema()
    kinds = [(jpeg, "image/jpeg")]
    if max(high for _, high in change) <= palette_error:
        kinds.append((palette, "image/png"))
    best, kind = min(kinds, key=lambda x: x[0].tell())
    del data["image/png"]
    data[kind] = base64.b64encode(best.getvalue()).decode()
