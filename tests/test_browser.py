"""The interactive figures in a real browser: JupyterLab, a keyboard, and what changes on the page.

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
from chromium import BROWSER, FLAGS, sync_api

ROOT = Path(__file__).parents[1]
#: Render every cell at once: a page shows what is asked for, not what is in sight.
SETTINGS = {"windowingMode": "none"}
MINUTE = 60_000
LONG = pytest.mark.long
#: Notebooks and their cells with an interactive figure.
FIGURES = {
    "01_data_and_soft_landmarks": "c45cb179", "03_kd_loss": "cell-32", "05_evaluation": "cell-60"
}  # fmt: skip


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab with the notebooks of `FIGURES` (profile tiny, embedded faces), each
    down to its figure."""
    home = tmp_path_factory.mktemp("lab")
    for name, cell in FIGURES.items():
        notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        end = [cell.id for cell in notebook.cells].index(cell) + 1
        notebook.cells = notebook.cells[:end]  # other tests run the rest
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
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS, headless=True)
        yield chromium
        chromium.close()


@pytest.fixture
def notebook(lab, browser):
    """Opens a notebook, runs all its cells, and returns the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def run(name):
        page = context.new_page()
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


def wait_for_change(read, before):
    until = time.monotonic() + 20
    while read() == before:
        assert time.monotonic() < until, "the page did not follow the slider"
        time.sleep(0.1)
    return read()


def move(page, label, keys, presses):
    """Press keys on the slider with this label; returns picture and text before and after."""
    row = page.locator(".widget-slider", has_text=label).first
    row.scroll_into_view_if_needed()
    explorer = page.locator(".widget-vbox", has=row).first
    picture, text = explorer.locator("img").first, explorer.locator(".widget-html").last
    picture_before, text_before = picture.get_attribute("src"), text.inner_text()
    handle = row.locator(".noUi-handle")
    handle.focus()
    for _ in range(presses):
        page.keyboard.press(keys)
    wait_for_change(lambda: picture.get_attribute("src"), picture_before)
    wait_for_change(text.inner_text, text_before)
    return explorer


@pytest.mark.parametrize(
    "name, label, key",
    [
        ("03_kd_loss", "prediction", "ArrowLeft"),
        pytest.param("01_data_and_soft_landmarks", "mode 1", "ArrowRight", marks=LONG),
        pytest.param("05_evaluation", "best to worst", "ArrowRight", marks=LONG),
    ],
)
def test_a_slider_moves_figure_and_text(notebook, name, label, key):
    page = notebook(name)
    explorer = move(page, label, key, 5)
    box = explorer.bounding_box()
    assert box["width"] <= 1280 and box["x"] >= 0
    inside = page.evaluate("e => e.scrollWidth <= e.clientWidth + 1", explorer.element_handle())
    assert inside, "the explorer is cut off at 1280 pixels"
    folder = Path(os.environ.get("KDNOTES_SCREENSHOTS", ROOT / "build" / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    explorer.scroll_into_view_if_needed()
    page.screenshot(path=folder / f"{name}.png")
