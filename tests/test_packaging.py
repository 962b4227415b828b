"""The repository as a newcomer meets it: top level, installation files, a light import."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from kdnotes.deploy import serve

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HEAVY = ("torch", "timm", "matplotlib", "ipywidgets", "anywidget", "accelerate", "pandas", "numpy")


def tracked():
    """The files of the repository; skips the test in a copy without its history."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
        found = [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    except FileNotFoundError:
        found = []
    return found or pytest.skip("git does not know this folder's files")


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")


def test_import_is_light():
    code = f"import kdnotes, sys; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_nothing_is_checked_by_assert():
    """An `assert` is left out where Python is optimised (PYTHONOPTIMIZE, set in some images)."""
    paths = [*(ROOT / "kdnotes").rglob("*.py"), *(ROOT / "data_scripts").rglob("*.py")]
    assert len(paths) > 100
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    }
    assert found == set()


def test_help_answers_without_torch():
    code = "import sys; from kdnotes.commands import app; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_missing_packages_end_in_one_sentence(tmp_path):
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no typer', name='typer')")
    found = subprocess.run(
        [sys.executable, "-m", "kdnotes", "--help"],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "typer is not installed" in found.stderr and "Traceback" not in found.stderr


def test_top_level_is_the_agreed_one():
    allowed = {
        "README.md", "environment.yml", "notebooks", "kdnotes", "data_scripts", "tests",
        "pyproject.toml", "constraints.txt", "Makefile", "LICENSE", "CITATION.cff",
        "CONTRIBUTING.md", "CHANGELOG.md", ".gitignore", ".ci", ".github",
    }  # fmt: skip
    assert {path.parts[0] for path in tracked()} <= allowed


def test_requirements_are_lower_bounds_and_constraints_fit_them():
    extras = [r for group in PROJECT["optional-dependencies"].values() for r in group]
    extras = [r for r in extras if not r.startswith("kdnotes[")]  # one extra takes another
    requirements = {name_of(r): Requirement(r) for r in [*PROJECT["dependencies"], *extras]}
    for requirement in requirements.values():
        assert [s.operator for s in requirement.specifier] == [">="]
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert not any("/" in line for line in lines if not line.startswith("#"))
    pinned = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    for needed in map(name_of, PROJECT["dependencies"]):
        assert needed in pinned
        assert requirements[needed].specifier.contains(pinned[needed])


def test_environment_repeats_nothing_of_pyproject():
    text = (ROOT / "environment.yml").read_text("utf-8")
    for requirement in PROJECT["dependencies"]:
        assert not re.search(rf"^\s*- {name_of(requirement)}\b", text, re.MULTILINE)
    assert "-e .[dev]" in text


def pip_lines():
    """Every line with which a reader is told to install something."""
    texts = [(ROOT / path).read_text("utf-8") for path in tracked() if path.suffix == ".md"]
    for path in tracked():
        if path.suffix == ".ipynb":
            texts += [cell.source for cell in nbformat.read(ROOT / path, as_version=4).cells]
    text = "\n".join(texts).replace('log = !"{sys.executable}"', "python")  # of the first cells
    command = r"(?:\S+ -m |\S*bin/)?pip (?:install|download) "
    lines = re.findall(rf"^ *(?!`)({command}.+)$", text, re.MULTILINE)
    return sorted({*lines, *re.findall(rf"`({command}[^`]+)`", text)})


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
def test_install_lines_mean_what_they_say(tmp_path):
    """In a shell, in an empty folder: an unquoted >= writes a file, and zsh (on a Mac) takes an
    unquoted [ for a file's name."""
    lines = pip_lines()
    assert len(lines) >= 6 and any("{keep}" in line for line in lines)
    for stub in ("pip", "python", ".venv/bin/pip", ".venv/bin/python"):
        (tmp_path / "bin" / stub).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bin" / stub).write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
        (tmp_path / "bin" / stub).chmod(0o755)
    here = tmp_path / "here"
    here.mkdir()
    (here / ".venv").symlink_to(tmp_path / "bin" / ".venv")
    for line in lines:
        plain = re.sub(r'"[^"]*"', "", line)
        assert not re.search(r"[\[;|&$`]", plain), f"{line}: one command, brackets in quotes"
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-ec", line], cwd=here, capture_output=True, text=True,
            env=os.environ | {"PATH": path},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert [entry.name for entry in here.iterdir()] == [".venv"], f"{line} leaves a file"
        for word in done.stdout.splitlines():
            if not word.startswith(("-", ".", "install", "wheels", "constraints", "download", "{")):
                Requirement(word)


def make(*words, **variables):
    """Runs make as from a shell, also where the tests were started by make themselves."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "-B", *words], cwd=ROOT, capture_output=True, text=True, check=False,
        env=shell | variables,
    )  # fmt: skip


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_python_that_does_not_fit_is_said_in_one_sentence(tmp_path):
    old = tmp_path / "python"
    old.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9, 2); $2"\n'
    )
    old.chmod(0o755)
    done = make(".venv/ready", f"PYTHON={old}")
    assert done.returncode != 0
    assert done.stdout == (
        f"kdnotes needs Python 3.11 to 3.14, and {old} is not; name one: make PYTHON=python3.12\n"
    )


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_pytorch_for_the_cpu_is_taken_where_it_is_asked_for(tmp_path):
    """From two package indices made here: one has the CUDA build, the other that for the CPU."""
    lines = make("-n", ".venv/ready").stdout
    assert "torch torchvision" not in lines
    constraints = (ROOT / "constraints.txt").read_text("utf-8")
    pins = dict(re.findall(r"^(torch|torchvision)==(\S+)$", constraints, re.MULTILINE))
    for index, local in (("all", ""), ("cpu", "+cpu")):
        for name, pin in pins.items():
            wheel(tmp_path / index / name, name, pin + local)
    with serve.server(tmp_path) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        lines = make("-n", ".venv/ready", "CPU=1", f"TORCH_FOR_CPU={address}/cpu/").stdout
        (line,) = re.findall(r"-m pip (install .* torch torchvision)$", lines, re.MULTILINE)
        done = subprocess.run(
            [sys.executable, "-m", "pip", *line.split(), "--dry-run", "--ignore-installed",
             "--quiet", "--report", "-"],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env=os.environ | {"PIP_INDEX_URL": f"{address}/all/", "PIP_CONFIG_FILE": os.devnull},
        )  # fmt: skip
        running.shutdown()
    assert done.returncode == 0, done.stderr
    found = {
        i["metadata"]["name"]: i["metadata"]["version"] for i in json.loads(done.stdout)["install"]
    }
    assert found == {name: f"{pin}+cpu" for name, pin in pins.items()}


def wheel(folder, name, version):
    """A package without content, in a folder as a package index has it."""
    folder.mkdir(parents=True)
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        file.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{about}/RECORD", "")
    link = f'<a href="{name}-{version.replace("+", "%2B")}-py3-none-any.whl">wheel</a>'
    (folder / "index.html").write_text(f"<!doctype html>{link}", encoding="utf-8")


#: How picture files begin: JPEG, PNG, GIF, WebP and AVIF/HEIC (after their size), TIFF, BMP.
BEGINNINGS = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|....ftyp(avif|heic|mif1)|II\*\0|MM\0\*|BM....\0\0",
    re.DOTALL,
)
DRAWN = {f"notebooks/figures/{name}" for name in ("learning.gif", "live-page.jpg", "overview.png")}


def test_only_drawn_pictures_are_committed():
    """Three figures of rendered faces, whatever a file is called; and none inside of a text. Stored
    notebooks say themselves which faces they show: see test_notebooks."""
    found = {p.as_posix() for p in tracked() if BEGINNINGS.match((ROOT / p).read_bytes()[:16])}
    assert found == DRAWN
    texts = [p for p in tracked() if p.suffix in {".md", ".html", ".css", ".svg", ".js", ".json"}]
    inside = re.compile(r"data:image/|[\"'](/9j/4|iVBORw0K)")
    with_one = {p.as_posix() for p in texts if inside.search((ROOT / p).read_text("utf-8"))}
    assert with_one == {"kdnotes/results/learning-synthetic.json"}
