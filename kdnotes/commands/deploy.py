"""Commands that bring a network to where it is used: a photo, a file, a page."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.system import extras

#: Faces that int8 is fitted to.
CALIBRATED = 128

DataName = Annotated[str, typer.Option("--data", help="What a network that ships was trained on.")]


def predict(
    photos: Annotated[list[Path], typer.Argument(help="Picture files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for JSON and drawn pictures.")],
    network: Annotated[
        Path | None,
        typer.Option(help="A network's file (safetensors or ONNX), else the student that ships."),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            help="Where the face is, X,Y,WIDTH,HEIGHT in pixels (brows to chin, ear to ear); may "
            "be repeated. Else faces are looked for."
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Each picture is one face's crop already.")
    ] = False,
) -> None:
    """Find the landmarks of faces; coordinates are pixels of the upright picture.

    The largest face comes first, or those of the boxes in their order. Exit code 1 says that a
    photo could not be used or shows no face; the others are done all the same.
    """
    from kdnotes.deploy import photos as pictures
    from kdnotes.deploy import predict as prediction

    boxes = [_box(text) for text in box or ()]
    if boxes and whole:
        raise ValueError("--whole says that the picture is the crop; --box says where it is")
    net, all_well = prediction.load(network), True
    for well, line in prediction.predict_files(
        pictures.listed(photos), net, out, boxes, whole=whole
    ):
        print(line)
        all_well &= well
    raise typer.Exit(0 if all_well else 1)


def _box(text):
    """The four numbers of `--box`."""
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"--box is X,Y,WIDTH,HEIGHT in pixels, such as 40,60,120,130; found {text!r}"
        ) from None
    return x, y, width, height


def export(
    network: Annotated[
        str, typer.Argument(help="Name of a network that ships, a network's file, or its folder.")
    ],
    to: Annotated[Path, typer.Option(help="The ONNX file.")],
    data: DataName = "youtube-faces",
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8.")] = "fp32",
    faces: Annotated[
        Path | None,
        typer.Option(help="A face set whose training faces int8 is fitted to, else rendered ones."),
    ] = None,
) -> None:
    """Write a network to one ONNX file, with its preprocessing inside."""
    extras.require("onnx", "onnxruntime", "onnxscript")
    import numpy as np

    from kdnotes import models
    from kdnotes.data.faceset import FaceSet
    from kdnotes.deploy import export as exporter
    from kdnotes.deploy.crops import plain_crops, rendered_crops
    from kdnotes.models import zoo

    if (network, data) in zoo.names():
        net = zoo.load(network, data)
    else:
        path = Path(network)
        if not path.exists():
            names = ", ".join(f"{name} --data {of}" for name, of in zoo.names())
            raise ValueError(
                f"no network {network!r}: no such file, and those that ship are {names}"
            )
        net = models.load(path / "network.safetensors" if path.is_dir() else path)
    shown = None
    if faces:
        train = FaceSet.open(faces).split("train")
        chosen = np.linspace(0, len(train) - 1, min(CALIBRATED, len(train))).astype(int)
        shown = plain_crops(train.select(chosen), net.config)
    elif precision == "int8":
        shown = rendered_crops(CALIBRATED, net.config)
    path = exporter.export(net, to, precision, shown)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {precision}, crops of {net.config.size} px")


def web(
    out: Annotated[Path | None, typer.Option(help="Folder, else web under build/.")] = None,
    data: DataName = "youtube-faces",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it when built.")] = True,
    host: Annotated[
        str, typer.Option(help="0.0.0.0 is open to your network: for a phone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    cert: Annotated[
        Path | None, typer.Option(help="PEM file with certificate and key: serve over https.")
    ] = None,
) -> None:
    """Build the live page, a student that follows your face in the browser, and serve it."""
    extras.require("onnxruntime")
    from kdnotes.course import recipes
    from kdnotes.deploy import serve as static
    from kdnotes.deploy import site

    folder = out or recipes.build_folder() / "web"
    for note in site.build(folder, data, cache=recipes.build_folder() / "web-parts"):
        print(f"note: {note}")
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {megabytes:.0f} MB, a static site for any server or subfolder")
    if serve:
        with static.server(folder, host, port, cert) as running:
            shown = "localhost" if host == "127.0.0.1" else host
            scheme = "https" if cert else "http"
            print(f"{scheme}://{shown}:{running.server_port}/ · Ctrl+C ends it", flush=True)
            try:
                running.serve_forever()
            except KeyboardInterrupt:
                print()
