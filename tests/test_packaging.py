"""The repository as a newcomer meets it: top level, installation files, a light import."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
HEAVY = ("torch", "timm", "matplotlib", "ipywidgets", "accelerate", "pandas", "numpy")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [Path(line) for line in listed.stdout.splitlines()]


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")


def test_import_is_light():
    code = f"import kdnotes, sys; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_answers_without_torch():
    code = "import sys; from kdnotes import cli; print('torch' in sys.modules)"
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
        "CONTRIBUTING.md", ".gitignore", ".ci", ".github",
    }  # fmt: skip
    assert {path.parts[0] for path in tracked()} <= allowed


def test_requirements_are_lower_bounds_and_constraints_fit_them():
    from packaging.requirements import Requirement

    extras = [r for group in PROJECT["optional-dependencies"].values() for r in group]
    extras = [r for r in extras if not r.startswith("kdnotes[")]  # one extra takes another
    requirements = {name_of(r): Requirement(r) for r in [*PROJECT["dependencies"], *extras]}
    for requirement in requirements.values():
        above = [] if requirement.name != "opencv-python-headless" else ["<"]  # 5 has no cascades
        assert sorted(s.operator for s in requirement.specifier) == [*above, ">="]
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


def test_only_drawn_pictures_are_committed():
    """Photographs come as JPEG; the few PNG files are figures of embedded faces."""
    pictures = [p for p in tracked() if p.suffix.lower() in {".jpg", ".jpeg", ".webp", ".heic"}]
    assert pictures == []
    assert all(p.parts[0] == "notebooks" for p in tracked() if p.suffix.lower() == ".png")
