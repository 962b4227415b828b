"""The live figures in Chromium, without a kernel: mouse, keyboard, touch, phone, screen reader.

Screenshots are kept in `build/screenshots`.
"""

import re
import threading
from pathlib import Path

import live_samples
import nbformat
import pytest
from chromium import moves, settle, started

from kdnotes.deploy import serve
from kdnotes.plots import live
from kdnotes.publish import html_copy

SHOTS = Path(__file__).parents[1] / "build" / "screenshots"
FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>figures</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>:root {{ color-scheme: light dark; }} body {{ margin: 8px; }}</style>{}</html>"""
#: A handle's name, and what the mouse does there, for the figures that have one.
HANDLES = {"coordinate": "student", "plane": "Tough teacher", "modes": "landmark",
           "failures": "magnifying glass"}  # fmt: skip
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
#: Notebooks to the number of their live figures.
STORED = {"01_data_and_soft_landmarks": 1, "02_teachers": 1, "03_kd_loss": 3, "appendix_loss": 1,
          "04_student": 1, "05_evaluation": 1, "06_ablations": 1}  # fmt: skip
MODULES = ["coordinate", "plane", "modes", "face", "failures", "temperature", "seeds"]
LONG = pytest.mark.long


def some_at_once(names, at_once):
    """The parameters of a sweep; those that are not in `at_once` belong to the long tests."""
    return [name if name in at_once else pytest.param(name, marks=LONG) for name in names]


@pytest.fixture(scope="module")
def figures():
    return live_samples.make()


@pytest.fixture(scope="module")
def address(figures, tmp_path_factory):
    """Address of a folder with a page for each figure, and `all.html` with all of them."""
    folder = tmp_path_factory.mktemp("live")
    pages = {name: live.page(name, figure.state(), name) for name, figure in figures.items()}
    for name, page in (pages | {"all": "".join(pages.values())}).items():
        (folder / f"{name}.html").write_text(FRAME.format(page), encoding="utf-8")
    with serve.server(folder) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Address of a folder for HTML copies of notebooks, and the folder."""
    folder = tmp_path_factory.mktemp("copies")
    with serve.server(folder) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


@pytest.fixture(scope="module")
def browser():
    with started() as chromium:
        yield chromium


@pytest.fixture
def page(browser, address):
    """Opens a figure's page; whatever a console says or a page asks of others fails the test."""
    wrong, contexts = [], []

    here = address

    def open_page(name, width=1280, address=here, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: r.url.startswith((address, "data:")) or wrong.append(r.url))
        page.goto(f"{address}/{name}.html")
        page.locator(".kd-live .status").last.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def status(page):
    return page.locator(".kd-live .status").inner_text()


def drawing(page):
    settle(page)
    return page.locator(".kd-live svg").first.screenshot()


@pytest.mark.parametrize("name", MODULES)
def test_the_page_says_what_python_says(page, figures, name):
    figure = figures[name]
    opened = page(name)
    assert figure.says() in status(opened)
    for value in {"plane": ("RELEASED",), "modes": ("80 %",), "seeds": ("Student's t",),
                  "face": ("mean shape to truth",), "failures": ("tough",),
                  "temperature": ("picture 2",), "coordinate": ("RELEASED",)}[name]:  # fmt: skip
        trait = {"plane": "setting", "coordinate": "setting", "modes": "share", "seeds": "method",
                 "face": "way", "failures": "network", "temperature": "digit"}[name]  # fmt: skip
        before, kept = drawing(opened), getattr(figure, trait)
        opened.locator("select", has_text=value).first.select_option(value)
        settle(opened)
        setattr(figure, trait, value)
        said = figure.says()
        setattr(figure, trait, kept)
        assert said in status(opened)
        if name != "modes":  # the mean shape is the same however many modes there are
            assert drawing(opened) != before


@pytest.mark.parametrize("name", HANDLES)
def test_the_mouse_drags_a_handle(page, name):
    opened = page(name)
    handle = opened.locator(f".handle[aria-label='{HANDLES[name]}']")
    before, text = drawing(opened), handle.get_attribute("aria-valuetext")
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x - 25, y - 15, steps=4)
    opened.mouse.up()
    assert drawing(opened) != before and handle.get_attribute("aria-valuetext") != text
    moved = handle.bounding_box()
    if name != "modes":  # a landmark goes as far as the model can follow
        assert abs(moved["x"] - box["x"] + 25) < 2
    opened.mouse.move(x, y)
    settle(opened)
    assert handle.bounding_box() == moved, "let go is let go"


