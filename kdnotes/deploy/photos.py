"""The photos of a folder, and landmarks drawn into a picture."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from kdnotes.data.pictures import find_fault
from kdnotes.data.schemes import Scheme, get
from kdnotes.system.wording import several

#: The student's colour, see `kdnotes.plots.style`.
GREEN = "#009E73"

#: Endings of the files in a folder that are taken for photos whatever they hold.
ENDINGS = {".heic", ".heif", ".avif"} | set(Image.registered_extensions()) - {
    ".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".h5", ".hdf",
}  # fmt: skip
#: What systems leave in folders; as little worth a word as hidden files.
LEFT_BEHIND = ("thumbs.db", "desktop.ini")


def drawn(image: np.ndarray, faces: Sequence[np.ndarray], scheme: Scheme | int = 68) -> Image.Image:
    """The picture with the landmarks `(L, 2)` of each face, in its pixels, as dots and lines."""
    least = 400  # small pictures are enlarged, so that dots do not hide the face
    factor = max(1, -(-least // max(image.shape[:2])))
    height, width = image.shape[:2]
    picture = Image.fromarray(image).resize((width * factor, height * factor))
    draw, edges = ImageDraw.Draw(picture), get(scheme).edges
    for points in faces:
        points = (np.asarray(points) + 0.5) * factor
        dot = max(1.0, np.ptp(points, axis=0).max() / 75)
        ends = [tuple(point) for point in points.tolist()]
        for first, last in edges:
            draw.line([ends[first], ends[last]], fill=GREEN, width=max(1, round(dot / 2)))
        for x, y in ends:
            draw.ellipse([x - dot, y - dot, x + dot, y + dot], fill=GREEN, outline="white")
    return picture


def listed(paths: Iterable[str | Path]) -> list[Path]:
    """The files of `paths`; of a folder the pictures in it, in order of their names.

    In a folder a file is a picture by its content or its name. Hidden files are passed over in
    silence, others with a word on stderr.

    Raises:
        ValueError: A folder without a picture.
    """
    photos = []
    for path in map(Path, paths):
        if not path.is_dir():
            photos.append(path)
            continue
        files = sorted(file for file in path.iterdir() if file.is_file() and not _hidden(file))
        faults = {file: find_fault(file) for file in files if file.suffix.lower() not in ENDINGS}
        others = [f"{file.name} {fault}" for file, fault in faults.items() if fault]
        if others:
            print(f"no pictures in {path}, passed over: {several(others)}", file=sys.stderr)
        inside = [file for file in files if not faults.get(file)]
        if not inside:
            raise ValueError(f"no picture in the folder {path}")
        photos += inside
    return photos


def _hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.name.lower() in LEFT_BEHIND
