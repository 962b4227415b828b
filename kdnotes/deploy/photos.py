"""The photographs of a folder, and landmarks drawn into a picture."""

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

#: Files in a folder with these suffixes are taken for photographs, whatever they contain.
ENDINGS = {".heic", ".heif", ".avif"} | set(Image.registered_extensions()) - {
    ".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".h5", ".hdf",
}  # fmt: skip
#: Files that operating systems leave in folders. Like hidden files they are skipped silently.
LEFT_BEHIND = ("thumbs.db", "desktop.ini")

#: Pictures whose longer side has fewer pixels are enlarged, so that dots do not hide the face.
LEAST_SIDE = 400


def drawn(image: np.ndarray, faces: Sequence[np.ndarray], scheme: Scheme | int = 68) -> Image.Image:
    """Draws landmarks into a picture, as dots joined by lines.

    Args:
        image: `(H, W, 3)` uint8.
        faces: Landmarks `(L, 2)` of each face in pixels of the picture.
        scheme: The scheme of the landmarks, which says what the lines join.

    Returns:
        A new picture. A small one is enlarged by a whole number.
    """
    height, width = image.shape[:2]
    factor = max(1, -(-LEAST_SIDE // max(height, width)))
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
    """Lists picture files, with each folder replaced by the pictures in it.

    In a folder, a file counts as a picture by its content or by its suffix. Hidden files are
    skipped silently, others with a message on stderr.

    Args:
        paths: Files, which are taken as they are, and folders.

    Returns:
        The files in the order of `paths`. Those of a folder are sorted by name.

    Raises:
        ValueError: A folder contains no picture.
    """
    photos = []
    for path in map(Path, paths):
        photos += _pictures_in(path) if path.is_dir() else [path]
    return photos


def _pictures_in(folder):
    files = sorted(file for file in folder.iterdir() if file.is_file() and not _hidden(file))
    faults = {file: find_fault(file) for file in files if file.suffix.lower() not in ENDINGS}
    skipped = [f"{file.name} {fault}" for file, fault in faults.items() if fault]
    if skipped:
        print(f"no pictures in {folder}, passed over: {several(skipped)}", file=sys.stderr)
    pictures = [file for file in files if not faults.get(file)]
    if not pictures:
        raise ValueError(f"no picture in the folder {folder}")
    return pictures


def _hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.name.lower() in LEFT_BEHIND
