"""A notebook as Colab opens it: alone, in an empty folder, beside packages that must stay.

The clean environment has this one's packages, with torch, torchvision and numpy under newer version
numbers than were ever tested, and without kdnotes. git is told to take the repository's address for
a folder here, so that the first cell runs as it is stored.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nbformat
import pytest
from packaging.version import Version

from kdnotes import fork

ROOT = Path(__file__).parents[1]
NEWER = {"torch": "2.99.0", "torchvision": "0.99.0", "numpy": "2.4.99"}
TAG = "v9.9"

pytest.importorskip("pip", reason="needs pip, as %pip does")
if os.name == "nt" or not shutil.which("git"):
    pytest.skip("needs git, and links between folders", allow_module_level=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the package as it is here, under a tag; later its main branch breaks."""
    folder = tmp_path_factory.mktemp("repository")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kdnotes", folder / "kdnotes", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)

    def git(*arguments):
        who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        command = ["git", "-C", folder, *who, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "The course as it was given")
    git("tag", TAG)
    (folder / "pyproject.toml").write_text("what is being worked on this evening")
    git("commit", "-qam", "Half-way")
    return folder


def renamed(folder, site):
    """The version of an installed package's files, changed; the package is a link."""
    name, old = folder.name.removesuffix(".dist-info").split("-")
    new = site / f"{name}-{NEWER[name]}.dist-info"
    shutil.copytree(folder, new)
    about = (new / "METADATA").read_text("utf-8")
    about = about.replace(f"\nVersion: {old}\n", f"\nVersion: {NEWER[name]}\n")
    (new / "METADATA").write_text(about.replace("torch==", "torch>="), encoding="utf-8")


@pytest.fixture
def clean(repository, tmp_path):
    """The environment's Python, its folder of packages, and its variables."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "env")}))
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(folder).iterdir():
            name = entry.name.lower()
            if "kdnotes" in name or name == "__pycache__":
                continue
            if re.fullmatch(r"(torch|torchvision|numpy)-[^-]+\.dist-info", name):
                renamed(entry, site)
            else:
                (site / entry.name).symlink_to(entry)
    address = f"https://github.com/{fork.slug(ROOT)}"
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("KDNOTES_", "PYTHONPATH", "PIP_"))
    }
    env |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
        "KDNOTES_PROFILE": "tiny",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONWARNINGS": "ignore",
    }
    with contextlib.suppress(PackageNotFoundError):
        if Version(version("setuptools")) >= Version("77"):
            env |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0: it is switched off
    return python, site, env


def opened(name, folder, python, env):
    """A notebook of a course that was given under a tag, run in an empty folder."""
    path = ROOT / "notebooks" / name
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = fork.set_slug(cell.source, fork.slug(ROOT), TAG)
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / path.name)
    command = [python, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", path.name]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def printed(path, number=0):
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    return "".join(output.get("text", "") for output in cells[number].outputs)


def test_a_notebook_in_an_empty_folder_beside_newer_packages(clean, tmp_path):
    python, site, env = clean
    before = {entry.name for entry in site.iterdir()}
    done = opened("exercises/00_start_here.ipynb", tmp_path / "empty", python, env)
    assert done.returncode == 0, done.stderr[-3000:]
    new = {entry.name for entry in site.iterdir()} ^ before
    assert new and all(name.startswith("kdnotes") for name in new), "something else was changed"
    said = printed(tmp_path / "empty" / "00_start_here.ipynb")
    assert f"torch {NEWER['torch']}" in said and f"numpy {NEWER['numpy']}" in said
    assert "profile tiny: KDNOTES_PROFILE asks for it" in said
    assert "ERROR" not in said and "WARNING" not in said
    again = opened("exercises/00_start_here.ipynb", tmp_path / "again", python, env)
    assert again.returncode == 0, again.stderr[-3000:]
    assert printed(tmp_path / "again" / "00_start_here.ipynb").startswith(
        f"kdnotes {version('kdnotes')}"
    ), "silent"


def test_packages_that_are_too_old_are_said_and_stay(clean, tmp_path):
    """kdnotes needs a newer torch: better an error than another torch in the middle of a course."""
    python, site, env = clean
    (about,) = site.glob("torch-*.dist-info")
    text = (about / "METADATA").read_text("utf-8")
    old = about.rename(site / "torch-2.0.1.dist-info") / "METADATA"
    old.write_text(text.replace(NEWER["torch"], "2.0.1"), encoding="utf-8")
    before = {entry.name for entry in site.iterdir()}
    done = opened("exercises/00_start_here.ipynb", tmp_path / "empty", python, env)
    assert done.returncode != 0 and "torch==2.0.1" in done.stdout + done.stderr
    assert {entry.name for entry in site.iterdir()} == before


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(p.name for p in ROOT.glob("notebooks/[0-9][0-9]_*.ipynb")))
def test_every_notebook_in_an_empty_folder(clean, tmp_path, name):
    python, _, env = clean
    done = opened(name, tmp_path / "empty", python, env)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_there_are_wheels_for_every_python(version, tmp_path):
    """For Linux, by pip's dry run; no interpreter of that version is needed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        import tomllib

        needed = tomllib.load(file)["project"]["dependencies"]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
    command += ["--only-binary", ":all:", "--python-version", version, "--target", tmp_path]
    command += ["--implementation", "cp", "--abi", f"cp{version.replace('.', '')}", "--abi", "abi3"]
    command += ["--abi", "none", *needed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Failed to establish" in done.stderr or "Temporary failure" in done.stderr:
        pytest.skip("there is no network here")
    assert done.returncode == 0, done.stderr[-2000:]
