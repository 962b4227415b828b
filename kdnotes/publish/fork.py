"""Sets the repository that the notebooks are opened and installed from.

    python -m kdnotes badges OWNER/REPO --version v1.2

A course that runs this month should not change under its students: `--version` names a tag or a
commit, and badges and installation take that one.
"""

import re
from pathlib import Path

import nbformat

from kdnotes.system.files import new_file

#: What may stand in an address: GitHub's names of owners, repositories and tags.
SLUG, VERSION = re.compile(r"[\w.-]+/[\w.-]+"), re.compile(r"[\w./-]+")

_COLAB = re.compile(
    r"(colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+?/blob/[\w./-]+?(/notebooks/)"
)
_OPENED = re.compile(
    r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+/blob/[\w./-]+?/notebooks/)"
)
_INSTALL = re.compile(r"(git\+https://github\.com/)[\w.-]+/[\w.-]+?(?:@[\w./-]+)?(?=\")")
_URL = re.compile(r'(Repository = "https://github\.com/)[\w.-]+/[\w.-]+(")')
_CLONE = re.compile(r"(git clone https://github\.com/)[\w.-]+/[\w.-]+( && cd )[\w.-]+")


def slug(root: Path) -> str:
    """OWNER/REPO of a checkout: it stands in pyproject.toml; badges and installations follow.

    Raises:
        ValueError: It does not stand there.
    """
    match = _URL.search((root / "pyproject.toml").read_text("utf-8"))
    if match is None:
        raise ValueError(
            f'{root / "pyproject.toml"} has no line Repository = "https://github.com/…"'
        )
    return match[0].split(".com/")[1].rstrip('"')


def version(root: Path) -> str:
    """The version that a checkout's badges open: a tag, a branch or a commit."""
    readers = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    first = nbformat.read(readers[0], as_version=4).cells[0].source
    return re.search(r"/blob/([\w./-]+?)/notebooks/", first)[1]


def address(text: str) -> str | None:
    """Where GitHub shows the folder `notebooks/`, by the badge in a notebook's text; None without
    a badge."""
    badge = _OPENED.search(text)
    return f"https://github.com/{badge[1]}" if badge else None


def set_slug(text: str, slug: str, version: str = "main") -> str:
    """`text` with all badges, installations, the clone command and the project's address of that
    repository.

    Raises:
        ValueError: No owner/repository, or a version that no address can hold.
    """
    if not SLUG.fullmatch(slug):
        raise ValueError(f"a repository is OWNER/REPO, found {slug!r}")
    if not VERSION.fullmatch(version):
        raise ValueError(f"a version is a tag, a branch or a commit, found {version!r}")
    at = "" if version == "main" else f"@{version}"
    text = _COLAB.sub(rf"\g<1>{slug}/blob/{version}\g<2>", text)
    text = _INSTALL.sub(rf"\g<1>{slug}{at}", text)
    text = _URL.sub(rf"\g<1>{slug}\g<2>", text)
    return _CLONE.sub(rf"\g<1>{slug}\g<2>{slug.partition('/')[2]}", text)


def set_everywhere(root: Path, slug: str, version: str = "main") -> list[Path]:
    """Does so in pyproject.toml, README and all notebooks of a checkout; the files that changed.

    Nothing is written when a file cannot be read.
    """
    paths = [root / "pyproject.toml", root / "README.md"]
    paths += sorted((root / "notebooks").rglob("*.ipynb"))
    changed = {}
    for path in paths:
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, as_version=4)
            before = [cell.source for cell in notebook.cells]
            for cell in notebook.cells:
                cell.source = set_slug(cell.source, slug, version)
            if before != [cell.source for cell in notebook.cells]:
                changed[path] = nbformat.writes(notebook) + "\n"
        else:
            before = path.read_text("utf-8")
            after = set_slug(before, slug, version)
            if after != before:
                changed[path] = after
    for path, text in changed.items():
        with new_file(path) as part:
            part.write_text(text, encoding="utf-8")
    return list(changed)
