"""A notebook as Colab opens it: alone, in an empty folder, beside packages that must stay.

git is told to take the repository's address for a folder here, so that the first cell runs as it is
stored. `colab_packages.txt` says which packages Colab has.
"""

import contextlib
import copy
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from kdnotes.publish import fork

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
NEWER = {"torch": "2.99.0", "torchvision": "0.99.0", "numpy": "2.4.99"}
TAG = "v9.9"
LISTED = [
    line
    for line in Path(__file__).with_name("colab_packages.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
COLAB = {canonicalize_name(name): v for name, v in (line.split("==") for line in LISTED)}

#: What a notebook loads there, but for torch and what needs it, which is as large as it is slow.
OLDER = """
    ipywidgets anywidget ipython ipykernel jupyter_client nbconvert pip numpy pandas matplotlib
    pillow scikit-learn h5py typer psutil tqdm requests pooch threadpoolctl
""".split()
#: The same, without what they need.
OLDER_ALONE = ["timm", "accelerate", "huggingface_hub", "safetensors"]

pytest.importorskip("pip", reason="needs pip, as the first cell does")
if os.name == "nt" or not shutil.which("git"):
    pytest.skip("needs git, and links between folders", allow_module_level=True)

OFFLINE_BUILD = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # 0: it is switched off
with contextlib.suppress(PackageNotFoundError):
    if Version(version("setuptools")) < Version("77"):
        OFFLINE_BUILD = {}


def pip(*arguments, **variables):
    """Runs pip; skips the test where no package index can be reached."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    env = os.environ | {"PYTHONPATH": ""} | variables
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if "Failed to establish" in done.stderr or "Temporary failure" in done.stderr:
        pytest.skip("there is no network here")
    return done


def copy_package(folder):
    """What kdnotes is built from."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kdnotes", folder / "kdnotes", ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)


# --- what pip would do ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """kdnotes as one file, so that it is built once."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    copy_package(source)
    done = pip("wheel", "--quiet", "--no-deps", "-w", out, source, **OFFLINE_BUILD)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A Python with empty stand-ins for all packages of Colab."""
    home = tmp_path_factory.mktemp("colab")
    venv.create(home, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    for line in LISTED:
        name, number = line.split("==")
        about = site / f"{re.sub(r'[-_.]+', '_', name)}-{number}.dist-info" / "METADATA"
        about.parent.mkdir()
        about.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    return home / "bin" / "python"


def would_install(colab, *arguments, **variables):
    """Names and versions of what pip would install there."""
    dry_run = ["install", "--dry-run", "--quiet", "--report", "-", *arguments]
    done = pip("--python", colab, *dry_run, **variables)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    return {canonicalize_name(about["name"]): about["version"] for about in found}


def test_colab_has_all_that_kdnotes_needs(colab, wheel):
    assert COLAB["ipywidgets"] == "7.7.1" and len(COLAB) > 600
    assert set(would_install(colab, wheel, PIP_NO_INDEX="1")) == {"kdnotes"}


def test_nothing_is_installed_outside_the_package(wheel):
    """No part of a server, no extension of JupyterLab."""
    folders = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert folders == {"kdnotes", f"kdnotes-{PROJECT['version']}.dist-info"}


def test_what_notebook_07_needs_replaces_nothing(colab, wheel, tmp_path):
    """Its first cell keeps what is there, so pip looks for versions of the rest that fit."""
    (tmp_path / "keep.txt").write_text("\n".join(LISTED))
    wanted = f"kdnotes[export] @ {wheel.as_uri()}"
    new = set(would_install(colab, "-c", tmp_path / "keep.txt", wanted))
    assert {"kdnotes", "onnx", "onnxruntime", "onnxscript"} <= new
    assert not new & set(COLAB)


def test_bounds_allow_what_colab_has():
    """Said by name, and without a network."""
    lines = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["export"]
    for need in map(Requirement, lines):
        there = COLAB.get(canonicalize_name(need.name))
        assert there is None or need.specifier.contains(there), f"{need}: Colab has {there}"


# --- what a notebook does ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the package as it is here, under a tag; later its main branch breaks."""
    folder = tmp_path_factory.mktemp("repository")
    copy_package(folder)

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


def environment(repository, home, *, first=None):
    """A Python that has this one's packages, without kdnotes.

    Args:
        first: A folder of packages that come before them; else torch, torchvision and numpy have
            newer version numbers than were ever tested.

    Returns:
        The Python, its own folder of packages, and its variables.
    """
    venv.create(home / "env", with_pip=False, symlinks=True)
    python = home / "env" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home / "env")}))
    links = home / "packages"
    links.mkdir()
    (site / "packages.pth").write_text("".join(f"{path}\n" for path in (first, links) if path))
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(folder).iterdir():
            name = entry.name.lower()
            if "kdnotes" in name or name == "__pycache__" or name.endswith(".pth"):
                continue
            if not first and re.fullmatch(r"(torch|torchvision|numpy)-[^-]+\.dist-info", name):
                renamed(entry, site)
            else:
                (links / entry.name).symlink_to(entry)
    address = f"https://github.com/{fork.slug(ROOT)}"
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("KDNOTES_", "PYTHONPATH", "PIP_"))
    }
    env |= OFFLINE_BUILD | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
        "KDNOTES_PROFILE": "tiny",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONWARNINGS": "ignore",
    }
    return python, site, env


