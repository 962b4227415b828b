"""Both ends of the versions: the lowest that pyproject.toml allows, and the newest there are.

Each is installed into an environment of its own (several GB, from the package index), and runs the
tests that need neither a browser nor another extra.
"""

import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEEDED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["course"]
TOOLS = ["pytest", "pytest-xdist", "hypothesis", "nbval"]
FILES = """
    asm checks cli course device experiments faceset files formats intervals kd_gradient
    live_figures losses metrics models own_faces page prepare public_sets recipes schemes stand_ins
    synthetic teacher_losses teachers training views zoo
""".split()


@pytest.mark.parametrize("end", ["lowest", "newest"])
def test_both_ends(tmp_path, end):
    wanted = [re.sub(">=", "==", need) for need in NEEDED] if end == "lowest" else NEEDED
    venv.create(tmp_path / "env", with_pip=True, symlinks=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--upgrade", *wanted, *TOOLS]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if "Failed to establish" in done.stderr or "Temporary failure" in done.stderr:
        pytest.skip("there is no network here")
    assert done.returncode == 0, done.stderr[-2000:]
    more = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-e", ROOT]
    subprocess.run(more, check=True, capture_output=True)
    tests = [str(ROOT / "tests" / f"test_{name}.py") for name in FILES]
    options = ["-q", "-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile"]
    command = [python, "-m", "pytest", *options, *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
