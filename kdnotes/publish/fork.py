"""Sets the repository that the notebooks are opened and installed from.

    python -m kdnotes badges OWNER/REPO --version v1.2

A course that runs this month should not change under its students: `--version` names a tag or a
commit, and the badges and the installation use that one.
"""

import re
from pathlib import Path

from kdnotes.system.files import new_file

#: Patterns of OWNER/REPO and of a version: the characters that GitHub allows in their names.
SLUG, VERSION = r"[\w.-]+/[\w.-]+", r"[\w./-]+"

_BADGE = rf"(?<=colab\.research\.google\.com/github/){SLUG}?/blob/{VERSION}?(?=/notebooks/)"
_PROJECT = rf'(?<=Repository = "https://github\.com/){SLUG}(?=")'

#: What names the repository, to how it is written: badges, the project's address, the lines that
#: install the package (the quotation mark is escaped in a notebook's file) and the clone command.
_WRITTEN = {
    _BADGE: "{slug}/blob/{version}",
    _PROJECT: "{slug}",
    rf'(?<=git\+https://github\.com/){SLUG}?(?:@{VERSION})?(?=\\?")': "{slug}{at}",
    rf"(?<=git clone https://github\.com/){SLUG} && cd [\w.-]+": "{slug} && cd {name}",
}


def slug(root: Path) -> str:
    """OWNER/REPO of a checkout, from its pyproject.toml. Badges and installations follow it.

    Raises:
        ValueError: pyproject.toml does not name a repository.
    """
    match = re.search(_PROJECT, (root / "pyproject.toml").read_text("utf-8"))
    if match is None:
        raise ValueError(
            f'{root / "pyproject.toml"} has no line Repository = "https://github.com/…"'
        )
    return match[0]


def version(root: Path) -> str:
    """The version that a checkout's badges open: a tag, a branch or a commit."""
    first = min((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return re.search(_BADGE, first.read_text("utf-8"))[0].partition("/blob/")[2]


def address(text: str) -> str | None:
    """Where GitHub shows the folder `notebooks/`, according to the badge in a notebook's text.

    Returns:
        The address with a slash at its end; None if there is no badge.
    """
    badge = re.search(_BADGE, text)
    return f"https://github.com/{badge[0]}/notebooks/" if badge else None


def set_slug(text: str, slug: str, version: str = "main") -> str:
    """Sets the repository in a text: in all badges, installations, the clone command and the
    project's address.

    Args:
        text: The text, or a notebook's file.
        slug: OWNER/REPO.
        version: A tag, a branch or a commit.

    Returns:
        The changed text.

    Raises:
        ValueError: The slug is not OWNER/REPO, or an address cannot contain the version.
    """
    if not re.fullmatch(SLUG, slug):
        raise ValueError(f"a repository is OWNER/REPO, found {slug!r}")
    if not re.fullmatch(VERSION, version):
        raise ValueError(f"a version is a tag, a branch or a commit, found {version!r}")
    at = "" if version == "main" else f"@{version}"
    name = slug.partition("/")[2]
    for pattern, written in _WRITTEN.items():
        text = re.sub(pattern, written.format(slug=slug, version=version, at=at, name=name), text)
    return text


def set_everywhere(root: Path, slug: str, version: str = "main") -> list[Path]:
    """Sets the repository in pyproject.toml, the README, all notebooks and pages of a checkout.

    Nothing is written if a file cannot be read.

    Args:
        root: The checkout.
        slug, version: As in `set_slug`.

    Returns:
        The files that changed.

    Raises:
        ValueError: As `set_slug`.
    """
    paths = [root / "pyproject.toml", root / "README.md"]
    paths += sorted(p for kind in ("ipynb", "md") for p in (root / "notebooks").rglob(f"*.{kind}"))
    texts = {path: path.read_text("utf-8") for path in paths}
    changed = {path: set_slug(text, slug, version) for path, text in texts.items()}
    changed = {path: text for path, text in changed.items() if text != texts[path]}
    for path, text in changed.items():
        with new_file(path) as part:
            part.write_text(text, encoding="utf-8")
    return list(changed)
