"""`python -m kdnotes …`: the course and its steps without a notebook.

Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Knowledge distillation, taught through KD-Loss for facial landmark detection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Turn data sets into face sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")

ProfileName = Annotated[
    str | None,
    typer.Option("--profile", envvar="KDNOTES_PROFILE", help="tiny, quick, gpu or full."),
]
FaceSetPath = Annotated[
    Path | None,
    typer.Option("--data", envvar="KDNOTES_DATA", help="A face set; else embedded faces."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the new face set.")]
Size = Annotated[int, typer.Option(min=16, help="Side of a stored crop in pixels.")]
Margin = Annotated[float, typer.Option(min=1.0, help="Stored crop / landmarks' box.")]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the face set that is there.")]


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
    from kdnotes import course as runner

    runner.run(profile, data, fresh=fresh, record=record)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def test(context: typer.Context) -> None:
    """Run all tests, notebooks included (profile tiny). Further arguments go to pytest."""
    import tempfile

    with tempfile.TemporaryDirectory() as build:
        env = os.environ | {"KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "", "KDNOTES_BUILD": build}
        command = [sys.executable, "-m", "pytest", *(context.args or ["tests", "notebooks"])]
        command += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]
        raise typer.Exit(subprocess.run(command, env=env, check=False).returncode)


@app.command()
def lab() -> None:
    """Open the course in JupyterLab."""
    from kdnotes import course as runner

    start = runner.notebooks()[0]
    raise typer.Exit(
        subprocess.run([sys.executable, "-m", "jupyterlab", str(start)], check=False).returncode
    )


@app.command()
def teacher(which: str, profile: ProfileName = None, data: FaceSetPath = None) -> None:
    """Train a teacher: tough (hard landmarks) or tolerant (soft landmarks)."""
    from kdnotes import recipes

    opened = recipes.open_course(profile, data)
    _say_trained(opened.folder / which, recipes.train_teacher(opened, which)[1])


@app.command()
def student(
    loss: Annotated[str, typer.Option(help="l1, l2, smooth_l1, wing, kd-paper, kd-released.")],
    seed: Annotated[int, typer.Option(min=0, help="Of start, order and views.")] = 0,
    profile: ProfileName = None,
    data: FaceSetPath = None,
) -> None:
    """Train a student with a plain loss, or with KD-Loss and both teachers."""
    from kdnotes import recipes

    opened = recipes.open_course(profile, data)
    _say_trained(
        opened.folder / recipes.student_run(loss, seed),
        recipes.train_student(opened, loss, seed=seed)[1],
    )


@app.command()
def evaluate(
    network: Annotated[
        Path | None,
        typer.Option(help="A network's file; else the report of all the course's networks."),
    ] = None,
    profile: ProfileName = None,
    data: FaceSetPath = None,
) -> None:
    """Measure networks on validation and test faces."""
    from kdnotes import inference, models, recipes
    from kdnotes.evaluation import report

    opened = recipes.open_course(profile, data)
    if network is None:
        results = report.build(opened)
        path = report.write(results, opened.folder / "report.json")
        print(f"{report.table(results).to_string()}\n\n{report.caption(results)}\n{path}")
        return
    net = models.load(network)
    for split in report.SPLITS:
        faces = opened.split(split)
        found = report.score(inference.predict(net, faces), faces)
        numbers = ", ".join(f"{k} {v:.4f}" for k, v in found.items() if k != "n")
        print(f"{split} ({found['n']} faces), fractions of the inter-ocular distance: {numbers}")


@app.command()
def predict(
    photos: Annotated[list[Path], typer.Argument(help="Picture files.")],
    network: Annotated[Path, typer.Option(help="A network's file (network.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for JSON and drawn pictures.")],
    box: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(
            help="x y width height of the face in pixels (brows to chin, ear to ear); "
            "else the whole picture is taken as the crop."
        ),
    ] = None,
) -> None:
    """Find the landmarks of one face per photo; coordinates are pixels of the upright picture.

    Photos that cannot be used are skipped, and the exit code is 1.
    """
    from kdnotes.deploy.predict import predict_files

    skipped = 0
    for line in predict_files(photos, network, out, box):
        print(line)
        skipped += line.startswith("skipped")
    raise typer.Exit(1 if skipped else 0)


@data_app.command("prepare")
def prepare(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="youtube-faces or synthetic.")],
    out: Out,
    archive: Annotated[
        Path | None,
        typer.Option(help="The archive, if you have it already; else it is downloaded."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="The unpacked archive, if you have that."),
    ] = None,
    size: Size = 176,
    margin: Margin = 2.2,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only that many faces (synthetic: how many to render)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the rendered faces.")] = 0,
    replace: Replace = False,
) -> None:
    """Turn a data set into a face set."""
    from kdnotes import prepare as preparation

    if name == "youtube-faces":
        preparation.prepare_youtube_faces(
            out, archive=archive, folder=folder, size=size, margin=margin, limit=limit,
            replace=replace,
        )  # fmt: skip
    elif name == "synthetic":
        preparation.prepare_synthetic(out, limit or 2000, size=size, seed=seed, replace=replace)
    else:
        raise ValueError(f"no data set is called {name!r}; choose youtube-faces or synthetic")


def _say_trained(folder, log):
    """What came out of a training, in one line."""
    last = log[-1]
    print(
        f"{last['epoch']} epochs, {last['seconds']:.0f} s, validation NME {last['nme']:.2%} of the "
        f"inter-ocular distance; weights and log in {folder}"
    )


def main(args: list[str] | None = None) -> None:
    """Runs a command; expected mistakes end in one sentence, not in a traceback."""
    try:
        app(args)
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        if os.environ.get("KDNOTES_TRACEBACK"):
            raise
        print(f"\nkdnotes: {error}", file=sys.stderr)
        raise SystemExit(1) from None
