"""A live figure in the classic notebook, with the versions of its packages that Colab has."""

import os
import subprocess
import sys
import urllib.request

import nbformat
import pytest
import test_colab
from chromium import started
from test_browser import free_port, wait_for

pytestmark = pytest.mark.long
CELLS = [
    """
import anywidget
import ipywidgets

from kdnotes.plots import live

print(anywidget.__version__, ipywidgets.__version__)
explorer = live.OneCoordinate()
explorer""",
    """
heard = ipywidgets.HTML("nothing heard")
explorer.observe(lambda change: setattr(heard, "value", f"tough {change.new}"), "tough")
heard""",
    """
explorer.pred = 0.25
print("the figure says:", explorer.says())""",
]


@pytest.fixture
def classic(tmp_path):
    """Address of a notebook server of version 6, with a notebook of `CELLS`."""
    packages, home = tmp_path / "packages", tmp_path / "home"
    home.mkdir()
    (home / "keep.txt").write_text("\n".join(
        line for line in test_colab.LISTED if not line.startswith("setuptools==")
    ))  # fmt: skip
    wanted = ["notebook", "ipywidgets", "anywidget", "ipykernel"]
    done = test_colab.pip("install", "-q", "-c", home / "keep.txt", "--target", packages, *wanted)
    assert done.returncode == 0, done.stderr[-2000:]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, home / "figure.ipynb")
    port = free_port()
    env = os.environ | {
        "PYTHONPATH": f"{packages}{os.pathsep}{test_colab.ROOT}",
        "JUPYTER_PATH": str(packages / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(packages / "etc" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "settings"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [
        sys.executable, "-m", "notebook", "--allow-root", "--no-browser", "--ip=127.0.0.1",
        f"--port={port}", "--NotebookApp.token=",
    ]  # fmt: skip
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=home, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"

    def answers():
        assert server.poll() is None, (home / "log").read_text()
        try:
            return urllib.request.urlopen(f"{address}/api", timeout=5).status == 200
        except OSError:
            return False

    try:
        wait_for(answers, "the server does not start")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def test_the_figure_works_both_ways(classic):
    said = []
    with started() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.on("console", lambda m: m.type == "error" and said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda r: r.url.startswith((classic, "data:", "blob:", "ws")) or
                said.append(r.url))  # fmt: skip
        page.goto(f"{classic}/notebooks/figure.ipynb")
        page.wait_for_function("window.IPython?.notebook?.kernel?.is_connected()")
        page.get_by_role("link", name="Widgets", exact=True).wait_for()  # the extension is here
        page.evaluate("IPython.notebook.execute_all_cells()")
        printed = page.locator(".output_stdout", has_text="the figure says: ")
        printed.wait_for(timeout=60_000)
        versions = [test_colab.COLAB[name] for name in ("anywidget", "ipywidgets")]
        assert " ".join(versions) in page.locator(".output_stdout").first.inner_text()
        status = page.locator(".kd-live .status")
        sentence = printed.inner_text().split(": ", 1)[1].strip()
        wait_for(lambda: sentence in status.inner_text(), "the figure does not follow Python")
        page.locator(".handle[aria-label='Tough teacher']").focus()
        page.keyboard.press("ArrowRight")
        heard = page.locator(".widget-html")
        wait_for(lambda: "tough 0.41" in heard.inner_text(), "Python hears nothing of a key")
        assert said == []
