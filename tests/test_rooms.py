"""How the package is built: which rooms there are, which may use which, what an import costs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kdnotes

PACKAGE = Path(kdnotes.__file__).parent
ROOT = PACKAGE.parent
HEAVY = ("accelerate", "h5py", "ipywidgets", "anywidget", "matplotlib", "requests", "timm")


def rooms_of(text):
    """The rooms of a table, in its order: entries such as `data/` or `asm.py`."""
    return re.findall(r"^\| `(\w+)(?:/|\.py)` \|", text, re.MULTILINE)


ROOMS = rooms_of((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
MODULES = {
    path.relative_to(ROOT)
    .with_suffix("")
    .as_posix()
    .removesuffix("/__init__")
    .replace("/", "."): path
    for path in PACKAGE.rglob("*.py")
}


def imports(path):
    """The package's modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kdnotes":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == "kdnotes")


def wrong_ways(modules):
    """Imports of a room that does not stand above the importing one."""
    for name, path in modules.items():
        room = name.split(".")[1:2]
        if room in ([], ["__main__"]):
            continue
        for target in imports(path):
            other = target.split(".")[1:2]
            if other and other != room and ROOMS.index(other[0]) > ROOMS.index(room[0]):
                yield f"{name} imports {target}"


def test_the_table_of_rooms_names_what_is_there():
    there = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("__")}
    assert sorted(ROOMS) == sorted(there)
    page = (ROOT / "notebooks" / "book" / "package.md").read_text("utf-8")
    assert rooms_of(page) == ROOMS
    assert set(re.findall(r"<text[^>]*>(\w+)</text>", page)) >= set(ROOMS), "the drawing"


def test_imports_point_one_way(tmp_path):
    assert list(wrong_ways(MODULES)) == []
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from kdnotes.course import recipes\n")
    assert list(wrong_ways({"kdnotes.data.wrong": wrong})) == [
        "kdnotes.data.wrong imports kdnotes.course.recipes"
    ]


def test_no_module_only_hands_on():
    """Only a package may show the names of its modules; no old path leads to a new one."""
    for name, path in MODULES.items():
        body = ast.parse(path.read_text("utf-8")).body
        rest = [n for n in body if not isinstance(n, ast.Import | ast.ImportFrom | ast.Expr)]
        assert rest or path.name == "__init__.py", f"{name} does nothing but import"


@pytest.mark.parametrize("line", ["import kdnotes", "from kdnotes import losses"])
def test_an_import_loads_only_what_it_needs(line):
    code = f"import sys\n{line}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
