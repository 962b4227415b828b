"""Exercises and their solutions, made from one source.

    python -m kdnotes exercises

Each file of `notebooks/teaching/exercises/` is a notebook as text (MyST Markdown, which JupyterLab
opens with Jupytext). From it come `notebooks/exercises/`, with blanks, and `notebooks/solutions/`,
executed:

- between `### BEGIN SOLUTION` and `### END SOLUTION` (nbgrader's marks) the exercise has a blank;
- cells tagged `solution` are in the solutions alone;
- cells tagged `check` print what is said of an answer.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from kdnotes.course.checks.judge import TOLERANCE
from kdnotes.publish.run import execute
from kdnotes.system.files import new_file

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BLANK = "...  # your code here"
_REGION = re.compile(rf"^( *){BEGIN}\n.*?^ *{END}$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(rf"^ *(?:{BEGIN}|{END})\n?", re.MULTILINE)
_CHECK = re.compile(r"print\((?P<call>checks\.(?P<name>\w+)\(\w+\))\)")
_TITLE = re.compile(r"# (\d\d · .+)")


def sources(notebooks: Path) -> list[Path]:
    """The sources, in the order of the notebooks whose names they have."""
    return sorted((notebooks / "teaching" / "exercises").glob("*.md"))


def read(source: Path) -> NotebookNode:
    """A source as a notebook.

    Raises:
        ValueError: A solution that is not marked as one, a mark without its partner, a check of
            another form, or an exercise without a check.
    """
    import jupytext

    found = jupytext.read(source, fmt="md:myst")
    for cell in found.cells:
        marks = [line.strip() for line in cell.source.splitlines() if line.strip() in (BEGIN, END)]
        if marks != [BEGIN, END] * (len(marks) // 2):
            raise ValueError(f"{source}: {BEGIN} and {END} come in pairs; found {marks}")
        if "check" in _tags(cell) and not _CHECK.fullmatch(cell.source):
            raise ValueError(
                f"{source}: checks are print(checks.NAME(ANSWER)), found {cell.source}"
            )
        if bool(marks) != ("exercise" in _tags(cell)):
            raise ValueError(
                f"{source}: a cell with {BEGIN} is tagged `exercise`, and no other is; found the "
                f"tags {_tags(cell)} on\n{cell.source}"
            )
    order = [tag for cell in found.cells for tag in _tags(cell) if tag in ("exercise", "check")]
    if order != ["exercise", "check"] * (len(order) // 2):
        raise ValueError(f"{source}: each exercise is followed by its check; found {order}")
    return found


def exercise(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells as a learner gets them: blanks in place of solutions."""
    kept = [_copy(cell) for cell in cells if "solution" not in _tags(cell)]
    for cell in kept:
        cell.source = _REGION.sub(rf"\1{BLANK}", cell.source)
    return kept


