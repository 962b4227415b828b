"""Sets the repository that the notebooks are opened and installed from.

    python -m kdnotes badges OWNER/REPO --version v1.2

A course that runs this month should not change under its students: `--version` names a tag or a
commit, and badges and installation take that one.
"""

import re
from pathlib import Path

import nbformat

from kdnotes.files import new_file

#: What may stand in an address: GitHub's names of owners, repositories and tags.
SLUG, VERSION = re.compile(r"[\w.-]+/[\w.-]+"), re.compile(r"[\w./-]+")

_COLAB = re.compile(
    r"(colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+?/blob/[\w./-]+?(/notebooks/)"
)
_INSTALL = re.compile(r"(git\+https://github\.com/)[\w.-]+/[\w.-]+?(?:@[\w./-]+)?(?=\")")
_CLONE = re.compile(r"(git clone https://github\.com/)[\w.-]+/[\w.-]+( && cd )[\w.-]+")


def set_slug(text: str, slug: str, version: str = "main") -> str:
    """`text` with all badges, installations and the clone command of that repository.

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
    return _CLONE.sub(rf"\g<1>{slug}\g<2>{slug.partition('/')[2]}", text)


def set_everywhere(root: Path, slug: str, version: str = "main") -> list[Path]:
    """Does so in the README and all notebooks of a checkout; the files that changed.

    Nothing is written when a file cannot be read.
    """
    paths = [root / "README.md", *sorted((root / "notebooks").rglob("*.ipynb"))]
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
