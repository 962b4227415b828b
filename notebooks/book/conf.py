"""The web book: the executed notebooks as a static site. `make book` builds it."""

import json
import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from kdnotes.publish import fork, formulas

sys.path.insert(0, str(Path(__file__).parent))

project = "kdnotes"
author = "the kdnotes authors"
copyright = "the kdnotes authors; text and figures CC BY 4.0, code MIT"
version = release = version_of("kdnotes")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
root_doc = "book/index"
include_patterns = [
    "*.ipynb", "exercises/*.ipynb", "solutions/*.ipynb",
    "book/*.md", "book/api/*.md", "teaching/*.md", "figures/*",
]  # fmt: skip
exclude_patterns = ["**/.ipynb_checkpoints"]

# Notebooks are shown as they were stored: building the book computes nothing.
nb_execution_mode = "off"
nb_custom_formats = {".ipynb": "kdnotes.publish.live_figures.read"}
nb_code_prompt_hide = "Hide"
nb_ipywidgets_js = {}  # live figures need neither a kernel nor a server
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_url_schemes = ["http", "https"]
#: Sphinx's own lexer does not know a line of the shell in Python, as the first cells have one.
suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure"]

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

html_theme = "sphinx_book_theme"
html_title = "kdnotes"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["static", *map(str, formulas.FILES)]
html_css_files = [formulas.STYLE.name, "book.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("search.js", "quiz.js")]
html_search_scorer = str(Path(__file__).parent / "scorer.js")
html_favicon = "../../kdnotes/deploy/web/icon.svg"
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search is at the side
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_extra_path = ["extra"]


html_context = {"default_mode": "auto"}

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def own_badge(app, docname, source):
    """The book asks nobody else for anything, not even for the picture of a button."""
    up = "../" * docname.count("/")
    source[0] = source[0].replace(BADGE, f"{up}book/static/badge.svg")


def own_code(app, docname, source):
    """The package is not part of the book: links to its files lead to the repository."""
    root = Path(app.srcdir).parent
    files = f"https://github.com/{fork.slug(root)}/blob/{fork.version(root)}/kdnotes/"
    up = "../" * (docname.count("/") + 1)
    source[0] = source[0].replace(f"]({up}kdnotes/", f"]({files}")


#: Where the book brings the live page along, it is opened inside the notebook that explains it.
LIVE_PAGE = """<p><a href="live/">Open the live page</a>, or look at it here:</p>
<details><summary>Show the live page (some 30 MB are loaded from this site)</summary>
<iframe src="live/" loading="lazy" allow="camera" title="The live page"></iframe>
</details>"""


def own_page(app, docname, source):
    """Section 6 of the last notebook shows the live page; without it, nothing."""
    if docname != "07_on_device":
        return
    notebook = json.loads(source[0])
    shown = {"output_type": "display_data", "data": {"text/html": LIVE_PAGE}, "metadata": {}}
    for cell in notebook["cells"]:
        if "IFrame(" in "".join(cell["source"]):
            cell["outputs"] = [shown] if app.config.live_page else []
    source[0] = json.dumps(notebook)


#: Indented lines after an empty one.
INDENTED = re.compile(r"(?<=\n\n)((?: {4}.*\n+)+)")


def plain_text(app, what, name, obj, options, lines):
    """Docstrings are written for people: `code` in backticks, |e| is an absolute value, and what is
    indented is a table, or to be shown as it stands."""
    parts = INDENTED.split("\n".join(lines) + "\n")
    for i, part in enumerate(parts):
        found = part.splitlines()
        parts[i] = _table(found) or _code(found) if i % 2 else [_words(line) for line in found]
    lines[:] = [line for part in parts for line in part]


def _table(lines):
    """Lines of three or more columns each, two spaces apart, as a table; else nothing."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines if line]
    if len(rows) < 3 or len(rows[0]) < 3 or len({len(row) for row in rows}) > 1:
        return []
    cells = [
        f"{'     ' if i else '   * '}- {_words(cell)}" for row in rows for i, cell in enumerate(row)
    ]
    return [".. list-table::", "   :header-rows: 1", "", *cells, ""]


def _code(lines):
    return [".. code-block:: text", "", *lines, ""]


def _words(line):
    return line if "``" in line or ":`" in line else _marked(line)


def _marked(line):
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return line
    marked = (f"``{part}``" if i % 2 else part.replace("|", r"\|") for i, part in enumerate(parts))
    return "".join(marked)


def setup(app):
    app.add_config_value("live_page", False, "env", [bool])
    app.connect("source-read", own_badge)
    app.connect("source-read", own_code)
    app.connect("source-read", own_page)
    app.connect("autodoc-process-docstring", plain_text, priority=900)
