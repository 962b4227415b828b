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
    """Run the tests, notebooks included (profile tiny). Further arguments go to pytest."""
    import tempfile

    with tempfile.TemporaryDirectory() as build:
        env = os.environ | {"KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "", "KDNOTES_BUILD": build}
        command = [sys.executable, "-m", "pytest", *(context.args or ["tests", "notebooks"])]
        command += ["-m", ""] if everything else []
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
    _say_trained(opened.folder / which, recipes.train_teacher(opened, which, **more)[1])


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
    _say_trained(opened.folder / recipes.student_run(loss, seed, **how), log)


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
def bench(
    profile: ProfileName = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="Faces per step, else the profile's.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds.")] = 7,
    compile: Annotated[bool, typer.Option("--compile", help="Time torch.compile too.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="JSON file, else bench-PROFILE.json under build/.")
    ] = None,
) -> None:
    """Time data, teachers, the training step and each of its switches, on this machine."""
    import json

    from kdnotes import profiles, recipes
    from kdnotes.evaluation import bench as benchmark
    from kdnotes.files import new_file

    chosen = profiles.get(profile) if profile else profiles.current()
    result = benchmark.run(chosen, batch=batch, repeats=repeats, compiled=compile)
    path = out or recipes.build_folder() / f"bench-{chosen.name}.json"
    with new_file(path) as part:
        part.write_text(json.dumps(result.json(), indent=1) + "\n")
    print(f"{result.text()}\n\n{path}")


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
    name: Annotated[
        str, typer.Argument(help="300w, cofw, wflw, youtube-faces, synthetic, or csv: your own.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the new face set.")],
    archive: Annotated[
        list[Path] | None,
        typer.Option(help="A file of the data set that you have already; may be repeated."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="The unpacked files, if you have those.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="csv: your CSV file, or COCO keypoints (JSON).")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="csv: folder of the pictures named in a JSON file.")
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(help="Points: synthetic 29, 68 or 98; csv also a JSON file with a scheme."),
    ] = "68",
    size: Annotated[int, typer.Option(min=16, help="Side of a stored crop in pixels.")] = 176,
    margin: Annotated[float, typer.Option(min=1.0, help="Stored crop / box.")] = 2.2,
    box: Annotated[
        str, typer.Option(help="Crop around the box of the landmarks, or of the dataset.")
    ] = "landmarks",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Faces read at once; else one per core.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only that many faces (synthetic: how many to render)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="synthetic: another seed, other faces.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the face set that is there.")
    ] = False,
) -> None:
    """Turn a data set into a face set. What was interrupted goes on where it was."""
    from kdnotes import prepare as preparation
    from kdnotes import schemes

    common = {"size": size, "workers": workers, "replace": replace}
    cut = {"margin": margin, "box": box, "limit": limit}
    if name == "synthetic":
        n_points = schemes.get_named(scheme).n_points
        preparation.prepare_synthetic(out, limit or 2000, scheme=n_points, seed=seed, **common)
    elif name == "csv":
        if table is None:
            raise ValueError("csv needs --table: your CSV file, or COCO keypoints in a JSON file")
        own = schemes.get_named(scheme)
        preparation.prepare_own(table, out, images=images, scheme=own, **cut, **common)
    else:
        preparation.prepare_public(name, out, archive=archive or (), folder=folder, **cut, **common)


@data_app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A face set.")],
    out: Annotated[
        Path | None, typer.Option(help="The contact sheet; else PATH with .png added.")
    ] = None,
) -> None:
    """Counts per split and subset, warnings, and a contact sheet with landmarks."""
    from kdnotes import audit
    from kdnotes.faceset import FaceSet
    from kdnotes.files import new_file
    from kdnotes.prepare import summary

    faces = FaceSet.open(path)
    print(summary(faces))
    for key in ("source", "labels", "split_rule", "skipped"):
        print(f"{key.replace('_', ' ')}: {faces.meta.get(key) or 'nothing'}")
    for sentence in audit.warnings(faces):
        print(f"warning: {sentence}")
    sheet = out or path.absolute().with_name(f"{path.absolute().name}.png")
    with new_file(sheet) as part:
        audit.contact_sheet(faces).savefig(part, format="png", dpi=110)
    print(f"contact sheet: {sheet}")


def _say_trained(folder, log):
    """What came out of a training, in one line, from the first process."""
    from kdnotes import processes

    last = log[-1]
    processes.state().print(
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
