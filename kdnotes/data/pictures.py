"""Picture files of any kind as RGB arrays.

Face sets and predictions use the same reader, so that a network gets the same pixels in use as in
training. An animation is read as its first frame, transparent pixels become white, and numbers of
16 bits or floating-point numbers become 8 bits. A photo is turned upright as its EXIF orientation
says, or read as it is stored. A file's content decides what it is, not its name.
"""

import codecs
import functools
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

#: What turns a picture upright, by the orientation in its EXIF data.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: The orientation that takes each of them back.
BACK = {orientation: orientation for orientation in UPRIGHT} | {6: 8, 8: 6}

HEIC = "is HEIC (iPhone): export it as JPEG, or pip install pillow-heif"
AVIF = "is AVIF: export it as JPEG, or update Pillow"
DAMAGED = "does not decode"

#: The first bytes of files that are no pictures, or of pictures that Pillow does not read.
KINDS = {
    b"\xff\xd8": DAMAGED,
    b"\x89PNG": DAMAGED,
    b"GIF8": DAMAGED,
    b"RIFF": DAMAGED,
    b"II*\0": DAMAGED,
    b"MM\0*": DAMAGED,
    b"%PDF": "is a PDF document",
    b"PK\x03\x04": "is a zip archive",
    b"version https://git-lfs": "is a Git LFS pointer: fetch the file with git lfs pull",
    b"\xff\xfe": "is text",
    b"\xfe\xff": "is text",
}


class PictureError(ValueError):
    """A file is not a picture that can be read.

    Attributes:
        fault: What is wrong, in the same words for every picture with the same fault: "is empty".
        detail: More about this picture, or "".
    """

    def __init__(self, path: Path, fault: str, detail: str = ""):
        super().__init__(f"{path} {fault}" + (f" ({detail})" if detail else ""))
        self.fault, self.detail = fault, detail


class Picture(NamedTuple):
    """A picture that was read.

    Attributes:
        pixels: `(H, W, 3)` uint8, RGB.
        orientation: Of its EXIF data; 1 is upright as stored.
    """

    pixels: np.ndarray
    orientation: int


def read_picture(path: str | Path, *, upright: bool = True) -> Picture:
    """A picture file of any kind.

    Args:
        path: The file.
        upright: Turn it as its EXIF orientation says; else the pixels stay as they are stored.

    Raises:
        FileNotFoundError: There is none.
        PictureError: The file is not a picture that can be read.
    """
    path = Path(path)
    try:
        # not by its path: Pillow would map an uncompressed TIFF into memory and turn it wrongly
        with _file(path) as file, _opened(path, file) as photo:
            photo.seek(0)
            before = _orientation(photo)
            photo.load()
            after = _orientation(photo)
            turned = before if after == 1 else 1  # Pillow turns a TIFF when it is loaded
            turn = after if upright else BACK.get(turned, 1)
            picture = photo.transpose(UPRIGHT[turn]) if turn in UPRIGHT else photo
            numbers = np.asarray(_plain(picture))
    except (FileNotFoundError, PictureError):
        raise
    except Image.DecompressionBombError as error:
        sizes = [f"{int(number):,}" for number in re.findall(r"\d+", str(error))]
        detail = f"{sizes[0]} pixels, at most {sizes[1]}" if len(sizes) == 2 else str(error)
        raise PictureError(path, "is too large", detail) from error
    except Exception as error:  # in a damaged file, decoders stumble over anything
        raise PictureError(path, DAMAGED, str(error)) from error
    try:
        return Picture(as_image(numbers), turned if after == 1 else after)
    except ValueError as error:
        raise PictureError(path, "holds no grey levels or colours", str(error)) from error


def find_fault(path: Path) -> str:
    """Why a file is no picture at all, by its first bytes.

    Returns:
        The fault, such as "is text"; "" for a picture, even for one that cannot be read.
    """
    try:
        with _file(path) as file, _opened(path, file):
            return ""
    except PictureError as error:
        return "" if error.fault in (HEIC, AVIF, DAMAGED) else error.fault
    except Exception:  # one that is damaged, or too large
        return ""


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {path}") from None
    except OSError as error:
        raise PictureError(path, "cannot be opened", error.strerror or str(error)) from error


def _opened(path: Path, file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        file.seek(0)
        fault = _kind(file.read(1024))
        if fault == HEIC and _reads_heic():
            return Image.open(file)
        raise PictureError(path, fault) from None


@functools.cache
def _reads_heic() -> bool:
    """Whether pillow-heif is installed; Pillow reads HEIC then."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _kind(start: bytes) -> str:
    """What kind of file it is that Pillow does not know, by its first bytes."""
    if not start:
        return "is empty"
    if start[4:8] == b"ftyp":
        brands = start[8:64]
        if b"avif" in brands:
            return AVIF
        return HEIC if re.search(b"hei[cmsx]|hev[cmsx]|mif1|msf1", brands) else "is a video"
    for first, kind in KINDS.items():
        if start.startswith(first):
            return kind
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith((b"<!doctype", b"<html")):
        return "is a web page"
    return "is text" if _is_text(start) else "is no picture of a known kind"


def _is_text(start: bytes) -> bool:
    try:  # not to its end, where a letter may be cut in two
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        text = start.decode("latin-1") if not any(0x7F <= byte < 0xA0 for byte in start) else "\0"
    return all(letter.isprintable() or letter.isspace() for letter in text)


def _orientation(photo: Image.Image) -> int:
    """The orientation in the EXIF data; the rest of the data may be damaged."""
    try:
        orientation = photo.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return orientation if orientation in UPRIGHT else 1


def _plain(photo: Image.Image) -> Image.Image:
    """RGB, or the numbers themselves where they have 16 bits or more."""
    if photo.mode.startswith("I") or photo.mode == "F":
        return photo
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo)
    return photo.convert("RGB")


def as_image(array: np.ndarray) -> np.ndarray:
    """An array as contiguous `(H, W, 3)` uint8.

    Args:
        array: `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)`, or `(H, W, 4)` with a last channel that is
            left out; uint8, 16-bit numbers, or floating-point ones from 0 to 1. Any strides. Whole
            numbers of another type are 8-bit ones if none is above 255.

    Raises:
        ValueError: Another shape or type, or numbers out of range.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(f"expected a picture (H, W), (H, W, 3) or (H, W, 4), found {array.shape}")
    if array.dtype == np.bool_:
        array = 255 * array.astype(np.uint8)
    elif array.dtype.kind == "f":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError("a picture of floating-point numbers must lie between 0 and 1")
        array = (255 * array).round()
    elif array.dtype.itemsize > 1 and array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 65_535:
            raise ValueError(f"a picture of {array.dtype} must hold 16-bit numbers, 0 to 65535")
        if array.max() > 255:  # else 8 bits that lie in more
            array = (array.astype(np.int32) + 128) // 257
    elif array.dtype != np.uint8:
        raise ValueError(f"expected a picture of uint8, 16-bit or float, found {array.dtype}")
    array = array[..., :3] if array.shape[2] > 1 else array.repeat(3, axis=2)
    return np.ascontiguousarray(array, dtype=np.uint8)
