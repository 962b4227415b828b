"""Exercises and their solutions, made from one source.

    python -m kdnotes exercises

Each file of `notebooks/teaching/exercises/` is a notebook as text, in MyST Markdown, which
JupyterLab opens with Jupytext. This module makes `notebooks/exercises/` from it, with blanks, and
`notebooks/solutions/`, executed:

- what stands between `### BEGIN SOLUTION` and `### END SOLUTION`, nbgrader's marks, is a blank in
  the exercise;
- cells tagged `solution` are only in the solutions;
- cells tagged `check` print the verdict on an answer.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from kdnotes.course.checks.judge import TOLERANCE
from kdnotes.publish.run import execute
from kdnotes.publish.tidy import CELL_METADATA, PYTHON, write

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BLANK = "...  # your code here"
_REGION = re.compile(rf"^( *){BEGIN}\n.*?^ *{END}$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(rf"^ *(?:{BEGIN}|{END})\n?", re.MULTILINE)
_CHECK = re.compile(r"print\((?P<call>checks\.(?P<name>\w+)\(\w+\))\)")
_TITLE = re.compile(r"# (\d\d · .+)")


def sources(notebooks: Path) -> list[Path]:
    """The sources, in the order of the notebooks that they are named after."""
    return sorted((notebooks / "teaching" / "exercises").glob("*.md"))


def read(source: Path) -> NotebookNode:
    """Reads a source as a notebook.

    Raises:
        ValueError: A solution is not tagged as an exercise, a mark has no partner, a check has an
            unexpected form, or an exercise has no check.
    """
    import jupytext

    made = jupytext.read(source, fmt="md:myst")
    for cell in made.cells:
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
    order = [tag for cell in made.cells for tag in _tags(cell) if tag in ("exercise", "check")]
    if order != ["exercise", "check"] * (len(order) // 2):
        raise ValueError(f"{source}: each exercise is followed by its check; found {order}")
    return made


def exercise(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Copies the cells for learners: with blanks in place of solutions."""
    kept = _copies(cells, without="solution")
    for cell in kept:
        cell.source = _REGION.sub(rf"\1{BLANK}", cell.source)
    return kept


