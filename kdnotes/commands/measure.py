"""Commands that measure networks, and the speed of this machine."""

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, OutFile, ProfileName, build_folder


def evaluate(
    network: Annotated[
        list[str] | None,
        typer.Option(
            help="A network's file, NAME=FILE to give it a name, or a network that ships; may be "
            "repeated. Default: the course's four networks."
        ),
    ] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test", help="Also measure on test faces. Do so once, when nothing is left to choose."
        ),
    ] = False,
    report_folder: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for a page with figures: HTML, PNG and JSON."),
    ] = None,
    profile: ProfileName = None,
    data: FaceSetPath = None,
) -> None:
    """Measure networks on validation faces."""
    from kdnotes.course import recipes
    from kdnotes.evaluation import page, report

    course = recipes.open_course(profile, data)
    splits = report.SPLITS if test else report.SPLITS[:1]
    if network:
        networks = dict(_named_network(text, course.faces) for text in network)
        for split in splits:
            _print_scores(networks, course.split(split), split)
    else:
        results = report.build(course, splits)
        path = report.write(results, course.folder / ("report.json" if test else "validation.json"))
        print(f"{report.table(results).to_string()}\n\n{report.caption(results)}\n{path}")
        networks = {report.SHORT[name]: net for name, net in report.networks(course).items()}
        networks = {"student": networks.pop("student")} | networks
    if report_folder is not None:
        built = page.build(networks, course.split(splits[-1]), splits[-1])
        print(page.write(built, report_folder))


def _print_scores(networks, faces, split):
    """Prints a line of scores for each of the named networks."""
    from kdnotes.evaluation import report
    from kdnotes.models import inference

    for name, net in networks.items():
        scores = report.score(inference.predict(net, faces), faces)
        n = scores.pop("n")
        numbers = ", ".join(
            f"{key} –" if isnan(value) else f"{key} {value:.4f}" for key, value in scores.items()
        )
        print(f"{name}, {n} {split} faces, fractions of the {faces.scheme.distance}: {numbers}")


def _named_network(text, faces):
    """A name and its network, from `FILE`, `NAME=FILE` or the name of a network that ships.

    If no such network was trained on these faces, it is the one that was trained on photographs.
    """
    from kdnotes import models
    from kdnotes.models import zoo

    name, equals, file = text.rpartition("=")
    if not equals and (text, zoo.PHOTOGRAPHS) in zoo.names():
        net = zoo.shipped(faces).get(text) or zoo.load(text, zoo.PHOTOGRAPHS)
        return zoo.SHORT.get(text, text), net
    return name or Path(file).parent.name or file, models.load(Path(file))


def bench(
    profile: ProfileName = None,
    batch: Annotated[
        int | None, typer.Option(min=2, help="Faces per step. Default: the profile's.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Number of rounds.")] = 7,
    compile: Annotated[bool, typer.Option("--compile", help="Time torch.compile, too.")] = False,
    out: OutFile = None,
) -> None:
    """Time data, teachers, the training step and each of its switches on this machine."""
    from kdnotes.course import profiles
    from kdnotes.research import bench as benchmark
    from kdnotes.system.files import write_json

    chosen = profiles.get(profile) if profile else profiles.current()
    result = benchmark.run(chosen, batch=batch, repeats=repeats, compiled=compile)
    path = write_json(out or build_folder(f"bench-{chosen.name}.json"), result.json())
    print(f"{result.text()}\n\n{path}")
