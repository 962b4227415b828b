"""What several commands share: options, default folders, notes, and paths as a shell reads them."""

import os
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

ProfileName = Annotated[
    str | None,
    typer.Option("--profile", envvar="KDNOTES_PROFILE", help="tiny, quick, gpu or full."),
]
FaceSetPath = Annotated[
    Path | None,
    typer.Option("--data", envvar="KDNOTES_DATA", help="A face set. Default: the embedded faces."),
]
DataName = Annotated[str, typer.Option("--data", help="What a network that ships was trained on.")]
OutFolder = Annotated[
    Path | None,
    typer.Option(help="Output folder. Default: a folder in build/ named after the command."),
]
OutFile = Annotated[
    Path | None, typer.Option(help="JSON file. Default: a file in build/ named after the command.")
]


def build_folder(*names: str) -> Path:
    """A path in the folder of results, `build/` unless KDNOTES_BUILD names another."""
    from kdnotes.course import recipes

    return recipes.build_folder().joinpath(*names)


def print_notes(notes: Iterable[str]) -> None:
    """Prints what a command could have done better, a line each."""
    for note in notes:
        print(f"note: {note}")


def quoted(path: Path) -> str:
    """A path as it stands in a command that somebody may copy, on this system."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))
