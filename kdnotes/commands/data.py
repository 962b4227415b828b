"""`python -m kdnotes data …`: from data sets to face sets."""

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(help="Turn data sets into face sets.", no_args_is_help=True)


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
        Path | None,
        typer.Option(
            help="csv: your CSV file, or COCO keypoints (JSON). Points are pixels of the upright "
            "picture, counted from the middle of its first one; see --pixels."
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="csv: folder of the pictures; else that of the table.")
    ] = None,
    pixels: Annotated[
        str,
        typer.Option(
            help="csv: points are those of pictures turned upright by their EXIF orientation, as "
            "labelling tools and browsers show them (upright), or of pictures as stored (stored)."
        ),
    ] = "upright",
    category: Annotated[
        str | None, typer.Option(help="csv: name of the faces' category in a JSON file.")
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="Points: synthetic 29, 68 (default) or 98; csv else as many as the table has, or "
            "a JSON file with a scheme of your own."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="300w: a part to leave out, such as ibug or helen/trainset; may be repeated."
        ),
    ] = None,
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
    from kdnotes.data import prepare as preparation
    from kdnotes.data import schemes

    common = {"size": size, "workers": workers, "replace": replace}
    cut = {"margin": margin, "box": box, "limit": limit}
    if name == "synthetic":
        n_points = schemes.get_named(scheme or "68").n_points
        preparation.prepare_synthetic(out, limit or 2000, scheme=n_points, seed=seed, **common)
    elif name == "csv":
        if table is None:
            raise ValueError("csv needs --table: your CSV file, or COCO keypoints in a JSON file")
        preparation.prepare_own(
            table,
            out,
            images=images,
            scheme=schemes.get_named(scheme) if scheme else None,
            pixels=pixels,
            category=category,
            **cut,
            **common,
        )
    else:
        preparation.prepare_public(
            name,
            out,
            archive=archive or (),
            folder=folder,
            without=without or (),
            **cut,
            **common,
        )


@data_app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A face set.")],
    out: Annotated[
        Path | None, typer.Option(help="The contact sheet; else PATH with .png added.")
    ] = None,
) -> None:
    """Counts per split and subset, warnings, and a contact sheet with landmarks."""
    from kdnotes.data.faceset import FaceSet
    from kdnotes.data.prepare import summary
    from kdnotes.publish import audit
    from kdnotes.system.files import new_file

    faces = FaceSet.open(path)
    print(summary(faces))
    for key in ("source", "labels", "split_rule", "skipped"):
        print(f"{key.replace('_', ' ')}: {faces.meta.get(key) or 'nothing'}")
    for note in faces.meta.get("notes", ()):
        print(f"note: {note}")
    for sentence in audit.warnings(faces):
        print(f"warning: {sentence}")
    sheet = out or path.absolute().with_name(f"{path.absolute().name}.png")
    try:
        with new_file(sheet) as part:
            audit.contact_sheet(faces).savefig(part, format="png", dpi=110)
    except OSError as error:
        raise OSError(f"{error}; name a file for the contact sheet with --out") from error
    print(f"contact sheet: {sheet}")
