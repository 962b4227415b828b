"""HTML copies of executed notebooks: whole without a network, with links that lead somewhere."""

import html.parser
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from kdnotes.publish import fork, html_copy
from kdnotes.publish.tidy import pictures

pytest.importorskip("latex2mathml", reason="needs the extra course")

ROOT = Path(__file__).parents[1]
STORED = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
REPOSITORY = f"https://github.com/{fork.slug(ROOT)}/blob/{fork.version(ROOT)}"
BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/some-one/course/blob/v1.2/notebooks/00_a.ipynb)"
)


class Page(html.parser.HTMLParser):
    """What a page loads by itself, what it links to, and its formulas and pictures."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.tags, self.texts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag == "a":
            self.links.append(attrs.get("href", ""))
        else:
            names = ("src", "href", "srcset", "data", "poster")
            self.loads += [attrs[name] for name in names if attrs.get(name)]
        if tag == "img":
            self.texts.append(attrs.get("alt"))

    def handle_data(self, data):
        if self.tags and self.tags[-1] in ("style", "script"):
            self.loads += re.findall(r"url\([\"']?([^)\"']+)", data)
            self.loads += re.findall(r"import\s*\(?[\"']([^\"']+)", data)


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Folder of the copies of three notebooks: with links of all kinds, roots, listed code."""
    folder = tmp_path_factory.mktemp("copies")
    for path in (STORED[0], STORED[1], STORED[3]):
        html_copy.store(nbformat.read(path, as_version=4), folder / path.name)
    return folder


@pytest.fixture(scope="module")
def pages(copies):
    return {path.stem: Page(path.read_text("utf-8")) for path in sorted(copies.glob("*.html"))}


def copy_of(*texts):
    cells = [new_markdown_cell(text) for text in texts]
    return html_copy.html_copy(new_notebook(cells=cells), "00_a")


def test_nothing_is_loaded(pages):
    for name, page in pages.items():
        assert [load for load in page.loads if not load.startswith(("data:", "#"))] == [], name
        assert any(load.startswith("data:font/woff") for load in page.loads), name
        assert not {"iframe", "link", "object", "embed"} & set(page.tags)


def test_formulas_are_mathml(copies, pages):
    written = (copies / "03_kd_loss.html").read_text("utf-8")
    assert pages["03_kd_loss"].tags.count("math") >= 7 and "$$" not in written
    assert pages["01_data_and_soft_landmarks"].tags.count("msqrt") >= 2


def test_its_sections_are_listed(copies, pages):
    for name in pages:
        written = (copies / f"{name}.html").read_text("utf-8")
        (listed,) = re.findall("<summary>Contents</summary>.*?</details>", written, re.DOTALL)
        places = re.findall('<h2 id="([^"]+)"', written)
        assert re.findall('href="#([^"]+)"', listed) == places and len(places) > 4
    assert "<summary>" not in copy_of("Words without a title.")


def test_no_line_is_for_a_test(copies):
    assert "NBVAL_CHECK_OUTPUT" not in (copies / "03_kd_loss.html").read_text("utf-8")


def test_links_lead_to_a_copy_or_to_the_repository(copies, pages):
    names = {path.stem for path in STORED}
    own = 0
    for page in pages.values():
        for link in page.links:
            if link.startswith(REPOSITORY):
                assert (ROOT / link.removeprefix(f"{REPOSITORY}/")).exists(), link
                own += 1
            elif not link.startswith(("https://", "#")):
                assert link.partition("#")[0].removesuffix(".html") in names, link
    assert own >= 2 * len(pages), "exercises and solutions"


def test_pictures_in_the_text_stay():
    cell = new_markdown_cell("![a dot](attachment:dot.png) ![a line](data:image/png;base64,AAAA)")
    cell.attachments = {"dot.png": {"image/png": "iVBORw0KGgo="}}
    page = html_copy.html_copy(new_notebook(cells=[cell]), "00_a")
    assert Page(page).texts == ["a dot", "a line"] and "base64,iVBORw0KGgo=" in page


