"""The web book: it builds from the stored notebooks, every page opens, every link leads somewhere,
nothing is asked of anybody else, and it fits a phone."""

import html.parser
import json
import re
import runpy
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from kdnotes.course import answers
from kdnotes.deploy import serve
from kdnotes.publish import book, formulas

pytest.importorskip("myst_nb", reason="needs the extra book")

ROOT = Path(__file__).parents[1]
SHOTS = ROOT / "build" / "screenshots"

#: Live figures, but for the one that labels pictures: without a program it has none.
MOVING = ".kd-live:not(.labelling)"


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


@pytest.mark.parametrize(
    "page, name",
    [
        ("losses", "kd_loss"),
        ("shapes", "ActiveShapeModel"),
        ("networks", "LandmarkNet"),
        ("work", "export"),
    ],
)
def test_the_package_is_told_in_its_own_words(folder, page, name):
    text = (folder / "book" / "api" / f"{page}.html").read_text("utf-8")
    assert f'<span class="pre">{name}</span>' in text
    assert not re.search("problematic|system-message|<blockquote", text)


def test_a_table_in_a_docstring_is_a_table(folder):
    text = (folder / "book" / "api" / "losses.html").read_text("utf-8")
    (table,) = [t for t in re.findall("<table.*?</table>", text, re.DOTALL) if "NEGATIVE" in t]
    cells = re.findall(r"<t[hd].*?><p>(.*?)</p>", table)
    assert cells[:4] == ["region", "“ramp” (paper)", "“zero” (released code)", "POSITIVE"]
    assert len(cells) == 15


def test_what_is_rarely_read_is_folded(folder):
    text = (folder / "03_kd_loss.html").read_text("utf-8")
    folds = re.findall(r"<details.*?</details>", text, re.DOTALL)
    (installation,) = [fold for fold in folds if "Show the installation" in fold]
    assert "pip install" in re.sub("<.*?>", "", installation)
    assert sum("Show the code of this drawing" in fold for fold in folds) >= 3
    assert sum("Show the answer" in fold and "<img" in fold for fold in folds) >= 2
    answered = [fold for fold in folds if f"<summary>{answers.SUMMARY}" in fold]
    assert len(answered) >= 5 and not re.search(r"answer\(|# @title", text), "their code is hidden"
    assert not any("kd-live" in fold or "StandIn" in fold for fold in folds), "figures to move"
    assert "NBVAL_CHECK_OUTPUT" not in text


@pytest.mark.parametrize("brought", [True, False])
def test_the_live_page_is_shown_where_it_is(brought):
    own_page = runpy.run_path(str(ROOT / "notebooks" / "book" / "conf.py"))["own_page"]
    source = [(ROOT / "notebooks" / "07_on_device.ipynb").read_text("utf-8")]
    own_page(SimpleNamespace(config=SimpleNamespace(live_page=brought)), "07_on_device", source)
    (cell,) = [c for c in json.loads(source[0])["cells"] if "IFrame(" in "".join(c["source"])]
    assert ('<iframe src="live/"' in str(cell["outputs"])) == brought
    assert "not built yet" not in str(cell["outputs"])


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
    assert {} in Links(page).details and not any("open" in fold for fold in Links(page).details)
    text = page.read_text("utf-8")
    assert text.count("<summary>Answer</summary>") == questions


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


CLIPPED = """[...document.querySelectorAll(".cell_input pre")].filter(
  pre => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth + 1
).length"""
CLEAR = "rgba(0, 0, 0, 0)"


def answered_by_a_click(page):
    """Answers the first question, wrongly and rightly; the next one's answer is unfolded."""
    assert page.locator("ul.quiz button").count() == 3 * 28
    options, answer = (
        page.locator("ul.quiz").first.locator("button"),
        page.locator("article details p"),
    )
    right = page.locator("article details strong").first.text_content()
    marks = {option.text_content()[:2] == right: option for option in options.all()}
    marks[False].click()
    assert "not this one" in marks[False].text_content() and not answer.first.is_visible()
    marks[True].press("Enter")
    assert "right" in marks[True].text_content() and answer.first.is_visible()
    page.locator("article summary").nth(1).click()
    assert answer.nth(1).is_visible()


def figures_in_the_dark(page):
    """What the theme does to pictures and live figures: filter and ground of both, and whether the
    picture is a drawing."""
    return {
        tuple(styles)
        for styles in page.evaluate("""() => {
          document.documentElement.dataset.theme = "dark";
          const style = node => getComputedStyle(node);
          const live = document.querySelector(".text_html:has(.kd-live)");
          return [...document.querySelectorAll(".cell_output img")].map(picture => [
            style(picture).filter, style(picture).backgroundColor, style(live).backgroundColor,
            picture.src.endsWith(".svg"),
          ]);
        }""")
    }


def search(page, address, word):
    """Titles of the pages with a word, each with what the search shows of it."""
    page.goto(f"{address}/search.html?q={word}")
    page.wait_for_function(
        "(() => { const items = [...document.querySelectorAll('#search-results li')];"
        " return items.length && items.every(item => item.querySelector('p')) })()"
    )
    items = page.locator("#search-results li").all_text_contents()
    return [" ".join(item.split()) for item in items]


def test_every_page_opens_in_a_browser(folder, pages, address):
    """On a phone, and at once in a wide window."""
    chromium = pytest.importorskip("chromium")
    said, asked, shown, cells, clipped = [], [], 0, 0, 0
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
                    assert all(map(chromium.moves, page.locator(MOVING).all()[:1])), name
                shown += page.locator(MOVING).count()
                if path.stem in ("index", "03_kd_loss", "losses", "quiz"):
                    page.screenshot(path=SHOTS / f"book-{path.stem}-{width}.png")
            broken = (
                "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
            )
            assert page.evaluate(broken) == [], name
            if path.stem == "01_data_and_soft_landmarks" and path.parent == folder:
                assert chromium.root_is_drawn(page)
            if path.stem == "quiz":
                answered_by_a_click(page)
            if path.parent == folder:
                cells += page.locator(".cell_input pre").count()
                clipped += page.evaluate(CLIPPED)
            if path.stem == "03_kd_loss" and path.parent == folder:
                turned, white = "invert(1) hue-rotate(180deg)", "rgb(255, 255, 255)"
                assert figures_in_the_dark(page) == {
                    ("none", white, CLEAR, False),
                    (turned, white, CLEAR, True),
                }
        page.goto(f"{address}/index.html")
        page.wait_for_url("**/book/index.html")
        found = search(page, address, "assistive")
        assert re.match(r"03 · KD-Loss\W+(?!Contents).*assistant", found[0])
        places = [i for i, text in enumerate(found) if re.search("exercises|solutions", text[:40])]
        assert places == list(range(len(found) - len(places), len(found))), "after the rest"

    assert said == []
    assert cells > 250 and clipped < cells / 20, "lines of code are seen whole"
    assert shown == 2 * 9, "the live figures"
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
