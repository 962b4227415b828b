"""The base packages are all that notebooks 00 to 06 and the commands of a learner import; what
another command needs more, it names."""

import ast
import importlib
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kdnotes.commands import app
from kdnotes.system import extras

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
BASE, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]

#: Imports of commands that a learner may run beside the notebooks, on Colab too.
COMMANDS = """
from kdnotes.commands import app
from kdnotes.data import prepare
from kdnotes.models import zoo
from kdnotes.publish import audit, record
from kdnotes.research import long_run
from kdnotes.deploy import detect, photos, predict
from kdnotes.evaluation import page
from kdnotes.research import bench, peers
from kdnotes.research.experiments import results, runner
"""

#: Runs code where some modules cannot be found.
WITHOUT = """
    import sys
    from importlib.machinery import PathFinder
    hidden = set(sys.argv[1].split())
    class Others(PathFinder):
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            if name.partition(".")[0] not in hidden:
                return PathFinder.find_spec(name, path, target)
    sys.meta_path = [Others if finder is PathFinder else finder for finder in sys.meta_path]
    exec(sys.argv[2])
"""


@cache
def required(name: str, extra: str = "") -> list[Requirement]:
    """What an installed package needs here."""
    if name == "kdnotes":
        lines = EXTRAS[extra] if extra else BASE
        return [Requirement(line) for line in lines]
    try:
        needs = [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        return []
    return [need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})]


def brought(name: str, extras: Iterable[str] = ()) -> set[str]:
    """The packages that come with the installation of one."""
    packages, waiting = set(), [(name, extra) for extra in ("", *extras)]
    for name, extra in waiting:
        for need in required(name, extra):
            to_do = [(need.name, more) for more in ("", *need.extras)]
            waiting += [item for item in to_do if item not in waiting]
            packages.add(canonicalize_name(need.name))
    return packages


@cache
def owners() -> dict[str, set[str]]:
    """Top-level modules here, and the packages that installed them."""
    found = packages_distributions().items()
    return {module: set(map(canonicalize_name, names)) for module, names in found}


def modules_of(packages: set[str]) -> set[str]:
    """The top-level modules that are installed with packages."""
    return {module for module, names in owners().items() if packages & names}


def imports_of(notebook: Path) -> list[str]:
    """The import statements of a notebook, in order."""
    to_python = TransformerManager().transform_cell
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    nodes = [node for cell in cells for node in ast.walk(ast.parse(to_python(cell.source)))]
    return [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def test_base_packages_are_all_that_notebooks_import():
    paths = [p for p in sorted((ROOT / "notebooks").rglob("0*.ipynb")) if p.stem[:2] != "07"]
    assert len(paths) == 24
    lines = dict.fromkeys(line for path in paths for line in imports_of(path))
    base = brought("kdnotes")
    assert not base & {"jupyterlab", "jupyter-server", "notebook"}, "widgets need no server's part"
    code = "\n".join([*lines, COMMANDS])
    assert "from kdnotes import" in code and "import numpy" in code
    hidden = set(owners()) - modules_of(base | {"kdnotes"})
    assert {"jupyterlab", "nbformat", "onnxruntime", "pytest"} <= hidden
    command = [sys.executable, "-c", textwrap.dedent(WITHOUT), " ".join(hidden), code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_each_module_is_installed_by_its_extra():
    for extra in set(extras.EXTRA_OF.values()):
        named = {module for module, name in extras.EXTRA_OF.items() if name == extra}
        installed = modules_of(brought("kdnotes", [extra]))
        assert named <= installed, f"the extra {extra} does not install {named - installed}"


@pytest.mark.parametrize(
    "command, needed, extra",
    [
        ("course", "nbconvert", "course"),
        ("lab", "jupyterlab", "course"),
        ("exercises --check", "jupytext, nbconvert", "course"),
        ("slides", "nbconvert, latex2mathml, markdown_it, mdit_py_plugins", "course,book"),
        ("book --no-live", "sphinx, myst_nb", "book"),
        ("book", "sphinx, myst_nb, onnxruntime", "book,export"),
        ("export student-kd --to x.onnx", "onnx, onnxruntime, onnxscript", "export"),
        ("web", "onnxruntime", "export"),
        ("test", "pytest, nbval, xdist", "dev"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(
    command, needed, extra, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        app.main(command.split())
    said = f'\nkdnotes: this command needs {needed}: pip install "kdnotes[{extra}]"\n'
    assert stopped.value.code == 1 and capsys.readouterr().err == said
    assert not list(tmp_path.iterdir())


def test_every_extra_of_a_sentence_exists():
    assert set(extras.EXTRA_OF.values()) <= set(EXTRAS)
    assert "kdnotes[course]" in EXTRAS["dev"]


def test_a_module_that_turns_out_to_be_missing(monkeypatch, capsys, tmp_path):
    """predict needs onnxruntime for an ONNX file alone; a mistake of ours stays a traceback."""
    for name in ("face.png", "student.onnx"):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    asked = ["predict", str(tmp_path / "face.png"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit):
        app.main([*asked, "--network", str(tmp_path / "student.onnx")])
    assert re.search(r"needs onnxruntime: pip install .*export", capsys.readouterr().err)
    monkeypatch.setattr(app, "app", lambda args: importlib.import_module("kdnotes.misspelt"))
    with pytest.raises(ModuleNotFoundError):
        app.main(asked)
