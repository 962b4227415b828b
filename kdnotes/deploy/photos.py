"""Pictures of any kind as upright RGB arrays, and landmarks drawn into them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from kdnotes.schemes import Scheme, get

#: The student's colour, see `kdnotes.plots.style`.
GREEN = "#009E73"

#: Endings of the files that are taken from a folder.
ENDINGS = frozenset(Image.registered_extensions()) - {".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".h5"}


def read_photo(path: str | Path) -> np.ndarray:
    """A picture file as `(H, W, 3)` uint8, turned upright as its camera meant it.

    Of an animation the first frame; what is transparent becomes white; 16 bits become 8.

    Raises:
        FileNotFoundError: There is none.
        ValueError: The file is not a picture that can be read.
    """
    try:
        with Image.open(path) as photo:
            photo.seek(0)
            return as_image(np.asarray(_plain(ImageOps.exif_transpose(photo))))
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {path}") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error


def _plain(picture):
    """RGB, or the numbers themselves where they have 16 bits or more."""
    if picture.mode.startswith("I"):
        return picture
    if picture.mode == "F":
        return picture
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def as_image(array: np.ndarray) -> np.ndarray:
    """An array as `(H, W, 3)` uint8 in one piece of memory.

    Args:
        array: `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)`, or `(H, W, 4)` with a last channel that is
            left out; uint8, 16-bit numbers, or floating-point ones from 0 to 1. Any strides.

    Raises:
        ValueError: Another shape or type, or numbers out of range.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(f"expected a picture (H, W), (H, W, 3) or (H, W, 4), found {array.shape}")
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError("a picture of floating-point numbers must lie between 0 and 1")
        array = (255 * array).round()
    elif array.dtype.itemsize > 1 and array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 65_535:
            raise ValueError(f"a picture of {array.dtype} must hold 16-bit numbers, 0 to 65535")
        array = array // 257
    elif array.dtype not in (np.uint8, np.bool_):
        raise ValueError(f"expected a picture of uint8, 16-bit or float, found {array.dtype}")
    elif array.dtype == np.bool_:
        array = 255 * array.astype(np.uint8)
    array = array[..., :3] if array.shape[2] > 1 else array.repeat(3, axis=2)
    return np.ascontiguousarray(array, dtype=np.uint8)


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

    Raises:
        ValueError: A folder without a picture.
    """
    found = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS)
        if not inside:
            raise ValueError(f"no picture in the folder {path}")
        found += inside
    return found
