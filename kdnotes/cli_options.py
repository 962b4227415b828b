"""Options that several commands have."""

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
