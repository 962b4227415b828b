"""The lecture's slides: Markdown, with figures and outputs taken from the executed notebooks.

    python -m kdnotes slides

`notebooks/teaching/slides/lecture.md` holds the slides, separated by lines of `---`. The speaker's
notes of a slide follow `Note:`. On a slide,

- `![](03_kd_loss.ipynb#cell-06)` is the picture that this cell has stored (`…/2`: its second one),
- a block ```` ```output ```` with `06_ablations.ipynb#cell-15` in it is what that cell printed,
- a block ```` ```live ```` with `03_kd_loss.ipynb#cell-32` in it is that cell's live figure,
- items of a list that begin with `*` or `1)`, not `-` or `1.`, appear one after another.

A slide therefore shows what a notebook shows. reveal.js moves the slides. npm installs it.
"""

import base64
import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat

from kdnotes.plots import live
from kdnotes.publish import formulas, live_figures
from kdnotes.publish.tidy import alt_text, pictures
from kdnotes.system import npm
from kdnotes.system.files import new_folder

#: Where reveal.js is loaded from without npm.
SERVER = "https://cdn.jsdelivr.net/npm/reveal.js@{version}/dist"

_CELL = re.compile(r"(?P<file>[\w-]+\.ipynb)#(?P<cell>[\w-]+)(?:/(?P<number>\d+))?")


def build(notebooks: Path, out: Path, cache: Path) -> list[str]:
    """Writes each deck of `notebooks/teaching/slides` as a page into `out`, which is replaced.

    Args:
        notebooks: The folder of the notebooks of a checkout.
        out: The folder of the slides.
        cache: Folder for npm's package, which later builds use again.

    Returns:
        Notes on what could be better, a sentence each.

    Raises:
        ValueError: `out` holds something other than slides, or a slide names a cell that does not
            exist or has no picture.
    """
    if out.exists() and any(out.iterdir()) and not (out / "slides.css").exists():
        raise ValueError(f"{out} is not empty and holds no slides: choose another folder")
    source = notebooks / "teaching" / "slides"
    version = json.loads((source / "package.json").read_text("utf-8"))["dependencies"]["reveal.js"]
    reveal, installed = SERVER.format(version=version), cache / f"reveal-{version}"
    reason = npm.locked(source, installed)
    with new_folder(out, replace=True) as part:
        if not reason:
            reveal = "reveal"
            shutil.copytree(installed / "node_modules" / "reveal.js" / "dist", part / reveal)
        for file in (source / "slides.css", *formulas.FILES):
            shutil.copyfile(file, part / file.name)
        for deck in sorted(source.glob("*.md")):
            page = _page(deck, reveal, notebooks)
            (part / f"{deck.stem}.html").write_text(page, encoding="utf-8")
    return [f"slides take reveal.js from a public server, since {reason}"] if reason else []


def _page(deck, reveal, notebooks):
    text, render = deck.read_text("utf-8"), _renderer(notebooks)
    if not text.startswith("# "):
        raise ValueError(f"{deck} begins with its title, `# …`; found {text[:20]!r}")
    title = text.splitlines()[0].removeprefix("# ")
    slides = [_slide(part, render) for part in re.split(r"^---$", text, flags=re.MULTILINE)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{reveal}/reveal.css">
<link rel="stylesheet" href="{formulas.STYLE.name}">
<link rel="stylesheet" href="slides.css">
</head>
<body>
<div class="reveal"><div class="slides">
{"".join(slides)}</div></div>
<script src="{reveal}/reveal.js"></script>
<script src="{reveal}/plugin/notes.js"></script>
<script>
Reveal.initialize({{width: 1280, height: 720, margin: 0.04, center: false, hash: true,
  slideNumber: "c/t", transition: "none", plugins: [RevealNotes],
  keyboardCondition: (event) => !event.target.closest(".live")}}); // a figure has its own keys
</script>
</body>
</html>
"""


def _slide(text, render):
    shown, _, said = text.partition("\nNote:\n")
    notes = f'<aside class="notes">{render(said)}</aside>\n' if said else ""
    return f'<section>\n<div class="slide">\n{render(shown)}</div>\n{notes}</section>\n'


def _renderer(notebooks) -> Callable[[str], str]:
    """A function from Markdown to HTML, with stored pictures and outputs of the notebooks."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    def formula(text, options):
        return formulas.html(text, display=options["display_mode"])

    def image(tokens, index, options, env):
        cell, match = _cell(tokens[index].attrs["src"], notebooks)
        stored = [(output.data[kind], kind) for output in cell.outputs for kind in pictures(output)]
        number = int(match["number"] or 1)
        if number > len(stored):
            raise ValueError(f"{match[0]}: the cell has stored {len(stored)} pictures")
        content, kind = stored[number - 1]
        if kind == "image/svg+xml":
            content = base64.b64encode(content.encode()).decode()
        alt = html.escape(tokens[index].content or alt_text(cell))
        return f'<img src="data:{kind};base64,{content.strip()}" alt="{alt}">'

    def fence(tokens, index, options, env):
        text = tokens[index].content
        if tokens[index].info not in ("output", "live"):
            return highlight(text, PythonLexer(), HtmlFormatter(noclasses=True, style="xcode"))
        cell, match = _cell(text.strip(), notebooks)
        if tokens[index].info == "live":
            return _live(cell, match)
        printed = "".join(output.get("text", "") for output in cell.outputs)
        if not printed:
            raise ValueError(f"{match[0]}: the cell has printed nothing")
        return f'<pre class="output">{html.escape(printed.rstrip())}</pre>'

    def item(tokens, index, options, env):
        if tokens[index].markup in "*)":
            tokens[index].attrSet("class", "fragment")
        return markdown.renderer.renderToken(tokens, index, options, env)

    markdown = MarkdownIt("commonmark", {"typographer": False}).enable("table")
    markdown.use(dollarmath_plugin, renderer=formula)
    markdown.renderer.rules |= {"image": image, "fence": fence, "list_item_open": item}
    return markdown.render


def _live(cell, match):
    """A cell's live figure; a drag in it does not turn the page."""
    for output in cell.outputs:
        if live.MIME in output.get("data", {}):
            figure = live_figures.page_of(output, f"live-{cell.id}")
            return f'<div class="live" data-prevent-swipe>{figure}</div>'
    raise ValueError(f"{match[0]}: the cell has stored no live figure")


def _cell(address, notebooks):
    """The cell that an address on a slide names, and the match of the address."""
    match = _CELL.fullmatch(address)
    if match is None:
        raise ValueError(f"a slide shows NOTEBOOK.ipynb#CELL or …#CELL/NUMBER, found {address!r}")
    notebook = nbformat.read(notebooks / match["file"], as_version=4)
    for cell in notebook.cells:
        if cell.get("id") == match["cell"]:
            return cell, match
    raise ValueError(f"{match['file']} has no cell {match['cell']!r}")