def solution(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells with their solutions, without the marks."""
    kept = [_copy(cell) for cell in cells]
    for cell in kept:
        cell.source = _MARK.sub("", cell.source)
    return kept


def gradable(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells as nbgrader's source: solutions are its `solution` cells, checks its tests.

    nbgrader blanks the marked regions itself, and gives a point for each check that says "Right.".
    Its ids come from the names of the checks, so that points stay where they are when an exercise
    is inserted.
    """
    kept = [_copy(cell) for cell in cells if "solution" not in _tags(cell)]
    name = ""
    for cell in reversed(kept):  # an exercise stands above its check
        common = {"schema_version": 3, "task": False}
        if "check" in _tags(cell):
            check = _CHECK.fullmatch(cell.source)
            name = check["name"]
            cell.source = _GRADED.format(call=check["call"])
            kind = {"grade": True, "locked": True, "solution": False, "points": 1}
            cell.metadata["nbgrader"] = common | kind | {"grade_id": f"check-{name}"}
        elif "exercise" in _tags(cell):
            kind = {"grade": False, "locked": False, "solution": True}
            cell.metadata["nbgrader"] = common | kind | {"grade_id": f"answer-{name}"}
    return kept


#: A check that gives a point: an `assert` would give it to everybody where Python is optimised.
_GRADED = """said = {call}
if said != checks.RIGHT:
    raise ValueError(said)
print(said)"""

#: Folder under `notebooks/` to the way its cells are made.
KINDS: dict[str, Callable] = {"exercises": exercise, "solutions": solution}


def build(notebooks: Path) -> list[Path]:
    """Writes all exercises and executed solutions; the files that changed.

    Solutions whose source did not change keep their outputs.
    """
    changed = []
    for kind in KINDS:
        (notebooks / kind).mkdir(exist_ok=True)
    for source in sources(notebooks):
        for kind, cells_of in KINDS.items():
            path = notebooks / kind / f"{source.stem}.ipynb"
            made = notebook(source, kind, cells_of)
            if same_sources(path, made):
                continue
            if kind == "solutions":
                with tqdm(desc=f"solutions of {source.stem}", total=1, leave=False) as bar:
                    made, _ = execute(made, path, bar, profile="quick", data="")  # shows nobody
                made.metadata["kdnotes"] = {"profile": "quick", "faces": "synthetic"}
            with new_file(path) as part:
                nbformat.write(made, part)
            changed.append(path)
    for path in stale(notebooks):  # what is left has no source any more
        path.unlink()
        changed.append(path)
    return changed


def write_gradable(notebooks: Path, folder: Path) -> list[Path]:
    """Writes nbgrader's source notebooks into `folder`, such as COURSE/source/ASSIGNMENT.

    Raises:
        ValueError: The folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty: choose another folder")
    written = []
    for source in sources(notebooks):
        path = folder / f"{source.stem}.ipynb"
        with new_file(path) as part:
            nbformat.write(notebook(source, "assignment", gradable), part)
        written.append(path)
    return written


def stale(notebooks: Path) -> list[Path]:
    """The files that are not what their source makes, or have none."""
    wanted = {
        notebooks / kind / f"{source.stem}.ipynb": (source, kind, cells_of)
        for source in sources(notebooks)
        for kind, cells_of in KINDS.items()
    }
    there = {path for kind in KINDS for path in (notebooks / kind).glob("*.ipynb")}
    old = [path for path, how in wanted.items() if not same_sources(path, notebook(*how))]
    return sorted({*old, *(there - set(wanted))})


def notebook(source: Path, kind: str, cells_of: Callable) -> NotebookNode:
    """The notebook that a source makes, with the frame that all of them share, not executed."""
    numbered = nbformat.read(source.parents[2] / f"{source.stem}.ipynb", as_version=4)
    head, install = numbered.cells[:2]
    title = _TITLE.match(head.source)[1]
    badge = re.search(r"^\[!\[Open in Colab.+$", head.source, re.MULTILINE)[0]
    badge = badge.replace("/notebooks/", f"/notebooks/{kind}/")
    intro = _INTRO[kind].format(file=f"{source.stem}.ipynb")
    text = "\n\n".join([f"# {title}: {kind}", *([badge] if kind in KINDS else []), intro])
    cells = [nbformat.v4.new_markdown_cell(text), _copy(install), *cells_of(read(source).cells)]
    for number, cell in enumerate(cells):
        cell.id = f"{kind[:-1]}-{number}"
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return made


_ACCEPTED = (
    "Your function gets NumPy arrays, or tensors where it is written in torch, and may return "
    f"either, or a list; a number is right within {100 * TOLERANCE:g} %."
)
_INTRO = {
    "exercises": (
        "To be read first: [the notebook](../{file}). Write your code where it says so and run the "
        "cell below it: it tries your answer on numbers of its own, and says what kind of mistake "
        f"it sees, never the answer. {_ACCEPTED} Solutions are [here](../solutions/{{file}})."
    ),
    "assignment": (
        "Write your code where it says so and run the cell below it: it tries your answer on "
        f"numbers of its own, and says what kind of mistake it sees. {_ACCEPTED}"
    ),
    "solutions": (
        "One way to solve each of the [exercises](../exercises/{file}), and why. Others are as "
        "good: whatever the check calls right. (Made from one source with the exercises; not to "
        "be edited here.)"
    ),
}


def same_sources(path: Path, made: NotebookNode) -> bool:
    """Whether the file holds the cells of `made`, whatever their outputs."""
    if not path.exists():
        return False
    try:
        stored = nbformat.read(path, as_version=4)
    except (ValueError, json.JSONDecodeError, nbformat.ValidationError):
        return False

    def inputs(book):
        return [(c.id, c.cell_type, c.source, dict(c.metadata)) for c in book.cells]

    return inputs(stored) == inputs(made)


def _tags(cell):
    return cell.metadata.get("tags", [])


def _copy(cell):
    """A new cell with the same text; a code cell without outputs."""
    new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
    kept = {name: cell.metadata[name] for name in ("tags", "mystnb") if name in cell.metadata}
    return new(cell.source, metadata=kept)
