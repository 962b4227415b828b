"""Commands that publish the course: web book, exercises, slides, a fork's badges."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import quoted
from kdnotes.system import extras


def book(
    out: Annotated[Path | None, typer.Option(help="Folder, else book under build/.")] = None,
    live: Annotated[bool, typer.Option("--live/--no-live", help="With the live page.")] = True,
) -> None:
    """Build the web book, a static site, from the stored notebooks."""
    extras.require("sphinx", "myst_nb", *(["onnxruntime"] if live else []))
    from kdnotes.course import recipes
    from kdnotes.publish import book as web_book

    folder = out or recipes.build_folder() / "book"
    for note in web_book.build(_root() / "notebooks", folder, recipes.build_folder(), live):
        print(f"note: {note}")
    served = f"python -m http.server -d {quoted(folder)}"
    print(f"{folder / 'index.html'}: open it through a server, {served}")


def exercises(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if something is stale.")
    ] = False,
    nbgrader: Annotated[
        Path | None, typer.Option(help="Write an nbgrader assignment into this folder instead.")
    ] = None,
) -> None:
    """Make exercises and executed solutions from notebooks/teaching/exercises/."""
    extras.require("jupytext", "nbconvert")
    from kdnotes.publish import exercises as maker

    notebooks = _root() / "notebooks"
    if nbgrader:
        written = maker.write_gradable(notebooks, nbgrader)
        print(f"{nbgrader}: {len(written)} notebooks, with a point for each exercise")
        return
    if not check:
        changed = maker.build(notebooks)
        print(f"{len(changed)} files changed")
        return
    for path in (old := maker.stale(notebooks)):
        print(f"{path} is not what its source makes: run `make exercises`")
    raise typer.Exit(bool(old))


def slides(
    out: Annotated[Path | None, typer.Option(help="Folder, else slides under build/.")] = None,
) -> None:
    """Make the lecture's slides from the stored notebooks and notebooks/teaching/slides/."""
    extras.require("nbconvert", "latex2mathml", "markdown_it", "mdit_py_plugins")
    from kdnotes.course import recipes
    from kdnotes.publish import slides as decks

    folder = out or recipes.build_folder() / "slides"
    for note in decks.build(_root() / "notebooks", folder, recipes.build_folder()):
        print(f"note: {note}")
    print(f"{folder / 'lecture.html'}: open it in a browser; S shows what to say to each slide")


def badges(
    repository: Annotated[str, typer.Argument(help="OWNER/REPO on GitHub.")],
    version: Annotated[str, typer.Option(help="A tag, a branch or a commit.")] = "main",
) -> None:
    """Set the repository, and version, that notebooks are opened and installed from on Colab."""
    extras.require("nbformat")
    from kdnotes.publish import fork

    changed = fork.set_everywhere(_root(), repository, version)
    print(f"{repository}, {version}: {len(changed)} files changed")


def _root():
    from kdnotes.course import recipes

    root = recipes.checkout()
    if root is None:
        raise ValueError("start this in a checkout of kdnotes: it works on its notebooks")
    return root