def solution(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Copies the cells with their solutions, without the marks."""
    kept = _copies(cells)
    for cell in kept:
        cell.source = _MARK.sub("", cell.source)
    return kept


def gradable(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Copies the cells for nbgrader: exercises become its solution cells, checks its tests.

    nbgrader blanks the marked regions itself, and gives a point for each check that returns
    "Right.". The ids of its cells come from the names of the checks, so that points keep their
    place when an exercise is inserted.
    """
    kept = _copies(cells, without="solution")
    name = ""
    for cell in reversed(kept):  # an exercise stands above its check
        if "check" in _tags(cell):
            match = _CHECK.fullmatch(cell.source)
            name = match["name"]
            cell.source = _GRADED.format(call=match["call"])
            roles = {"grade": True, "locked": True, "solution": False, "points": 1}
            grade_id = f"check-{name}"
        elif "exercise" in _tags(cell):
            roles = {"grade": False, "locked": False, "solution": True}
            grade_id = f"answer-{name}"
        else:
            continue
        cell.metadata["nbgrader"] = {
            "schema_version": 3, "task": False, "grade_id": grade_id, **roles
        }  # fmt: skip
    return kept


#: A check that gives a point. An `assert` would give it to everybody where Python is optimised.
_GRADED = """said = {call}
if said != checks.RIGHT:
    raise ValueError(said)
print(said)"""

#: Kind of notebook to the function that makes its cells.
_CELLS = {"exercises": exercise, "solutions": solution, "assignment": gradable}

#: Folders under `notebooks/`, each with the notebooks of that kind.
KINDS = ("exercises", "solutions")


def build(notebooks: Path) -> list[Path]:
    """Writes all exercises and executed solutions.

    Solutions whose source did not change keep their outputs.

    Args:
        notebooks: The folder of the notebooks of a checkout.

    Returns:
        The files that changed.
    """
    changed = []
    for path, made in _made(notebooks):
        path.parent.mkdir(exist_ok=True)
        if same_sources(path, made):
            continue
        if path.parent.name == "solutions":
            with tqdm(desc=f"solutions of {path.stem}", total=1, leave=False) as bar:
                made, _ = execute(made, path, bar, profile="quick", data="")  # shows nobody
            made.metadata["kdnotes"] = {"profile": "quick", "faces": "synthetic"}
        write(made, path)
        changed.append(path)
    for path in stale(notebooks):  # only files without a source are left
        path.unlink()
        changed.append(path)
    return changed


def write_gradable(notebooks: Path, folder: Path) -> list[Path]:
    """Writes the source notebooks of an nbgrader assignment.

    Args:
        notebooks: The folder of the notebooks of a checkout.
        folder: The assignment's folder, such as COURSE/source/ASSIGNMENT.

    Returns:
        The files.

    Raises:
        ValueError: The folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty: choose another folder")
    paths = [folder / f"{source.stem}.ipynb" for source in sources(notebooks)]
    for source, path in zip(sources(notebooks), paths, strict=True):
        write(notebook(source, "assignment"), path)
    return paths


def stale(notebooks: Path) -> list[Path]:
    """The exercises and solutions that differ from what their source makes, or have no source."""
    wanted = dict(_made(notebooks))
    present = {path for kind in KINDS for path in (notebooks / kind).glob("*.ipynb")}
    different = {path for path, made in wanted.items() if not same_sources(path, made)}
    return sorted(different | (present - set(wanted)))


def _made(notebooks: Path) -> Iterator[tuple[Path, NotebookNode]]:
    """Path and content of each exercise and solution, not executed."""
    for source in sources(notebooks):
        for kind in KINDS:
            yield notebooks / kind / f"{source.stem}.ipynb", notebook(source, kind)


def notebook(source: Path, kind: str) -> NotebookNode:
    """The notebook that a source makes, with the frame that all of them share, not executed.

    Args:
        source: A file of `sources`.
        kind: "exercises", "solutions" or "assignment".
    """
    numbered = nbformat.read(source.parents[2] / f"{source.stem}.ipynb", as_version=4)
    head, install = numbered.cells[:2]
    texts = [f"# {_TITLE.match(head.source)[1]}: {kind}"]
    if kind in KINDS:
        badge = re.search(r"^\[!\[Open in Colab.+$", head.source, re.MULTILINE)[0]
        texts.append(badge.replace("/notebooks/", f"/notebooks/{kind}/"))
    texts.append(_INTRO[kind].format(file=f"{source.stem}.ipynb"))
    cells = [nbformat.v4.new_markdown_cell("\n\n".join(texts)), *_copies([install])]
    cells += _CELLS[kind](read(source).cells)
    for number, cell in enumerate(cells):
        cell.id = f"{kind[:-1]}-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata=PYTHON)


_ACCEPTED = (
    "Your function gets NumPy arrays, or tensors where it is written in torch, and may return "
    f"either, or a list; a number is right within {100 * TOLERANCE:g} %."
)
_INTRO = {
    "exercises": (
        "Read [the notebook](../{file}) first. Write your code where it says so and run the "
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
    """Whether a file holds the cells of the notebook `made`, whatever their outputs."""
    try:
        stored = nbformat.read(path, as_version=4)
    except (FileNotFoundError, ValueError, nbformat.ValidationError):
        return False

    def inputs(book):
        return [(c.id, c.cell_type, c.source, dict(c.metadata)) for c in book.cells]

    return inputs(stored) == inputs(made)


def _tags(cell):
    return cell.metadata.get("tags", [])


def _copies(cells, without=None):
    """New cells with the same texts and without outputs, except those with the tag `without`."""
    copies = []
    for cell in cells:
        if without not in _tags(cell):
            is_code = cell.cell_type == "code"
            new = nbformat.v4.new_code_cell if is_code else nbformat.v4.new_markdown_cell
            kept = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
            copies.append(new(cell.source, metadata=kept))
    return copies
