"""An executed notebook as one HTML page that asks no server for anything.

Its sections are listed below the title. Where the reader's system is dark, so is the page.

Formulas are MathML, see `kdnotes.publish.formulas`. Live figures move, see
`kdnotes.publish.live_figures`. A picture that is not stored in the notebook, such as that of a
Colab button, is replaced by its text. Links to the numbered notebooks lead to their copies, links
to the appendices and to other files of the repository to its public address.
"""

import html
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import TagRemovePreprocessor
from nbformat import NotebookNode

from kdnotes.publish import fork, formulas, live_figures
from kdnotes.publish.tidy import HIDDEN, alt_text, pictures, write
from kdnotes.system.files import new_file

_NUMBERED = re.compile(r"(\d\d_\w+)\.ipynb(?=$|#)")

_SECTION = re.compile(r'<h2 id="([^"]+)">(.*?)<a class="anchor-link"', re.DOTALL)

#: nbconvert's page without the scripts that it would load, and with our own style.
_TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}<style>{{ resources.style }}
@media screen and (prefers-color-scheme: dark) {
{% include 'static/theme-dark.css' %}
.jp-OutputArea-output img { background: #fff; }
.jp-OutputArea-output img[src^="data:image/svg"] {
  filter: invert(1) hue-rotate(180deg);
  mix-blend-mode: screen;
}
}
</style>{% endblock %}
"""

_STYLE = """
:root { color-scheme: light dark; }
.jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere; }
.jp-OutputArea-output .highlight pre {
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}
"""


def store(notebook: NotebookNode, path: Path) -> None:
    """Writes a notebook to `path`, and its HTML copy beside it."""
    write(notebook, path)
    page = html_copy(notebook, path.stem)
    with new_file(path.with_suffix(".html")) as part:
        part.write_text(page, encoding="utf-8")


def html_copy(notebook: NotebookNode, name: str) -> str:
    """The HTML page of a notebook.

    Args:
        notebook: An executed notebook.
        name: The title of the page.
    """
    notebook = live_figures.moving(notebook)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    exporter = _Exporter(raw_template=_TEMPLATE, repository=fork.address(text))
    resources = {"metadata": {"name": name}, "style": formulas.style() + _STYLE}
    page, _ = exporter.from_notebook_node(notebook, resources)
    return _with_contents(_described(page, notebook))


class _Exporter(HTMLExporter):
    """nbconvert's exporter, with `_Renderer` for Markdown; it hides the code of answers."""

    def __init__(self, *, repository, **options):
        super().__init__(**options)
        hide = TagRemovePreprocessor(enabled=True, remove_input_tags=set(HIDDEN["tags"]))
        self.register_preprocessor(hide, enabled=True)
        self.repository = repository

    @pass_context
    def markdown2html(self, context, source):
        """Converts a cell's Markdown; nbconvert calls it."""
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = _Renderer(escape=False, attachments=attachments)
        renderer.repository = self.repository
        return MarkdownWithMath(renderer).render(source)


class _Renderer(IPythonRenderer):
    """Renders formulas, links and pictures so that they need no server."""

    repository: str | None = None

    def block_math(self, body):
        return _formula(body, display=True)

    def inline_math(self, body):
        return _formula(body, display=False)

    def latex_environment(self, name, body):
        return _formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def link(self, text, url, title=None):
        return super().link(text, self._address(url), title)

    def image(self, text, url, title=None):
        if urlsplit(url).scheme not in ("attachment", "data"):
            return text
        return super().image(text, url, title)

    def _address(self, url):
        parts = urlsplit(url)
        if parts.scheme or parts.netloc or not parts.path:
            return url
        if _NUMBERED.match(url):
            return _NUMBERED.sub(r"\1.html", url)
        return urljoin(self.repository, url) if self.repository else url


def _formula(tex, display):
    try:
        return formulas.html(tex, display=display)
    except Exception:  # unreadable TeX, or no latex2mathml: the copy shows the source
        return f"<code>{html.escape(tex)}</code>"


def _described(page, notebook):
    """The page with the descriptions of its pictures, which the exporter leaves out."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    texts = iter([alt_text(c) for c in cells for output in c.outputs if pictures(output)])
    return re.sub(
        'alt="No description has been provided for this image"',
        lambda _: f'alt="{html.escape(next(texts, ""))}"',
        page,
    )


def _with_contents(page):
    """The page with a folded list of its sections below its title."""
    sections = _SECTION.findall(page)
    if not sections:
        return page
    items = "".join(f'<li><a href="#{place}">{title}</a></li>' for place, title in sections)
    contents = f"<details><summary>Contents</summary><nav><ul>{items}</ul></nav></details>"
    return page.replace("</h1>", f"</h1>\n{contents}", 1)
