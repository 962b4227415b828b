"""Commands that publish the course: web book, exercises, slides, the address of a fork."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import OutFolder, build_folder, print_notes, quoted
from kdnotes.system import extras


def book(
    out: OutFolder = None,
    live: Annotated[bool, typer.Option("--live/--no-live", help="Include the live page.")] = True,
) -> None:
    """Build the web book, a static site, from the stored notebooks."""
    extras.require("sphinx", "myst_nb", *(["onnxruntime"] if live else []))
    from kdnotes.publish import book as web_book

    folder = out or build_folder("book")
    print_notes(web_book.build(_notebooks(), folder, build_folder(), live))
    served = f"python -m http.server -d {quoted(folder)}"
    print(f"{folder / 'index.html'}: open it through a server, {served}")


def exercises(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with code 1 if a file is stale.")
    ] = False,
    nbgrader: Annotated[
        Path | None,
        typer.Option(help="Write an nbgrader assignment to this folder instead."),
    ] = None,
) -> None:
    """Make exercises and executed solutions from notebooks/teaching/exercises/."""
    extras.require("jupytext", "nbconvert")
    from kdnotes.publish import exercises as maker

    notebooks = _notebooks()
    if nbgrader:
        written = maker.write_gradable(notebooks, nbgrader)
        print(f"{nbgrader}: {len(written)} notebooks, with a point for each exercise")
    elif check:
        stale = maker.stale(notebooks)
        for path in stale:
            print(f"{path} is not what its source makes: run `make exercises`")
        raise typer.Exit(bool(stale))
    else:
        print(f"{len(maker.build(notebooks))} files changed")


def slides(out: OutFolder = None) -> None:
    """Make the lecture's slides from the stored notebooks and notebooks/teaching/slides/."""
    extras.require("nbconvert", "latex2mathml", "markdown_it", "mdit_py_plugins")
    from kdnotes.publish import slides as decks

    folder = out or build_folder("slides")
    print_notes(decks.build(_notebooks(), folder, build_folder()))
    print(f"{folder / 'lecture.html'}: open it in a browser; S shows what to say to each slide")


def badges(
    repository: Annotated[str, typer.Argument(help="OWNER/REPO on GitHub.")],
    version: Annotated[str, typer.Option(help="A tag, a branch or a commit.")] = "main",
) -> None:
    """Set the repository and version that Colab opens and installs the notebooks from."""
    from kdnotes.publish import fork

    changed = fork.set_everywhere(_notebooks().parent, repository, version)
    print(f"{repository}, {version}: {len(changed)} files changed")


def _notebooks():
    """The notebooks' folder in the checkout that the command was started in."""
    from kdnotes.course import recipes

    root = recipes.checkout()
    if root is None:
        raise ValueError("start this in a checkout of kdnotes: it works on its notebooks")
    return root / "notebooks"
