"""Commands that measure: networks, the benchmark, the peers, the experiments."""

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from kdnotes.cli_options import FaceSetPath, ProfileName


def evaluate(
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="A network's file, or the name of one that ships; may be repeated, and NAME=FILE "
            "names it. Else the course's four networks."
        ),
    ] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test", help="Read the test faces, too: once, when nothing is left to choose."
        ),
    ] = False,
    report_folder: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for one page with figures: HTML, PNG and JSON."),
    ] = None,
    profile: ProfileName = None,
    data: FaceSetPath = None,
) -> None:
    """Measure networks on validation faces."""
    from kdnotes import inference, recipes
    from kdnotes.evaluation import page, report

    opened = recipes.open_course(profile, data)
    splits = report.SPLITS if test else report.SPLITS[:1]
    if network:
        nets = dict(_named_network(text, opened.faces) for text in network)
        for split in splits:
            faces = opened.split(split)
            for name, net in nets.items():
                scores = report.score(inference.predict(net, faces), faces)
                n = scores.pop("n")
                numbers = ", ".join(
                    f"{key} –" if isnan(value) else f"{key} {value:.4f}"
                    for key, value in scores.items()
                )
                print(
                    f"{name}, {n} {split} faces, fractions of the {faces.scheme.distance}: "
                    f"{numbers}"
                )
    else:
        results = report.build(opened, splits)
        file = "report.json" if test else "validation.json"
        path = report.write(results, opened.folder / file)
        print(f"{report.table(results).to_string()}\n\n{report.caption(results)}\n{path}")
        nets = {report.SHORT[name]: net for name, net in report.networks(opened).items()}
        nets = {"student": nets.pop("student")} | nets
    if report_folder is not None:
        print(page.write(page.build(nets, opened.split(splits[-1]), splits[-1]), report_folder))


def _named_network(text, faces):
    """`FILE`, `NAME=FILE` or the name of a network that ships, as (name, network). For faces with
    which none was trained it is the one that was trained on photographs."""
    from kdnotes import models, zoo

    name, equals, file = text.rpartition("=")
    if not equals and (text, zoo.PHOTOGRAPHS) in zoo.names():
        net = zoo.shipped(faces).get(text) or zoo.load(text, zoo.PHOTOGRAPHS)
        return zoo.SHORT.get(text, text), net
    return name or Path(file).parent.name or file, models.load(Path(file))


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
    from kdnotes import profiles, recipes
    from kdnotes.evaluation import bench as benchmark
    from kdnotes.files import write_json

    chosen = profiles.get(profile) if profile else profiles.current()
    result = benchmark.run(chosen, batch=batch, repeats=repeats, compiled=compile)
    path = out or recipes.build_folder() / f"bench-{chosen.name}.json"
    write_json(path, result.json())
    print(f"{result.text()}\n\n{path}")


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
    from kdnotes import recipes
    from kdnotes.evaluation import peers as comparison
    from kdnotes.evaluation import report

    found = comparison.run(folder, network, npm or recipes.build_folder() / "npm")
    print(comparison.table(found).to_string())
    print(
        f"\n{found['test_faces']} test faces; errors in % of the inter-ocular distance; one thread "
        f"of {found['hardware']['device']}, ours in {found['ours_runs_in']}"
    )
    for reason in found["missing"]:
        print(f"left out: {reason}")
    print(report.write(found, out or recipes.build_folder() / "peers.json"))


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
    from kdnotes import recipes, record
    from kdnotes.evaluation import experiments
    from kdnotes.evaluation.experiments import log as logs
    from kdnotes.evaluation.experiments import results, runner
    from kdnotes.faceset import FaceSet

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
