"""`python -m kdnotes data …`: from data sets to face sets."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import print_notes

data_app = typer.Typer(help="Turn data sets into face sets.", no_args_is_help=True)


@data_app.command("prepare")
def prepare(
    name: Annotated[
        str,
        typer.Argument(help="300w, cofw, wflw, youtube-faces, synthetic, or csv for your own."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the new face set.")],
    archive: Annotated[
        list[Path] | None,
        typer.Option(help="A file of the data set that you already have; may be repeated."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Folder of the unpacked files, if you have them.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="csv: your CSV file, or a JSON file with COCO keypoints. Points are in pixels of "
            "the upright picture, counted from the centre of the first one; see --pixels."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="csv: folder of the pictures. Default: that of the table."),
    ] = None,
    pixels: Annotated[
        str,
        typer.Option(
            help="csv: whether points refer to pictures turned upright by their EXIF orientation, "
            "as labelling tools and browsers show them (upright), or to pictures as they are "
            "stored (stored)."
        ),
    ] = "upright",
    category: Annotated[
        str | None, typer.Option(help="csv: the category of the faces in a JSON file.")
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="Landmark scheme. synthetic: 29, 68 (default) or 98 points. csv: a number of "
            "points, or a JSON file with your own scheme; default: as many as the table has."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="300w: a part to leave out, such as ibug or helen/trainset; may be repeated."
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=16, help="Side of a stored crop in pixels.")] = 176,
    margin: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            help="Side of a stored crop, as a multiple of the box. Default: 2.2, for whole "
            "pictures 1.4.",
        ),
    ] = None,
    box: Annotated[
        str,
        typer.Option(
            help="What to crop around: the box of the landmarks, or of the dataset; or the whole "
            "picture, where no detector can find the object."
        ),
    ] = "landmarks",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Number of faces read in parallel. Default: one per core."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Largest number of faces. synthetic: how many to render."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="synthetic: seed of the rendered faces.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an existing face set.")
    ] = False,
) -> None:
    """Turn a data set into a face set. An interrupted command resumes where it stopped."""
    from kdnotes.data import prepare as preparation
    from kdnotes.data import schemes

    storage = {"size": size, "workers": workers, "replace": replace}
    cropping = {"margin": margin, "box": box, "limit": limit}
    if name == "synthetic":
        n_points = schemes.get_named(scheme or "68").n_points
        preparation.prepare_synthetic(out, limit or 2000, scheme=n_points, seed=seed, **storage)
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
            **cropping,
            **storage,
        )
    else:
        preparation.prepare_public(
            name,
            out,
            archive=archive or (),
            folder=folder,
            without=without or (),
            **cropping,
            **storage,
        )


@data_app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A face set.")],
    out: Annotated[
        Path | None, typer.Option(help="File of the contact sheet. Default: PATH with .png added.")
    ] = None,
) -> None:
    """Show counts per split and subset and warnings, and draw a contact sheet with landmarks."""
    from kdnotes.data.faceset import FaceSet
    from kdnotes.data.prepare import summary
    from kdnotes.publish import audit
    from kdnotes.system.files import new_file

    faces = FaceSet.open(path)
    print(summary(faces))
    for key in ("source", "labels", "split_rule", "skipped"):
        print(f"{key.replace('_', ' ')}: {faces.meta.get(key) or 'nothing'}")
    print_notes(faces.meta.get("notes", ()))
    for sentence in audit.warnings(faces):
        print(f"warning: {sentence}")
    sheet = out or path.absolute().with_name(f"{path.absolute().name}.png")
    try:
        with new_file(sheet) as part:
            audit.contact_sheet(faces).savefig(part, format="png", dpi=110)
    except OSError as error:
        raise OSError(f"{error}; name a file for the contact sheet with --out") from error
    print(f"contact sheet: {sheet}")