@pytest.mark.parametrize("name", some_at_once(HANDLES, ["modes"]))
def test_a_finger_drags_a_handle(page, name):
    opened = page(name, 390, has_touch=True, is_mobile=True)
    handle = opened.locator(f".handle[aria-label='{HANDLES[name]}']")
    handle.scroll_into_view_if_needed()
    text, box = handle.get_attribute("aria-valuetext"), handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = opened.context.new_cdp_session(opened)
    for kind, points in (("touchStart", [(x, y)]), ("touchMove", [(x - 10, y - 8)]),
                         ("touchMove", [(x - 24, y - 16)]), ("touchEnd", [])):  # fmt: skip
        points = [{"x": a, "y": b} for a, b in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(opened)
    assert handle.get_attribute("aria-valuetext") != text


@pytest.mark.parametrize("name", some_at_once(MODULES, ["coordinate", "face"]))
def test_the_keyboard_reaches_everything(page, name):
    """Tab goes through handles and controls; arrows move what is in focus, and its text follows."""
    opened = page(name)
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        active = "[...document.querySelectorAll('*')].indexOf(document.activeElement)"
        reached.add(opened.evaluate(active))
    wanted = opened.evaluate(
        "[...document.querySelectorAll('*')].flatMap((e, i) => "
        "e.matches('.handle, .controls :is(input, select, button):enabled') ? [i] : [])"
    )
    assert set(wanted) <= reached
    for slider in opened.locator(".handle, input[type=range]:enabled").all():
        slider.focus()
        text, said, before = slider.get_attribute("aria-valuetext"), status(opened), drawing(opened)
        for key in ("ArrowRight",) * 6 + ("ArrowLeft",) * 9:
            opened.keyboard.press(key)
        settle(opened)
        label = slider.evaluate("e => e.ariaLabel || e.parentNode.textContent")
        assert slider.get_attribute("aria-valuetext") != text, label
        assert status(opened) != said or drawing(opened) != before, label


@pytest.mark.parametrize("name", some_at_once(MODULES, ["failures", "seeds"]))
def test_everything_has_a_name_and_a_value(page, name):
    opened = page(name)
    for node in opened.locator(".handle").all():
        assert node.get_attribute("role") == "slider" and node.get_attribute("tabindex") == "0"
        assert node.get_attribute("aria-label")
        low, now, high = (
            float(node.get_attribute(f"aria-value{what}")) for what in ("min", "now", "max")
        )
        assert low <= now <= high
    for node in opened.locator(".controls input, .controls select").all():
        assert node.evaluate("e => e.ariaLabel || e.closest('label').innerText").strip()
    for node in opened.locator("input[type=range]").all():
        assert node.get_attribute("aria-valuetext")
    assert opened.locator(".kd-live").get_attribute("aria-label")
    assert opened.locator(".status").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("name", some_at_once(STORED, ["06_ablations"]))
def test_html_copies_of_the_stored_notebooks_move(page, copies, name):
    pytest.importorskip("latex2mathml", reason="needs the extra course")
    address, folder = copies
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    copy = html_copy.html_copy(notebook, name)
    copy = copy.replace("<head>", '<head><link rel="icon" href="data:,">', 1)
    (folder / f"{name}.html").write_text(copy, encoding="utf-8")
    opened = page(name, address=address)
    figures = opened.locator(".kd-live").all()
    assert len(figures) == STORED[name]
    assert all(moves(figure) for figure in figures)


@pytest.mark.parametrize(
    "width, scheme",
    [(360, "dark"), (1280, "light"), pytest.param(360, "light", marks=LONG),
     pytest.param(1280, "dark", marks=LONG)],
)  # fmt: skip
def test_nothing_is_cut_and_texts_have_contrast(page, width, scheme):
    opened = page("all", width, color_scheme=scheme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    for figure in opened.locator(".kd-live").all():
        right = figure.bounding_box()["x"] + figure.bounding_box()["width"]
        for text in figure.locator("svg text, label, .controls button, .legend li").all():
            box = text.bounding_box()
            assert box is None or (box["x"] >= -1 and box["x"] + box["width"] <= right + 9)
    assert opened.evaluate(CONTRAST) == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=SHOTS / f"live-figures-{width}-{scheme}.png", full_page=True)


#: The line from a landmark at the wall to the mouse.
RUBBER = "svg path[stroke-dasharray='2 3']"

#: Texts whose contrast with the page is below 4.5 to 1 (WCAG 2.1, level AA).
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = colour => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = c => c.map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const probe = document.body.appendChild(document.createElement("div"));
  probe.style.background = "Canvas";
  const back = light(rgb(getComputedStyle(probe).backgroundColor));
  probe.remove();
  const colour = e => getComputedStyle(e)[e.tagName === "text" ? "fill" : "color"];
  return [...document.querySelectorAll(".kd-live :is(text, label, .status, li)")]
    .map(e => [e.textContent, light(rgb(colour(e)))])
    .filter(([, l]) => (Math.max(l, back) + 0.05) / (Math.min(l, back) + 0.05) < 4.5);
}"""


def test_a_race_runs_and_rests_out_of_view(page):
    opened = page("plane")
    steps = "document.getElementById('plane').model.get('steps')"
    opened.get_by_role("button", name="Race").click()
    opened.wait_for_function(f"{steps} > 5")
    opened.evaluate("document.body.style.paddingBottom = '3000px'; scrollTo(0, 2500)")
    opened.wait_for_timeout(300)
    before = opened.evaluate(steps)
    opened.wait_for_timeout(300)
    assert opened.evaluate(steps) == before < 250
    opened.evaluate("scrollTo(0, 0)")
    opened.wait_for_function(f"{steps} == 250")
    settle(opened)
    assert re.search(r"After 250 steps.*L1 there at step \d+.*Tough teacher 0\.4", status(opened))


def test_whoever_wants_no_motion_sees_the_end(page):
    opened = page("plane", reduced_motion="reduce")
    opened.get_by_role("button", name="Race").click()
    settle(opened)
    assert "After 250 steps" in status(opened)


@pytest.mark.parametrize("name", ["truth", "student", "Tough teacher", "Tolerant teacher"])
def test_handles_that_lie_close_are_told_apart(page, name):
    """As they stand at first, on a phone: whoever is touched in the middle moves."""
    opened = page("coordinate", 360, has_touch=True, is_mobile=True)
    opened.evaluate(
        "for (const [k, v] of Object.entries({pred: 0.6, target: 0, tough: 0.4, tolerant: 0.49})) "
        "document.getElementById('coordinate').model.set(k, v)"
    )
    settle(opened)
    texts = {h.get_attribute("aria-label"): h for h in opened.locator(".handle").all()}
    before = {label: h.get_attribute("aria-valuetext") for label, h in texts.items()}
    mark = texts[name].locator(".mark").bounding_box()
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x - 20, y, steps=3)
    opened.mouse.up()
    settle(opened)
    moved = [
        label for label, h in texts.items() if h.get_attribute("aria-valuetext") != before[label]
    ]
    assert moved == [name]


def test_any_landmark_can_be_dragged(page):
    opened = page("modes")
    model = "document.getElementById('modes').model"
    place = opened.evaluate(f"{model}.get('shapes').mean.slice(16, 18)")  # the chin
    box = opened.locator("svg").first.bounding_box()
    size = 1.5 * 420
    x = box["x"] + box["width"] / 2 + size * place[0]
    y = box["y"] + 0.34 * size + size * place[1]
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x, y + 12, steps=3)
    settle(opened)
    assert opened.evaluate(f"{model}.get('landmark')") == 8
    assert any(opened.evaluate(f"{model}.get('b')")) and opened.locator(RUBBER).get_attribute("d")
    opened.mouse.up()
    opened.get_by_role("button", name="Mean shape").click()
    settle(opened)
    assert "The points lie 0.00 %" in status(opened)
    assert not opened.locator(RUBBER).get_attribute("d")


def test_whoever_touches_a_motion_stops_it(page):
    opened = page("face")
    position = "document.getElementById('face').model.get('position')"
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_function(f"{position} > 0.62")
    opened.get_by_role("button", name="Stop").click()
    before = opened.evaluate(position)
    opened.wait_for_timeout(200)
    assert opened.evaluate(position) == before < 1
    opened.get_by_role("button", name="Play").click()
    opened.locator("input[type=range]").first.focus()
    opened.keyboard.press("Home")
    opened.wait_for_timeout(200)
    assert opened.evaluate(position) == 0


def test_what_was_changed_last_is_saved_when_a_view_goes(page):
    opened = page("coordinate")
    saved = opened.evaluate(
        """() => {
          const el = document.getElementById("coordinate");
          let saved = 0;
          el.model.save_changes = () => { saved += 1; };
          const key = new KeyboardEvent("keydown", { key: "ArrowLeft" });
          el.querySelector(".handle").dispatchEvent(key);
          el.close();
          return [saved, el.childElementCount];
        }"""
    )
    assert saved == [1, 0]


def test_mirrored_teachers_change_nothing(page):
    """The question of notebook 03, answered with the plane alone."""
    opened = page("plane")
    arrows = opened.locator(".kd-live svg path.axis").nth(1)
    before, said = arrows.get_attribute("d"), status(opened)
    assert "mirrored" not in said, "the answer comes with the question"
    opened.get_by_role("button", name="Mirror").click()
    settle(opened)
    assert arrows.get_attribute("d") == before and status(opened).startswith(said)
    assert "With mirrored teachers the arrows differ by at most 0.000" in status(opened)


def test_gradient_descent_ends_at_the_truth(page):
    opened = page("coordinate", reduced_motion="reduce")
    opened.get_by_role("button", name="Gradient descent").click()
    settle(opened)
    assert abs(opened.evaluate("document.getElementById('coordinate').model.get('pred')")) < 0.01


def test_a_landmark_stops_at_the_wall(page):
    opened = page("modes")
    handle = opened.locator(".handle")
    box = handle.bounding_box()
    opened.mouse.move(box["x"] + 20, box["y"] + 20)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 420, box["y"] + 20, steps=6)
    settle(opened)
    assert "At the wall of ±3 √λ" in status(opened)
    assert opened.locator(RUBBER).get_attribute("d"), "a line from the landmark to the finger"
    opened.mouse.up()


def test_all_of_them_on_one_page(page):
    """They share no state: what is moved in one leaves the others as they are."""
    opened = page("all")
    texts = opened.locator(".kd-live .status")
    before = texts.all_inner_texts()
    assert len(before) == 7
    assert moves(opened.locator(".kd-live").first)
    after = texts.all_inner_texts()
    assert after[0] != before[0] and after[1:] == before[1:]