@pytest.fixture
def clean(repository, tmp_path):
    """Beside newer packages."""
    return environment(repository, tmp_path)


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """A folder with packages in the versions that Colab has."""
    folder, home = tmp_path_factory.mktemp("older"), tmp_path_factory.mktemp("keep")
    kept = [line for line in LISTED if not line.startswith("setuptools==")]  # builds kdnotes
    (home / "keep.txt").write_text("\n".join(kept))
    install = ["install", "--quiet", "-c", home / "keep.txt", "--target", folder]
    for arguments in ([*install, *OLDER], [*install, "--no-deps", *OLDER_ALONE]):
        done = pip(*arguments)
        assert done.returncode == 0, done.stderr[-2000:]
    for name in ("ipywidgets-7.7.1", "ipython-7.34.0", "ipykernel-6.17.1", "numpy-2.1.3"):
        assert (folder / f"{name}.dist-info").exists()
    return folder


def opened(name, folder, python, env, cells=None):
    """A notebook of a course that was given under a tag, run in an empty folder; or some of its
    cells."""
    path = ROOT / "notebooks" / name
    notebook = nbformat.read(path, as_version=4)
    if cells:
        notebook.cells = [copy.deepcopy(notebook.cells[i]) for i in cells]
        for n, cell in enumerate(notebook.cells):
            cell.id = f"cell-{n}"
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
    """Also where an installation was broken off, and where a package lies in a second version."""
    python, site, env = clean
    (site / "broken-1.0.dist-info").mkdir()
    (tmp_path / "packages" / "numpy-1.0.dist-info").mkdir()
    about = "Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n"
    (tmp_path / "packages" / "numpy-1.0.dist-info" / "METADATA").write_text(about)
    before = {entry.name for entry in site.iterdir()}
    done = opened(
        "exercises/00_start_here.ipynb", tmp_path / "empty", python, env, cells=[0, 1, 2, 4, 5, 1]
    )
    assert done.returncode == 0, done.stderr[-3000:]
    new = {entry.name for entry in site.iterdir()} ^ before
    assert new and all(name.startswith("kdnotes") for name in new), "something else was changed"
    said = printed(tmp_path / "empty" / "00_start_here.ipynb")
    assert said.startswith(f"installed: kdnotes {version('kdnotes')}\nkdnotes ")
    assert f"torch {NEWER['torch']}" in said and f"numpy {NEWER['numpy']}" in said
    assert "profile tiny: KDNOTES_PROFILE asks for it" in said
    assert not re.search("ERROR|WARNING|restart", said) and said.count("\n") == 4
    again = printed(tmp_path / "empty" / "00_start_here.ipynb", -1)
    assert f"kdnotes {version('kdnotes')}, " in again and "installed" not in again


@pytest.mark.long
def test_packages_that_are_too_old_are_said_and_stay(clean, tmp_path):
    """kdnotes needs a newer torch: better an error than another torch in the middle of a course."""
    python, site, env = clean
    (about,) = site.glob("torch-*.dist-info")
    text = (about / "METADATA").read_text("utf-8")
    old = about.rename(site / "torch-2.0.1.dist-info") / "METADATA"
    old.write_text(text.replace(NEWER["torch"], "2.0.1"), encoding="utf-8")
    before = {entry.name for entry in site.iterdir()}
    done = opened("exercises/00_start_here.ipynb", tmp_path / "empty", python, env)
    assert done.returncode != 0 and "(constraint) torch==2.0.1" in done.stdout + done.stderr
    assert {entry.name for entry in site.iterdir()} == before


@pytest.mark.long
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_in_an_empty_folder(clean, tmp_path, name):
    python, _, env = clean
    done = opened(name, tmp_path / "empty", python, env)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.long
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_with_colabs_packages(repository, older, tmp_path, name):
    """ipywidgets 7.7.1 and IPython 7.34 among them; nothing is written beside the package."""
    python, site, env = environment(repository, tmp_path, first=older)
    before = {path.name for path in older.iterdir()}
    done = opened(name, tmp_path / "empty", python, env)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "installed: kdnotes" in printed(tmp_path / "empty" / name)
    assert {path.name for path in older.iterdir()} == before
    (record,) = site.glob("kdnotes-*.dist-info/RECORD")
    installed = {line.split(",")[0] for line in record.read_text("utf-8").splitlines()}
    files = {path.relative_to(site).as_posix() for path in (site / "kdnotes").rglob("*")}
    assert {file for file in files - installed if (site / file).is_file()} == set()


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_there_are_wheels_for_every_python(version, tmp_path):
    """For Linux, by pip's dry run; no interpreter of that version is needed."""
    options = ["--only-binary", ":all:", "--python-version", version, "--target", tmp_path]
    options += ["--implementation", "cp", "--abi", f"cp{version.replace('.', '')}"]
    options += ["--abi", "abi3", "--abi", "none", "--dry-run", "--quiet", "--ignore-installed"]
    needed = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["export"]
    done = pip("install", *options, *needed)
    assert done.returncode == 0, done.stderr[-2000:]
