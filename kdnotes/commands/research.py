"""Commands that make a result once: experiments, peers, networks that ship, studies."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, ProfileName
from kdnotes.commands.training import say_trained
from kdnotes.system import extras

study_app = typer.Typer(help="Make the numbers of one study again.", no_args_is_help=True)

Seeds = Annotated[int, typer.Option(min=1, help="How many.")]
Photographs = Annotated[Path, typer.Option(help="A face set of photographs.")]


def experiment(
    name: Annotated[str, typer.Argument(help="Its name; without a known one they are listed.")],
    data: FaceSetPath = None,
    confirm: Annotated[
        bool,
        typer.Option("--confirm", help="Its contrast alone, fresh seeds, on test faces: once."),
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="For networks and caches, else under build/.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            help="File of all runs, else the course's in a checkout, or one in the folder."
        ),
    ] = None,
) -> None:
    """Run an experiment on a face set, or in short on the embedded faces; the same command goes on
    where it was."""
    from kdnotes.course import recipes
    from kdnotes.data.faceset import FaceSet
    from kdnotes.publish import record
    from kdnotes.research import experiments
    from kdnotes.research.experiments import log as logs
    from kdnotes.research.experiments import results, runner

    faces = FaceSet.open(data) if data else recipes.open_course("quick").faces
    known = experiments.on(faces.name)
    if name not in known:
        raise ValueError(f"no experiment {name!r} on {faces.name}; there are {', '.join(known)}")
    chosen = known[name]
    root, checkout = folder or recipes.build_folder() / "experiments", recipes.checkout()
    if log is None and checkout is None:  # an installed package is nobody's to write to
        log = root / f"{faces.name}.jsonl"
    kept = logs.Log(log) if log else logs.stored(faces.name)
    print(f"{chosen.question} Contrast: {' against '.join(chosen.contrast)}")
    for run in runner.run(chosen, faces, root, kept, confirm=confirm):
        print(f"{run['arm']}, seed {run['seed']}: {run['nme']:.2%}, {run['seconds']:.0f} s")
    found = results.Results(chosen, kept, "test" if confirm else "validation")
    print(found.shown().to_string())
    record.record_experiments(kept, None if log else checkout / "README.md")
    print(f"{found.verdict()}\n{kept.path}")


def peers(
    folder: Annotated[
        Path, typer.Option("--dir", help="YouTube Faces with facial keypoints, unpacked.")
    ],
    network: Annotated[
        Path | None,
        typer.Option(help="A network's file, else the student that ships with kdnotes."),
    ] = None,
    npm: Annotated[
        Path | None, typer.Option(help="Folder for face-api's packages, else under build/.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="JSON file, else peers.json under build/.")
    ] = None,
) -> None:
    """Compare with dlib and face-api on the same photographs (extra "peers"; node for face-api)."""
    from kdnotes.course import recipes
    from kdnotes.evaluation import report
    from kdnotes.research import peers as comparison

    found = comparison.run(folder, network, npm or recipes.build_folder() / "npm")
    print(comparison.table(found).to_string())
    print(
        f"\n{found['test_faces']} test faces; errors in % of the inter-ocular distance; one thread "
        f"of {found['hardware']['device']}, ours in {found['ours_runs_in']}"
    )
    for reason in found["missing"]:
        print(f"left out: {reason}")
    print(report.write(found, out or recipes.build_folder() / "peers.json"))


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
    from kdnotes.course import recipes
    from kdnotes.research import long_run as longer

    opened = recipes.open_course("quick", data)
    _, log = longer.train(opened, name)
    say_trained(opened, longer.folder_of(opened, name), log)
    if ship:
        print(longer.ship(opened, name))


@study_app.command("domain-gap")
def domain_gap(photos: Photographs, profile: str = "quick", seeds: Seeds = 2) -> None:
    """What in a rendered face makes a network fit for photographs? (Notebook 01.)"""
    from kdnotes.course import recipes
    from kdnotes.data.faceset import FaceSet
    from kdnotes.evaluation import report
    from kdnotes.research import domain_gap as study

    folder = recipes.build_folder() / "domain-gap" / profile
    results = study.run(FaceSet.open(photos), folder, profile, range(seeds))
    print(f"mean shape of the photographs: {results['mean_shape']:.2%}")
    print(report.write(results, report.stored("domain-gap")))


@study_app.command("teacher-search")
def teacher_search(data: Photographs) -> None:
    """What does it take to have a teacher worth having? (Notebook 02.)"""
    from kdnotes.course import recipes
    from kdnotes.evaluation import report
    from kdnotes.research import teacher_search as study

    course = recipes.open_course("quick", data)
    results = study.run(course, course.folder / "teacher-search")
    print(report.write(results, report.stored(f"teacher-search-{course.faces.name}")))


@study_app.command("view-count")
def view_count(profile: ProfileName = None, data: FaceSetPath = None, seeds: Seeds = 2) -> None:
    """For how many views should the teachers' answers be stored? (Notebook 04.)"""
    from kdnotes.course import recipes
    from kdnotes.evaluation import report
    from kdnotes.research import view_count as study

    course = recipes.open_course(profile, data)
    results = study.run(course, range(seeds))
    print(report.write(results, report.stored(f"view-count-{course.faces.name}")))


@study_app.command("on-device")
def on_device(
    data: Annotated[Path, typer.Option(help="A face set that networks ship for.")],
) -> None:
    """What do 16 and 8 bits cost and buy? (Notebook 07.)"""
    extras.require("onnx", "onnxruntime", "onnxscript")
    from kdnotes.course import recipes
    from kdnotes.data.faceset import FaceSet
    from kdnotes.evaluation import report
    from kdnotes.research import on_device as study

    faces = FaceSet.open(data)
    results, name = study.run(faces), f"on-device-{faces.name}"
    for network in results["networks"]:
        print(f"{network}\n{study.table(results, network).to_string()}")
    print(report.write(results, report.stored(name)))
    if checkout := recipes.checkout():
        report.insert_into(checkout / "README.md", name, study.section(results))
