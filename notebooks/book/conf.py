"""The web book: the executed notebooks as a static site. `make book` builds it."""

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
    "*.ipynb", "exercises/*.ipynb", "solutions/*.ipynb", "book/*.md", "teaching/*.md", "figures/*",
]  # fmt: skip
exclude_patterns = ["**/.ipynb_checkpoints"]

# Notebooks are shown as they were stored: building the book computes nothing.
nb_execution_mode = "off"
nb_custom_formats = {".ipynb": "kdnotes.publish.live_figures.read"}
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
html_favicon = "../../kdnotes/deploy/web/icon.svg"
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
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


def plain_text(app, what, name, obj, options, lines):
    """Docstrings are written for people: `code` in backticks, |e| is an absolute value, and what is
    indented in a module's text is to be shown as it stands."""
    found, shown = [], False
    for i, line in enumerate(lines):
        indented = what == "module" and line.startswith("    ")
        if indented and not shown and i and not lines[i - 1].strip():
            found += [".. code-block:: text", ""]
            shown = True
        elif line.strip() and not indented:
            shown = False
        found.append(line if shown or "``" in line or ":`" in line else _marked(line))
    lines[:] = found


def _marked(line):
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return line
    marked = (f"``{part}``" if i % 2 else part.replace("|", r"\|") for i, part in enumerate(parts))
    return "".join(marked)


def setup(app):
    app.connect("source-read", own_badge)
    app.connect("source-read", own_code)
    app.connect("autodoc-process-docstring", plain_text, priority=900)
