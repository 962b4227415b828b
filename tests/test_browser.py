"""The live figures in JupyterLab: they follow Python, Python hears of mouse and keyboard.

Screenshots are kept in `build/screenshots`. Needs Chromium (Debian: `apt install chromium`) and
playwright, which is in the extra dev; without them these tests are skipped.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from chromium import moves, started, sync_api

ROOT = Path(__file__).parents[1]
#: Render every cell at once: a page shows what is asked for, not what is in sight.
SETTINGS = {"windowingMode": "none"}
MINUTE = 60_000
LONG = pytest.mark.long
#: Name of a copy to the notebook, and to the cell that moves the last live figure that it has.
FIGURES = {
    "one_coordinate": ("03_kd_loss", "cell-34"),
    "the_plane_and_a_face": ("03_kd_loss", "live-face-driver"),
    "shape_modes": ("01_data_and_soft_landmarks", "ffa24119"),
    "temperature": ("02_teachers", "live-temperature-driver"),
    "a_face_learns": ("04_student", "live-learning-driver"),
    "failures": ("05_evaluation", "cell-61"),
    "seeds_and_people": ("06_ablations", "live-seeds-driver"),
    "labelling": ("08_your_own_landmarks", "cell-08"),
}
#: In a cell of its own: what Python hears of the loss's figure, and what it has saved of a label.
HEARD = {
    "one_coordinate": """
import ipywidgets

heard = ipywidgets.HTML("nothing heard")
explorer.observe(
    lambda change: setattr(heard, "value", f"Python: {change.name} {change.new}"), ["tough", "pred"]
)
heard
""",
    "labelling": """
import ipywidgets

heard = ipywidgets.HTML("nothing heard")
figure.observe(
    lambda change: setattr(heard, "value", f"Python: saved {labels.get(files[0]).points[0, 0]}"),
    "points",
)
heard
""",
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab with the copies of `FIGURES` (profile tiny, embedded faces)."""
    home = tmp_path_factory.mktemp("lab")
    for name, (stem, cell) in FIGURES.items():
        notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
        end = [cell.id for cell in notebook.cells].index(cell) + 1
        notebook.cells = notebook.cells[:end]  # other tests run the rest
        if name in HEARD:
            notebook.cells.append(nbformat.v4.new_code_cell(HEARD[name].strip()))
        nbformat.write(notebook, home / f"{name}.ipynb")
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps(SETTINGS))
    port = free_port()
    env = os.environ | {
        "KDNOTES_PROFILE": "tiny",
        "KDNOTES_DATA": "",
        "KDNOTES_BUILD": os.environ.get("KDNOTES_BUILD") or str(home / "build"),
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={home}", f"--LabApp.user_settings_dir={home / 'settings'}",
    ]  # fmt: skip
    log = (home / "log").open("w")
    server = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=home)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api", timeout=5)
                break
            assert server.poll() is None and time.monotonic() < until, (home / "log").read_text()
            time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="module")
def browser():
    with started() as chromium:
        yield chromium


@pytest.fixture
def notebook(lab, browser):
    """Opens a notebook, runs all its cells, and returns the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def run(name, said):
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and said.append(f"{m.text} {m.location}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb?reset")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=2 * MINUTE)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").first.wait_for(
            timeout=2 * MINUTE
        )
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=2 * MINUTE)
        run_all(page)
        return page

    yield run
    context.close()


def read_prompts(page):
    """What stands before each cell: [ ]: not run, [*]: waiting or running, [7]: done."""
    return page.evaluate(
        "[...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]"
        ".map(prompt => prompt.textContent.trim())"
    )


def run_all(page, minutes=4):
    """Run all cells, until all have their number. (A page that has just been opened shows the
    numbers of the stored run, and may be deaf to its menu for a moment.)"""
    until = time.monotonic() + 60 * minutes
    while "[*]:" not in read_prompts(page):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        time.sleep(3)
        assert time.monotonic() < until, "the cells do not run"
    while True:
        prompts = read_prompts(page)
        if all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in prompts):
            return
        tracebacks = page.locator(".jp-OutputArea-output", has_text="Traceback").all_inner_texts()
        assert not tracebacks, tracebacks[0]
        assert time.monotonic() < until, f"still running: {prompts}"
        time.sleep(0.5)


def wait_for(condition, what):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def figures_of(page):
    """The live figures that the page shows, each with what the cell after it has printed."""
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    for number in range(cells.count()):
        figure = cells.nth(number).locator(".kd-live")
        if figure.count():
            printed = cells.nth(number + 1).locator(".jp-OutputArea-output").last.inner_text()
            yield figure.first, printed.split("the figure says: ")[1].strip()


@pytest.mark.parametrize(
    "name", [n if n == "one_coordinate" else pytest.param(n, marks=LONG) for n in FIGURES]
)
def test_figures_follow_python_and_the_keyboard(notebook, name):
    said = []
    page = notebook(name, said)
    found = list(figures_of(page))
    assert found
    for number, (figure, printed) in enumerate(found):
        figure.scroll_into_view_if_needed()
        status = figure.locator(".status")
        sync_api.expect(status).to_contain_text(printed, timeout=MINUTE / 2)
        assert name == "labelling" or moves(figure)
        box = figure.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1280, "cut off at 1280 pixels"
        folder = Path(os.environ.get("KDNOTES_SCREENSHOTS", ROOT / "build" / "screenshots"))
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}-{number}.png")
    assert [text for text in said if "colab-badge.svg" not in text] == []  # a picture of Google's
    if name == "one_coordinate":
        check_that_python_hears(page, found[0][0])
    elif name == "labelling":
        check_that_a_label_is_saved(page, found[0][0])


def check_that_a_label_is_saved(page, figure):
    """By a key, at once, in the table."""
    heard = page.locator(
        ".jp-OutputArea-output", has_text=re.compile("nothing heard|Python: ")
    ).last
    figure.get_by_role("button", name="end of the stalk").click()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: "Python: saved" in heard.inner_text(), "nothing was saved")
    first = float(heard.inner_text().rsplit(" ", 1)[1])
    page.keyboard.press("ArrowRight")
    wait_for(
        lambda: abs(float(heard.inner_text().rsplit(" ", 1)[1]) - first - 1) < 0.006,
        "a key is one pixel",
    )


def check_that_python_hears(page, figure):
    """Of a key, and of the mouse."""
    heard = page.locator(
        ".jp-OutputArea-output", has_text=re.compile("nothing heard|Python: ")
    ).last
    figure.locator(".handle[aria-label='Tough teacher']").focus()
    page.keyboard.press("ArrowRight")
    wait_for(lambda: "Python: tough 0.41" in heard.inner_text(), "Python hears nothing of a key")
    student = figure.locator(".handle[aria-label='student']")
    student.scroll_into_view_if_needed()
    box = student.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=5)
    page.mouse.up()
    wait_for(lambda: "Python: pred" in heard.inner_text(), "Python hears nothing of the mouse")
    place = float(student.get_attribute("aria-valuetext").rsplit(" ", 1)[1])

    def told():
        return abs(float(heard.inner_text().rsplit(" ", 1)[1]) - place) < 0.006

    wait_for(told, "Python hears another place than the figure shows")
