"""`python -m kdnotes …`: the course and its steps without a notebook.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import os
import subprocess
import sys
from typing import Annotated

import typer

from kdnotes import extras
from kdnotes.cli_data import data_app
from kdnotes.cli_deploy import export, predict, web
from kdnotes.cli_measure import bench, evaluate, experiment, peers
from kdnotes.cli_options import FaceSetPath, ProfileName
from kdnotes.cli_publish import badges, book, exercises, slides

app = typer.Typer(
    help="Knowledge distillation, taught through KD-Loss for facial landmark detection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")

#: JupyterLab alone would ask its makers for news and the package index for newer versions.
SILENT_LAB = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)

Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on where a run stopped, or train it again.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write the log as events for TensorBoard.")
]


@app.command()
def course(
    profile: ProfileName = None,
    data: FaceSetPath = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train everything again.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Make this run the one that the course shows.")
    ] = False,
) -> None:
    """Execute all numbered notebooks and write them, HTML copies and a report under build/."""
    extras.require("nbconvert")
    from kdnotes import course as runner

    runner.run(profile, data, fresh=fresh, record=record)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def test(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that take minutes, too.")
    ] = False,
) -> None:
    """Run the tests, notebooks included (profile tiny), a few at once. Further arguments
    go to pytest, which then runs one by one.
    """
    import tempfile

    extras.require("pytest", "nbval", "xdist")
    with tempfile.TemporaryDirectory() as build:
        env = os.environ | {"KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "", "KDNOTES_BUILD": build}
        env |= {"OMP_NUM_THREADS": "1"}  # the workers share the processor
        command = [sys.executable, "-m", "pytest", *(context.args or ["tests", "notebooks"])]
        command += ["-m", ""] if everything else []
        command += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]
        if not context.args:
            command += ["--ignore", "notebooks/exercises"]  # unfilled: test_exercises runs them
            command += ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
            command += ["--no-loadscope-reorder"]
        raise typer.Exit(subprocess.run(command, env=env, check=False).returncode)


@app.command()
def lab() -> None:
    """Open the course in JupyterLab, which asks no server for news or updates."""
    extras.require("jupyterlab")
    from kdnotes import course as runner

    command = [sys.executable, "-m", "jupyterlab", str(runner.notebooks()[0])]
    raise typer.Exit(subprocess.run([*command, *SILENT_LAB], check=False).returncode)


@app.command()
def teacher(
    which: str,
    profile: ProfileName = None,
    data: FaceSetPath = None,
    resume: Resume = True,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a teacher: tough (hard landmarks) or tolerant (soft landmarks)."""
    from kdnotes import recipes

    opened = recipes.open_course(profile, data)
    more = {"fresh": not resume, "tensorboard": tensorboard}
    _, log = recipes.train_teacher(opened, which, **more)
    _say_trained(opened, opened.folder / which, log)


@app.command()
def student(
    loss: Annotated[str, typer.Option(help="l1, l2, smooth_l1, wing, kd-paper, kd-released.")],
    seed: Annotated[int, typer.Option(min=0, help="Of start, order and views.")] = 0,
    profile: ProfileName = None,
    data: FaceSetPath = None,
    views: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Views of each face (else the profile's); 0: always new ones, teachers live.",
        ),
    ] = None,
    optimizer: Annotated[str, typer.Option(help="The course's or the paper's.")] = "course",
    compile: Annotated[bool, typer.Option("--compile", help="Use torch.compile.")] = False,
    resume: Resume = True,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a student with a plain loss, or with KD-Loss and both teachers."""
    from kdnotes import recipes

    if optimizer not in ("course", "paper"):
        raise ValueError(f'--optimizer is "course" or "paper", found {optimizer!r}')
    opened = recipes.open_course(profile, data)
    how = {"n_views": views, "paper_optimizer": optimizer == "paper", "compile": compile}
    more = {"fresh": not resume, "tensorboard": tensorboard}
    _, log = recipes.train_student(opened, loss, seed=seed, **how, **more)
    _say_trained(opened, opened.folder / recipes.student_run(loss, seed, **how), log)


@app.command("long-run")
def long_run(
    name: Annotated[
        str, typer.Argument(help="base, tough, tolerant, student-plain or student-kd.")
    ],
    data: FaceSetPath = None,
    ship: Annotated[
        bool,
        typer.Option(
            "--ship", help="Measure it, on test faces too, and put it into this checkout's zoo."
        ),
    ] = False,
) -> None:
    """Train a network that ships with the course, and first what it needs; hours on a CPU."""
    from kdnotes import long_run as longer
    from kdnotes import recipes

    opened = recipes.open_course("quick", data)
    _, log = longer.train(opened, name)
    _say_trained(opened, longer.folder_of(opened, name), log)
    if ship:
        print(longer.ship(opened, name))


def _say_trained(course, folder, log):
    """What came out of a training, in one line, from the first process."""
    from kdnotes import processes

    last = log[-1]
    processes.state().print(
        f"{last['epoch']} epochs, {last['seconds']:.0f} s, validation NME {last['nme']:.2%} of the "
        f"{course.faces.scheme.distance}; weights and log in {folder}"
    )


WITHOUT_TRAINING = (predict, export, web, evaluate, bench, peers, experiment)
PUBLISHING = (book, exercises, slides, badges)
for command in WITHOUT_TRAINING + PUBLISHING:
    app.command()(command)


def main(args: list[str] | None = None) -> None:
    """Runs a command; expected mistakes end in one sentence, not in a traceback.

    A sign that the terminal, file or pipe has no code for (an arrow in cp1252, a file name of odd
    bytes) is written as its number and ends nothing.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # else no file at all, as in some notebooks
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
    """What an expected mistake says; None for one that is to be mended in the code."""
    if isinstance(error, ModuleNotFoundError):
        return extras.reason([error.name]) if error.name in extras.EXTRA_OF else None
    expected = (ValueError, OSError, RuntimeError, ArithmeticError)
    return str(error) if isinstance(error, expected) else None
