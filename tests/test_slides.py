"""The lecture: built from what the notebooks have stored; every slide fits, in a browser without a
network."""

import base64
import re
import shutil
import threading
from pathlib import Path

import nbformat
import pytest

from kdnotes.deploy import serve
from kdnotes.publish import slides
from kdnotes.publish.tidy import pictures
from kdnotes.system import npm

pytest.importorskip("mdit_py_plugins", reason="needs the extra book")

ROOT = Path(__file__).parents[1]
SHOTS = ROOT / "build" / "screenshots"
SOURCE = ROOT / "notebooks" / "teaching" / "slides"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("slides")
    slides.build(ROOT / "notebooks", home / "slides", home / "cache")
    return home / "slides"


@pytest.fixture
def course(tmp_path):
    """A checkout with two notebooks and a deck to write."""
    (tmp_path / "teaching" / "slides").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "slides.css"):
        shutil.copy(SOURCE / name, tmp_path / "teaching" / "slides")
    for name in ("03_kd_loss", "appendix_loss"):
        shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", tmp_path)
    return tmp_path


def build(course, text, monkeypatch):
    monkeypatch.setattr(npm.shutil, "which", lambda _: None)
    (course / "teaching" / "slides" / "deck.md").write_text(text, encoding="utf-8")
    (note,) = slides.build(course, course / "out", course / "cache")
    assert note == "slides take reveal.js from a public server, since npm is not here"
    return (course / "out" / "deck.html").read_text("utf-8")


def test_the_lecture_is_whole(folder):
    page = (folder / "lecture.html").read_text("utf-8")
    assert page.count("<section>") == page.count('<aside class="notes">') >= 20
    assert page.count("<img") >= 12 and page.count("<math") >= 4
    assert len(re.findall(r'alt="[^"]{60,}"', page)) == page.count("<img")
    assert {"formulas.css", "stix-two-math.woff"} <= {path.name for path in folder.iterdir()}
    assert '<link rel="stylesheet" href="formulas.css">' in page and "<msqrt>" in page
    addresses = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)
    for address in addresses:
        elsewhere = address.startswith("https://cdn.jsdelivr.net/npm/reveal.js@")
        assert (folder / address).exists() or (elsewhere and not (folder / "reveal").exists())


def test_a_slide_shows_what_a_cell_stored(course, monkeypatch):
    notebook = nbformat.read(course / "03_kd_loss.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.id == "cell-20"]
    text = "# A deck\n\n```output\n03_kd_loss.ipynb#cell-20\n```\n\n---\n\n## Two\n\n"
    text += "![](appendix_loss.ipynb#cell-57/2) $t < u$\n\nNote:\nSay this.\n"
    page = build(course, text, monkeypatch)
    assert cell.outputs[0].text.splitlines()[0] in page
    assert '<aside class="notes"><p>Say this.</p>' in page
    assert "cdn.jsdelivr.net/npm/reveal.js@6" in page, "without npm from a public server"
    appendix = nbformat.read(course / "appendix_loss.ipynb", as_version=4)
    (figure,) = [cell for cell in appendix.cells if cell.id == "cell-57"]
    shown = [encoded(output, kind) for output in figure.outputs for kind in pictures(output)]
    assert shown[1][:9000] in page and shown[0][:9000] not in page


def encoded(output, kind):
    """A stored picture in base 64."""
    content = output.data[kind]
    drawn = kind == "image/svg+xml"
    return base64.b64encode(content.encode()).decode() if drawn else content.strip()


def test_items_appear_one_after_another_where_they_are_asked_to(course, monkeypatch):
    page = build(
        course, "# A deck\n\n* a\n* b\n\nthen\n\n- c\n\n1) d\n\nthen\n\n1. e\n", monkeypatch
    )
    assert re.findall('<li class="fragment">(.)', page) == ["a", "b", "d"]
    assert re.findall("<li>(.)", page) == ["c", "e"]


@pytest.mark.parametrize(
    "shown, said",
    [
        ("![](03_kd_loss.ipynb#nowhere)", "has no cell 'nowhere'"),
        ("![](03_kd_loss.ipynb#cell-04/2)", "stored 1 pictures"),
        ("---\n\n![](photo.jpg)", "a slide shows NOTEBOOK.ipynb#CELL"),
        ("```output\n03_kd_loss.ipynb#cell-04\n```", "printed nothing"),
        ("```live\n03_kd_loss.ipynb#cell-04\n```", "stored no live figure"),
    ],
)
def test_what_is_not_there_is_said_and_the_old_slides_stay(course, monkeypatch, shown, said):
    before = build(course, "# A deck\n", monkeypatch)
    with pytest.raises(ValueError, match=said):
        build(course, f"# A deck\n\n{shown}\n", monkeypatch)
    assert (course / "out" / "deck.html").read_text("utf-8") == before


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not empty and holds no slides"):
        slides.build(ROOT / "notebooks", tmp_path, tmp_path / "cache")
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_the_lock_file_names_no_registry():
    lock = (SOURCE / "package-lock.json").read_text("utf-8")
    assert "resolved" not in lock and "integrity" in lock


def test_every_slide_fits(folder):
    chromium = pytest.importorskip("chromium")
    if not (folder / "reveal").exists():
        pytest.skip("npm could not fetch reveal.js here")
    said, asked, wrong, roots, moved = [], [], [], 0, 0
    with chromium.started() as browser, serve.server(folder) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda m: m.type in ("error", "warning") and said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/lecture.html")
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        SHOTS.mkdir(parents=True, exist_ok=True)
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate(f"Reveal.slide({number})")
            over = page.evaluate(
                "(() => { const s = Reveal.getCurrentSlide();"
                " return [s.scrollHeight - 720, s.scrollWidth - 1280,"
                "  [...s.querySelectorAll('img')].filter(i => !i.naturalWidth).length] })()"
            )
            if over[0] > 0 or over[1] > 0 or over[2]:
                wrong.append((number + 1, over))
            formulas = page.evaluate(
                "[...Reveal.getCurrentSlide().querySelectorAll('.formula')]"
                ".filter(f => f.scrollWidth > f.clientWidth).map(f => f.textContent)"
            )
            assert formulas == [] == chromium.unreachable_formulas(page), number + 1
            if page.locator("section.present msqrt").count():
                roots += 1
                assert chromium.root_is_drawn(page, "section.present msqrt")
            for figure in page.locator("section.present .kd-live").all():
                moved += 1
                assert chromium.moves(figure) and page.evaluate("Reveal.getIndices().h") == number
                assert figure.locator(".controls").bounding_box()["y"] < 600, "beside the drawing"
            page.screenshot(path=SHOTS / f"slide-{number + 1:02d}.png")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("Reveal.getIndices().h") == 1
        running.shutdown()

    assert wrong == [] and said == [] and roots and moved == 2
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
