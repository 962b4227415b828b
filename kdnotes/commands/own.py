"""`python -m kdnotes own …`: from a few labelled pictures to a network of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import DataName, quoted
from kdnotes.models import zoo

own_app = typer.Typer(
    help="Your own landmarks: label a few pictures, teach, let the teacher label the rest, distil.",
    no_args_is_help=True,
)

Pictures = Annotated[Path, typer.Argument(help="The folder of your pictures.")]
Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of scheme, labels and networks. Default: PICTURES-landmarks."),
]


def _again(command, pictures, folder):
    """A command for the same project, as it can be copied."""
    more = f" --folder {quoted(folder)}" if folder else ""
    return f"python -m kdnotes own {command} {quoted(pictures)}{more}"


Steps = Annotated[
    int | None, typer.Option(min=1, help="Length of the training. Default: minutes on two cores.")
]


@own_app.command("label")
def label(
    pictures: Pictures,
    folder: Folder = None,
    scheme: Annotated[
        Path | None, typer.Option(help="A scheme to begin with. Default: make one by clicking.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Open a page to place landmarks on your pictures. Each one is saved at once. Once there is a
    teacher, it guesses the landmarks; after propose, the pictures that it is unsure of come first.
    """
    import webbrowser

    from kdnotes.data import schemes
    from kdnotes.own import steps
    from kdnotes.own.serve import Server
    from kdnotes.system.files import write_json

    project = steps.Project.of(pictures, folder)
    if scheme and project.scheme_file.exists():
        raise ValueError(f"{project.scheme_file} is there already; delete it to take another")
    if scheme:
        write_json(project.scheme_file, schemes.to_json(schemes.get_named(str(scheme))))
    with Server(project, port) as server:
        print(f"{server.address} · Ctrl+C ends it · labels: {project.folder / 'labels.csv'}")
        if not project.network("teacher").exists():
            print("Ten pictures that differ are a good start. Then end this, and go on with teach.")
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    if project.scheme_file.exists():
        n = len(project.labels().complete())
        print(f"{n} pictures are labelled. Next: {_again('teach', pictures, folder)}")


@own_app.command("page")
def page(
    pictures: Pictures,
    out: Annotated[Path, typer.Option(help="The HTML file.")],
    folder: Folder = None,
) -> None:
    """Write a page for somebody else who labels: one file, nothing to install. The labels come back
    as a CSV file."""
    from kdnotes.own import pages, steps
    from kdnotes.system.files import new_file

    project = steps.Project.of(pictures, folder)
    text = pages.labelling_page(project.scheme(), f"Label: {project.images.name}")
    with new_file(out) as part:
        part.write_text(text, encoding="utf-8")
    print(f"{out}: the labels come back by `{_again('add', pictures, folder)} labels.csv`")


@own_app.command("add")
def add(
    pictures: Pictures,
    table: Annotated[Path, typer.Argument(help="The CSV file that the page gave.")],
    folder: Folder = None,
) -> None:
    """Take in the labels of somebody else. A picture that is labelled already keeps its label."""
    from kdnotes.own import steps

    project = steps.Project.of(pictures, folder)
    added, kept = steps.add(project, table)
    print(f"{added} pictures added, {kept} kept as they were: {project.folder / 'labels.csv'}")


@own_app.command("teach")
def teach(
    pictures: Pictures,
    folder: Folder = None,
    length: Steps = None,
    start: Annotated[
        str,
        typer.Option(
            help="Network whose features the teacher begins with: one that ships, such as tough "
            "for pictures of faces, or a file."
        ),
    ] = "",
    data: DataName = zoo.PHOTOGRAPHS,
) -> None:
    """Train the teacher on the pictures whose landmarks are all placed."""
    from kdnotes import models
    from kdnotes.own import steps

    project = steps.Project.of(pictures, folder)
    chosen = {"start": start, "start_data": data}
    if start:
        chosen["teacher"] = models.load(zoo.find(start, data)).config.name
    plan = steps.Plan(**chosen | ({"teacher_steps": length} if length else {}))
    _say_error(project)
    steps.teach(project, plan)
    print(f"{project.network('teacher')}\nNext: {_again('propose', pictures, folder)}")


def _say_error(project):
    """Says how far the proposals were from what has been placed since."""
    from kdnotes.own import steps

    error, n = steps.checked(project)
    if n:
        distance = project.scheme().distance
        print(
            f"The proposals were off by {error:.1%} of {distance} on the {n} pictures done since."
        )


@own_app.command("propose")
def propose(pictures: Pictures, folder: Folder = None) -> None:
    """Let the teacher place the landmarks of all other pictures."""
    from kdnotes.own import steps

    project = steps.Project.of(pictures, folder)
    seen = steps.propose(project, project.teacher())
    unsure = sorted(seen, key=lambda file: -seen[file].spread.mean())[:5]
    print(f"{project.folder / 'proposals.csv'}: {len(seen)} pictures")
    if unsure:
        print(
            "least sure, looks apart by this share of the landmarks' size: "
            + ", ".join(f"{f} ({seen[f].spread.mean():.1%})" for f in unsure)
        )
    print(
        f"Correct the worst: {_again('label', pictures, folder)}\n"
        "Reload a page that is open. Many bad ones? Then teach again.\n"
        f"Next: {_again('distil', pictures, folder)}"
    )


@own_app.command("distil")
def distil(pictures: Pictures, folder: Folder = None, length: Steps = None) -> None:
    """Train the small student on your labels and on the teacher's proposals."""
    from kdnotes.own import steps

    project = steps.Project.of(pictures, folder)
    plan = steps.Plan(**({"student_steps": length} if length else {}))
    if steps.outdated(project):
        print(
            f"The proposals are of an earlier teacher; renew: {_again('propose', pictures, folder)}"
        )
    _say_error(project)
    steps.distil(project, plan=plan)
    student = project.network("student")
    print(
        f"{student}\n"
        f"Try it: python -m kdnotes predict PHOTO --network {quoted(student)} --out FOLDER\n"
        f"With a camera: python -m kdnotes web --network {quoted(student)}"
    )
