"""`python -m kdnotes …`: the course and its steps without a notebook.

Each command imports what it needs when it runs, so that `--help` answers at once. At import, only
typer is needed.
"""

import os
import subprocess
import sys
from typing import Annotated

import typer

from kdnotes.commands.data import data_app
from kdnotes.commands.deploy import export, predict, web
from kdnotes.commands.measure import bench, evaluate
from kdnotes.commands.options import FaceSetPath, ProfileName
from kdnotes.commands.own import own_app
from kdnotes.commands.publish import badges, book, exercises, slides
from kdnotes.commands.research import experiment, long_run, peers, study_app
from kdnotes.commands.training import student, teacher
from kdnotes.system import extras

#: The headings of `--help`, with the commands listed below each.
HEADINGS = {
    "The course": ("course", "lab", "test"),
    "Its steps": ("data", "teacher", "student", "evaluate", "bench"),
    "Your own landmarks": ("own",),
    "A network in use": ("predict", "export", "web"),
    "Results that are produced once": ("experiment", "peers", "long-run", "study"),
    "Publishing": ("book", "slides", "exercises", "badges"),
}


class Sections(typer.core.TyperGroup):
    """Lists the commands below `HEADINGS`."""

    def format_commands(self, context, formatter) -> None:
        for heading, names in HEADINGS.items():
            commands = [(name, self.get_command(context, name)) for name in names]
            with formatter.section(heading):
                formatter.write_dl([(name, c.get_short_help_str(200)) for name, c in commands])


app = typer.Typer(
    cls=Sections,
    help="Knowledge distillation, taught through KD-Loss for facial landmark detection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(own_app, name="own")
app.add_typer(study_app, name="study")

#: Keeps JupyterLab from asking its makers for news and the package index for newer versions.
SILENT_LAB = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


@app.command()
def course(
    profile: ProfileName = None,
    data: FaceSetPath = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train everything again.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Record this run as the one that the course shows.")
    ] = False,
) -> None:
    """Execute all numbered notebooks, and write them with HTML copies and a report to build/."""
    extras.require("nbconvert")
    from kdnotes.publish import run as runner

    runner.run(profile, data, fresh=fresh, record=record)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Include the tests that take minutes.")
    ] = False,
) -> None:
    """Run the tests and the notebooks in parallel, in the profile tiny. Further arguments are
    passed to pytest, which then runs in one process.
    """
    import tempfile

    extras.require("pytest", "nbval", "xdist")
    command = [sys.executable, "-m", "pytest", *(context.args or ["tests", "notebooks"])]
    if everything:
        command += ["-m", ""]
    command += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]
    if not context.args:
        command += ["--ignore", "notebooks/exercises"]  # unfilled: test_exercises runs them
        command += ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
        command += ["--no-loadscope-reorder"]
    with tempfile.TemporaryDirectory() as build:
        env = os.environ | {"KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "", "KDNOTES_BUILD": build}
        env["OMP_NUM_THREADS"] = "1"  # the workers share the processor
        raise typer.Exit(subprocess.run(command, env=env, check=False).returncode)


@app.command()
def lab() -> None:
    """Open the course in JupyterLab, without its requests for news and updates."""
    extras.require("jupyterlab")
    from kdnotes.publish import run as runner

    command = [sys.executable, "-m", "jupyterlab", str(runner.notebooks()[0])]
    raise typer.Exit(subprocess.run([*command, *SILENT_LAB], check=False).returncode)


for command in (
    teacher, student, evaluate, bench, predict, export, web, experiment, peers, long_run,
    book, slides, exercises, badges,
):  # fmt: skip
    app.command()(command)


def main(args: list[str] | None = None) -> None:
    """Runs a command. An expected error ends it with one sentence instead of a traceback.

    A character that the terminal, file or pipe cannot encode is written as its code. Examples are
    an arrow in cp1252, or a file name of undecodable bytes.

    Args:
        args: Arguments of the command line; None takes those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not so in some notebooks
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None or os.environ.get("KDNOTES_TRACEBACK"):
            raise
        print(f"\nkdnotes: {sentence}", file=sys.stderr)
        raise SystemExit(1) from None


def _sentence(error):
    """The message of an expected error; None for an error in the code."""
    if isinstance(error, ModuleNotFoundError):
        return extras.reason([error.name]) if error.name in extras.EXTRA_OF else None
    expected = (ValueError, OSError, RuntimeError, ArithmeticError)
    return str(error) if isinstance(error, expected) else None
