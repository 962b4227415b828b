"""Commands that produce a result once: experiments, peers, networks that ship, studies."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, OutFile, ProfileName, build_folder
from kdnotes.commands.training import print_trained
from kdnotes.system import extras

study_app = typer.Typer(help="Produce the numbers of one study again.", no_args_is_help=True)

Seeds = Annotated[int, typer.Option(min=1, help="Number of seeds.")]
Photographs = Annotated[Path, typer.Option(help="A face set of photographs.")]


def experiment(
    name: Annotated[
        str, typer.Argument(help="Name of the experiment. An unknown name lists the known ones.")
    ],
    data: FaceSetPath = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm", help="Run what is to be confirmed, with fresh seeds, on test faces: once."
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for networks and caches. Default: experiments in build/."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            help="Log of all runs. Default: the course's in a checkout, else one in the folder."
        ),
    ] = None,
) -> None:
    """Run an experiment on a face set, or a short one on the embedded faces. The same command
    resumes it where it stopped."""
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
    root, checkout = folder or build_folder("experiments"), recipes.checkout()
    if log is None and checkout is None:  # an installed package may be read-only, or shared
        log = root / f"{faces.name}.jsonl"
    kept = logs.Log(log) if log else logs.stored(faces.name)
    print(f"{chosen.question} Contrast: {' against '.join(chosen.contrast)}")
    for run in runner.run(chosen, faces, root, kept, confirm=confirm):
        print(f"{run['arm']}, seed {run['seed']}: {run['nme']:.2%}, {run['seconds']:.0f} s")
    outcome = results.Results(chosen, kept, "test" if confirm else "validation")
    print(f"{outcome.shown().to_string()}\n{results.verdict(chosen, kept)}\n{kept.path}")
    record.record_experiments(kept, None if log else checkout)


def peers(
    folder: Annotated[
        Path, typer.Option("--dir", help="The data set, unpacked: YouTube Faces or 300W.")
    ],
    of: Annotated[
        str, typer.Option(help="Which it is: youtube-faces, or 300w without its part ibug.")
    ] = "youtube-faces",
    network: Annotated[
        Path | None,
        typer.Option(help="A network's file. Default: the students that ship for photographs."),
    ] = None,
    npm: Annotated[
        Path | None, typer.Option(help="Folder for face-api's packages. Default: npm in build/.")
    ] = None,
    out: OutFile = None,
) -> None:
    """Compare with dlib and face-api on the same photographs (extra "peers"; node for face-api)."""
    from kdnotes.evaluation import report
    from kdnotes.research import peers as comparison

    results = comparison.run(folder, network, npm or build_folder("npm"), of)
    print(comparison.table(results).to_string())
    print(
        f"\n{results['test_faces']} test faces; errors in % of the inter-ocular distance; one "
        f"thread of {results['hardware']['device']}, ours in {results['ours_runs_in']}"
    )
    for reason in results["missing"]:
        print(f"left out: {reason}")
    print(report.write(results, out or build_folder(f"peers-{of}.json")))


def long_run(
    name: Annotated[str, typer.Argument(help="tough, tolerant, student-plain or student-kd.")],
    data: FaceSetPath = None,
    ship: Annotated[
        bool,
        typer.Option(
            "--ship",
            help="Measure the network, also on test faces, and add it to the zoo of this checkout.",
        ),
    ] = False,
) -> None:
    """Train a network that ships with the course, and the networks it needs. Takes hours on a
    CPU."""
    from kdnotes.course import recipes
    from kdnotes.research import long_run as training

    course = recipes.open_course("quick", data)
    _, log = training.train(course, name)
    print_trained(course, training.folder_of(course, name), log)
    if ship:
        print(training.ship(course, name))


@study_app.command("domain-gap")
def domain_gap(photos: Photographs, profile: str = "quick", seeds: Seeds = 2) -> None:
    """What in a rendered face makes a network fit for photographs? (Appendix on data sets.)"""
    from kdnotes.data.faceset import FaceSet
    from kdnotes.research import domain_gap as study

    folder = build_folder("domain-gap", profile)
    results = study.run(FaceSet.open(photos), folder, profile, range(seeds))
    print(f"mean shape of the photographs: {results['mean_shape']:.2%}")
    _store(results, "domain-gap")


@study_app.command("teacher-search")
def teacher_search(data: Photographs) -> None:
    """What does it take to train a teacher worth having? (Notebook 02.)"""
    from kdnotes.course import recipes
    from kdnotes.research import teacher_search as study

    course = recipes.open_course("quick", data)
    results = study.run(course, course.folder / "teacher-search")
    _store(results, f"teacher-search-{course.faces.name}")


@study_app.command("view-count")
def view_count(profile: ProfileName = None, data: FaceSetPath = None, seeds: Seeds = 2) -> None:
    """For how many views should the teachers' answers be stored? (The appendix on training.)"""
    from kdnotes.course import recipes
    from kdnotes.research import view_count as study

    course = recipes.open_course(profile, data)
    _store(study.run(course, range(seeds)), f"view-count-{course.faces.name}")


