"""What several commands share: options, and paths as a shell reads them."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated

import typer

ProfileName = Annotated[
    str | None,
    typer.Option("--profile", envvar="KDNOTES_PROFILE", help="tiny, quick, gpu or full."),
]
FaceSetPath = Annotated[
    Path | None,
    typer.Option("--data", envvar="KDNOTES_DATA", help="A face set; else embedded faces."),
]


def quoted(path: Path) -> str:
    """A path as it stands in a command that somebody may copy, on this system."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))
