"""Commands that put a network to use: on a photograph, in a file, on a page."""

from pathlib import Path
from typing import Annotated

import typer

from kdnotes.commands.options import DataName, OutFolder, build_folder, print_notes, quoted
from kdnotes.system import extras

#: Number of faces on which int8 measures its ranges.
CALIBRATED = 128


def predict(
    photos: Annotated[list[Path], typer.Argument(help="Picture files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for JSON and drawn pictures.")],
    network: Annotated[
        str,
        typer.Option(
            help="The name of a network that ships, such as tough, the teacher; or a network's "
            "file, safetensors or ONNX."
        ),
    ] = "student-kd",
    data: DataName = "youtube-faces",
    box: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a face is: X,Y,WIDTH,HEIGHT in pixels, from the brows to the chin and from "
            "ear to ear; may be repeated. For other things, where the thing is. Default: faces are "
            "detected."
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Each picture already is the crop of one face.")
    ] = False,
) -> None:
    """Find landmarks: of faces, or of what a network of your own knows. Coordinates are pixels of
    the upright picture.

    The largest face comes first, or the faces have the order of their boxes. A network made by
    `own` looks at the whole picture. Exit code 1 means
    that a photo could not be used or shows no face; the others are processed all the same.
    """
    from kdnotes.deploy import photos as pictures
    from kdnotes.deploy import predict as prediction

    boxes = [_box(text) for text in box or ()]
    if boxes and whole:
        raise ValueError("--whole says that the picture is the crop; --box says where it is")
    net, failed = prediction.load(network, data), False
    if about := prediction.about(net):
        print(about)
    files = pictures.listed(photos)
    for success, line in prediction.predict_files(files, net, out, boxes, whole=whole):
        print(line)
        failed = failed or not success
    raise typer.Exit(failed)


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
        str,
        typer.Argument(help="The name of a network that ships, a network's file, or its folder."),
    ],
    to: Annotated[Path, typer.Option(help="The ONNX file.")],
    data: DataName = "youtube-faces",
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8.")] = "fp32",
    faces: Annotated[
        Path | None,
        typer.Option(
            help="A face set; int8 measures its ranges on the training faces. Default: rendered "
            "faces."
        ),
    ] = None,
) -> None:
    """Write a network to one ONNX file that includes its preprocessing."""
    extras.require("onnx", "onnxruntime", "onnxscript")
    import numpy as np

    from kdnotes import models
    from kdnotes.data.faceset import FaceSet
    from kdnotes.deploy import export as exporter
    from kdnotes.deploy.crops import plain_crops, rendered_crops
    from kdnotes.models import zoo

    net, crops = models.load(zoo.find(network, data)), None
    if faces:
        train = FaceSet.open(faces).split("train")
        chosen = np.linspace(0, len(train) - 1, min(CALIBRATED, len(train))).astype(int)
        crops = plain_crops(train.select(chosen), net.config)
    elif precision == "int8":
        crops = rendered_crops(CALIBRATED, net.config)
    path = exporter.export(net, to, precision, crops)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {precision}, crops of {net.config.size} px")


def web(
    out: OutFolder = None,
    data: DataName = "youtube-faces",
    network: Annotated[
        Path | None,
        typer.Option(help="A network of your own, its weights or an ONNX file of `export`."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the page once it is built.")
    ] = True,
    host: Annotated[
        str,
        typer.Option(help="Address to serve on. 0.0.0.0 opens it to your network, as for a phone."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8000,
    cert: Annotated[
        Path | None,
        typer.Option(help="PEM file with a certificate and its key, to serve over https."),
    ] = None,
) -> None:
    """Build the live page and serve it: a student follows your face in the browser, or your own
    network finds its landmarks."""
    extras.require("onnxruntime")
    if network and network.suffix.lower() != ".onnx":
        extras.require("onnx", "onnxscript")
    from kdnotes.deploy import serve as static
    from kdnotes.deploy import site

    folder = out or build_folder("web")
    print_notes(site.build(folder, data, network, cache=build_folder("web-parts")))
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
    else:
        print(f"To look at it: python -m http.server --directory {quoted(folder)}")
