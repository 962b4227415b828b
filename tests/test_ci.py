"""What machines of others run: the workflows are what GitHub expects, the browser is found."""

import os
import subprocess
import sys
from pathlib import Path

import browsers
import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ANSWERS = {
    "chrome": 'echo "Google Chrome 151.0.7200.10"',
    "chromium": 'echo "Chromium 151.0.7200.10 built on Debian GNU/Linux"',
    "stub": "echo \"Command '$0' requires the chromium snap to be installed.\" >&2; exit 1",
    "polite stub": 'echo "chromium: please run snap install chromium"',
    "damaged": "exec /nowhere/chrome",
}


def test_workflows_follow_the_schema():
    pytest.importorskip("check_jsonschema", reason="needs the extra dev")
    assert [path.stem for path in WORKFLOWS] == ["book", "tests"]
    schema = ["--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.name == "nt", reason="stand-ins are scripts of a Unix shell")
@pytest.mark.parametrize(
    "there, expected",
    [
        ({"chromium": "chromium", "google-chrome": "chrome"}, "chromium"),
        ({"google-chrome": "chrome", "chromium-browser": "stub"}, "google-chrome"),
        ({"chromium": "stub", "google-chrome-stable": "chrome"}, "google-chrome-stable"),
        ({"chromium": "damaged", "chrome": "chrome"}, "chrome"),
        ({"google-chrome": "polite stub", "chromium-browser": "chromium"}, "chromium-browser"),
        ({"chromium-browser": "stub"}, None),
        ({}, None),
    ],
)
def test_a_browser_is_one_that_tells_its_version(tmp_path, monkeypatch, there, expected):
    for name, kind in there.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{ANSWERS[kind]}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browsers.find() == (expected and str(tmp_path / expected))
