"""Pages that hold one figure: with a program behind them, or all by themselves."""

import hashlib
import html
from pathlib import Path

from kdnotes.data.schemes import Scheme
from kdnotes.own.figure import names_of
from kdnotes.plots.live.figure import bundle_as_script, literal

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>:root {{ color-scheme: light dark; }} body {{ margin: 8px; }}</style>
</head>
<body>
<div id="figure"></div>
<script type="module">
{script}
const el = document.getElementById("figure");
el.model = {model};
render({{ model: el.model, el }});
{more}
</script>
</body>
</html>
"""


def page(module: str, keeper: str, model: str, title: str, more: str = "") -> str:
    """A page with one figure.

    Args:
        module: Name of the figure's JavaScript module.
        keeper: Name of the module beside this one that has the model's class.
        model: JavaScript that makes the model.
        title: Of the page.
        more: JavaScript that runs at the end.
    """
    kept = (Path(__file__).parent / f"{keeper}.js").read_text("utf-8").replace("export ", "")
    script = f"{bundle_as_script(module)}\n{kept}"
    return _PAGE.format(title=html.escape(title), script=script, model=model, more=more)


def labelling_page(scheme: Scheme, title: str) -> str:
    """A page for whoever labels and has nothing installed: pictures are chosen from the disk, and
    the labels are downloaded as a CSV file."""
    names, n = names_of(scheme), scheme.n_points
    state = {
        "names": names, "edges": scheme.edges, "n_pictures": 0, "n_complete": 0, "index": 0,
        "file": "", "source": "", "width": 1, "height": 1, "points": [None] * n, "problem": "",
    } | {name: [False] * n for name in ("hidden", "guessed", "unsure")}  # fmt: skip
    key = hashlib.sha256("\n".join([title, *names]).encode()).hexdigest()[:12]
    model = f"new Local({literal(state)}, {literal(key)})"
    return page("labelling", "local", model, title, "controls(el.model, el);")
