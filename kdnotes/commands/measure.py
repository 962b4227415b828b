"""Commands that measure networks, and the speed of this machine."""

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, ProfileName


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
    from kdnotes.course import recipes
    from kdnotes.evaluation import page, report
    from kdnotes.models import inference

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
        int | None, typer.Option(min=2, help="Faces per step, else the profile's.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds.")] = 7,
    compile: Annotated[bool, typer.Option("--compile", help="Time torch.compile too.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="JSON file, else bench-PROFILE.json under build/.")
    ] = None,
) -> None:
    """Time data, teachers, the training step and each of its switches, on this machine."""
    from kdnotes.course import profiles, recipes
    from kdnotes.research import bench as benchmark
    from kdnotes.system.files import write_json

    chosen = profiles.get(profile) if profile else profiles.current()
    result = benchmark.run(chosen, batch=batch, repeats=repeats, compiled=compile)
    path = out or recipes.build_folder() / f"bench-{chosen.name}.json"
    write_json(path, result.json())
    print(f"{result.text()}\n\n{path}")