@study_app.command("learning")
def learning(profile: ProfileName = None, data: FaceSetPath = None) -> None:
    """How do four networks learn one face, epoch by epoch? (The live figure of notebook 04.)"""
    from kdnotes.course import recipes
    from kdnotes.research import learning as study

    course, checkout = recipes.open_course(profile, data), recipes.checkout()
    results = study.run(course)
    _store(results, f"learning-{course.faces.name}")
    if checkout:
        study.film(results, checkout / "notebooks" / "figures" / "learning.gif")


@study_app.command("few-labels")
def few_labels(
    table: Annotated[
        Path | None,
        typer.Option(help="CSV of your own pictures, all labelled, with a column split."),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of these pictures.")] = None,
    scheme: Annotated[Path | None, typer.Option(help="Their scheme.")] = None,
    out: OutFile = None,
) -> None:
    """How many pictures do you need to label? Without a table: rendered leaves."""
    from kdnotes.evaluation import report
    from kdnotes.own import example
    from kdnotes.own.steps import Plan
    from kdnotes.research import few_labels as study

    given = [option is not None for option in (table, images, scheme)]
    if any(given) and not all(given):
        raise ValueError("pictures of your own need all of --table, --images and --scheme")
    folder = build_folder("few-labels", table.stem if table else "leaves")
    if table:
        pictures, plan = study.labelled(table, images, scheme, folder), Plan()
    else:
        pictures, plan = study.rendered(folder), example.STUDY
    kept = build_folder(f"{pictures.name}.json") if table else report.stored(pictures.name)
    runs = study.Study(pictures, plan, folder, out or kept)
    for n, seed in study.ORDER:
        runs.run(n, seed)
    print(study.table(runs.results()).to_string(float_format="{:.2%}".format))
    print(*study.verdicts(runs.results()), runs.file, sep="\n")


@study_app.command("on-device")
def on_device(
    data: Annotated[Path, typer.Option(help="A face set that networks ship for.")],
) -> None:
    """What do 16 and 8 bits cost, and what do they gain? (Notebook 07.)"""
    extras.require("onnx", "onnxruntime", "onnxscript")
    from kdnotes.course import recipes
    from kdnotes.data.faceset import FaceSet
    from kdnotes.evaluation import report
    from kdnotes.research import on_device as study

    faces = FaceSet.open(data)
    results, name = study.run(faces), f"on-device-{faces.name}"
    for network in results["networks"]:
        print(f"{network}\n{study.table(results, network).to_string()}")
    _store(results, name)
    checkout = recipes.checkout()
    if checkout:
        report.insert_into(report.results_page(checkout), name, study.section(results))


def _store(results, name):
    """Writes the results of a study where the course reads them, and prints the path."""
    from kdnotes.evaluation import report

    print(report.write(results, report.stored(name)))