def test_pictures_keep_their_texts(pages):
    notebook = nbformat.read(STORED[3], as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(pages["03_kd_loss"].texts) == sum(len(pictures(output)) for output in outputs)
    assert all(len(text) > 30 for text in pages["03_kd_loss"].texts)


#: Link to the address in the copy; the repository's is left out.
LINKS = {
    "03_kd_loss.ipynb": "03_kd_loss.html",
    "03_kd_loss.ipynb#7-region": "03_kd_loss.html#7-region",
    "exercises/03_kd_loss.ipynb": "/notebooks/exercises/03_kd_loss.ipynb",
    "../kdnotes/views/geometric.py": "/kdnotes/views/geometric.py",
    "book/notation.md": "/notebooks/book/notation.md",
    "#below": "#below",
    "https://arxiv.org/abs/2111.07047": "https://arxiv.org/abs/2111.07047",
}


def test_a_link_goes_where_its_file_is():
    text = "\n\n".join(f"[it]({link})" for link in LINKS)
    home = "https://github.com/some-one/course/blob/v1.2"
    expected = [f"{home}{to}" if to.startswith("/") else to for to in LINKS.values()]
    assert Page(copy_of(BADGE, text)).links[1:] == expected
    unknown = [link if to.startswith("/") else to for link, to in LINKS.items()]
    assert Page(copy_of(text)).links == unknown, "without a badge nobody knows the repository"


def test_pictures_that_are_elsewhere_are_their_text():
    page = copy_of(BADGE, '![a "face" & more](http://example.org/face.png)', "![b](figures/b.png)")
    assert Page(page).texts == [] and "<p>b</p>" in page and '<p>a "face" &amp; more</p>' in page
    assert re.search(r"<a [^>]*colab[^>]*>Open in Colab</a>", page)


def test_tex_that_cannot_be_read_is_shown():
    wrong = [r"$a_b_c$", r"$$\begin{cases} a$$", r"$\left( x$"]
    page = copy_of(*(f"Before {tex} after." for tex in wrong), "and $x^2$")
    for tex in wrong:
        assert f"<code>{tex.strip('$')}</code> after." in page
    assert page.count("<math") == page.count("<msup>") == 1


def test_environments_are_formulas():
    page = copy_of(r"\begin{equation} x < \sqrt{y} \end{equation}")
    assert "<msqrt>" in page and "\\begin" not in page


def test_without_latex2mathml_tex_is_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    page = copy_of(r"a $\sqrt{x} < 1$")
    assert r"<code>\sqrt{x} &lt; 1</code>" in page and "<math" not in page


def brightness(page, selector, style):
    colour = page.locator(selector).first.evaluate(
        "(node, style) => getComputedStyle(node).getPropertyValue(style)", style
    )
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


def test_a_browser_without_a_network_shows_all_of_it(copies):
    chromium = pytest.importorskip("chromium")
    said, asked = [], []
    shots = ROOT / "build" / "screenshots"
    shots.mkdir(parents=True, exist_ok=True)
    with chromium.started() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((copies / "01_data_and_soft_landmarks.html").as_uri())
        assert chromium.root_is_drawn(page) and chromium.unreachable_formulas(page) == []
        page.screenshot(path=shots / "copy-01.png")
        page.goto((copies / "03_kd_loss.html").as_uri())
        widths = page.evaluate(
            "(() => { const pre = document.querySelector('.jp-OutputArea-output .highlight pre');"
            " return ['iiii', 'mmmm'].map(text => { const s = document.createElement('span');"
            "  s.textContent = text; pre.append(s);"
            "  return s.getBoundingClientRect().width }) })()"
        )
        assert widths[0] == widths[1] > 0, "listed code is in a font of one width"
        for scheme, dark in {"light": False, "dark": True}.items():
            page.emulate_media(color_scheme=scheme)
            for part in ("body", ".jp-InputArea-editor"):
                assert (brightness(page, part, "background-color") < 100) == dark
                assert (brightness(page, part, "color") > 100) == dark
            page.screenshot(path=shots / f"copy-03-{scheme}.png")

    assert said == [] and {url.partition(":")[0] for url in asked} <= {"file", "data"}
