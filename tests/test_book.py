"""The web book: it builds from the stored notebooks, every page opens, every link leads somewhere,
nothing is asked of anybody else, and it fits a phone."""

import html.parser
import re
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from kdnotes.deploy import serve
from kdnotes.publish import book, formulas

pytest.importorskip("myst_nb", reason="needs the extra book")

ROOT = Path(__file__).parents[1]
SHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("book")
    assert book.build(ROOT / "notebooks", home / "book", home, live=False) == []
    return home / "book"


@pytest.fixture(scope="module")
def pages(folder):
    found = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    return found


class Links(html.parser.HTMLParser):
    """What a page links to and shows, and the places in it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.ids, self.pictures, self.mathml = [], set(), [], 0
        self.details = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs.get("id"), attrs.get("name")}
        self.mathml += tag == "math"
        if tag == "details":
            self.details.append(attrs)
        if tag == "a" and attrs.get("href"):
            self.targets.append(attrs["href"])
        if tag in ("img", "script") and attrs.get("src"):
            self.targets.append(attrs["src"])
        if tag == "img":
            self.pictures.append(attrs)


def test_every_notebook_is_in_it(folder, pages):
    names = {path.stem for path in pages}
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= names
    assert {"index", "api", "notation", "search", "sessions", "quiz", "faq"} <= names
    assert Links(folder / "03_kd_loss.html").mathml > 5, "formulas are drawn by the browser"
    assert "searchindex.js" in {path.name for path in folder.iterdir()}


def test_links_lead_somewhere(folder, pages):
    parsed = {path.resolve(): Links(path) for path in pages}
    wrong = []
    for path, found in parsed.items():
        for target in found.targets:
            address, place = urldefrag(target)
            if urlsplit(address).scheme or address.startswith(("//", "../live/")):
                continue
            file = (
                path if not address else (path.parent / unquote(urlsplit(address).path)).resolve()
            )
            if not file.exists():
                wrong.append(f"{path.name}: {target}")
            elif place and file in parsed and unquote(place) not in parsed[file].ids:
                wrong.append(f"{path.name}: no {place} in {file.name}")
    assert wrong == []


def test_the_package_is_told_in_its_own_words(folder):
    text = (folder / "book" / "api.html").read_text("utf-8")
    for name in ("kd_loss", "ActiveShapeModel", "LandmarkNet", "export"):
        assert f'<span class="pre">{name}</span>' in text
    assert "problematic" not in text and "system-message" not in text


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not empty and holds no book"):
        book.build(ROOT / "notebooks", tmp_path, tmp_path / "cache")
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_the_quiz_has_an_explained_answer_to_each_question():
    text = (ROOT / "notebooks" / "teaching" / "quiz.md").read_text("utf-8")
    questions = re.split(r"^\*\*\d+\.\*\* ", text, flags=re.MULTILINE)[1:]
    assert len(questions) == 28
    rights = []
    for question in questions:
        options = re.findall(r"^- ([a-c])\) ", question, re.MULTILINE)
        (right,) = re.findall(r"^\*\*([a-c])\)\*\* .+\(.*0\d.*\)\.$", question, re.MULTILINE)
        assert right in options and len(options) == 3
        rights.append(right)
    assert max(map(rights.count, "abc")) < 13, "not always the same letter"


@pytest.mark.parametrize("name, questions", [("quiz", 28), ("projects", 8)])
def test_answers_are_folded(folder, name, questions):
    page = folder / "teaching" / f"{name}.html"
    assert Links(page).details == [{}] * questions, "closed, and a browser's own"
    text = page.read_text("utf-8")
    assert text.count("<summary>Answer</summary>") == text.count("</details>") == questions


def test_formulas_bring_their_font(folder):
    shipped = {path.name: path for path in (folder / "_static").iterdir()}
    assert shipped["stix-two-math.woff"].read_bytes() == formulas.FONT.read_bytes()
    for page in ("01_data_and_soft_landmarks.html", "exercises/02_teachers.html"):
        assert re.search(r'href="[./]*_static/formulas\.css', (folder / page).read_text("utf-8"))
    assert 'url("stix-two-math.woff")' in shipped["formulas.css"].read_text("utf-8")


@pytest.fixture(scope="module")
def address(folder):
    with serve.server(folder) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_every_page_opens_in_a_browser(folder, pages, address):
    """On a phone, and at once in a wide window."""
    chromium = pytest.importorskip("chromium")
    said, asked, shown = [], [], 0
    with chromium.started() as browser:
        context = browser.new_context()
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        SHOTS.mkdir(parents=True, exist_ok=True)
        for path in pages:
            name = path.relative_to(folder)
            if str(name) == "index.html":  # leads to the next
                continue
            page.set_viewport_size({"width": 390, "height": 900})
            page.goto(f"{address}/{name}")
            for width in (390, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert chromium.unreachable_formulas(page) == [], name
                if width == 390:
                    assert all(map(chromium.moves, page.locator(".kd-live").all()[:1])), name
                shown += page.locator(".kd-live").count()
                if path.stem in ("index", "03_kd_loss", "api", "quiz"):
                    page.screenshot(path=SHOTS / f"book-{path.stem}-{width}.png")
            broken = (
                "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
            )
            assert page.evaluate(broken) == [], name
            if path.stem == "01_data_and_soft_landmarks" and path.parent == folder:
                assert chromium.root_is_drawn(page)
            if path.stem == "quiz":
                answer = page.locator("details p").first
                assert not answer.is_visible()
                page.locator("summary").first.click()
                assert answer.is_visible()
        page.goto(f"{address}/index.html")
        page.wait_for_url("**/book/index.html")
        page.goto(f"{address}/search.html?q=reflection")
        page.wait_for_selector("#search-results li")

    assert said == []
    assert shown == 2 * 8, "the live figures"
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
