"""What all readers need: pictures, names, splits."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from kdnotes.samples import BadSample, Sample

#: One face that is not loaded yet.
Face = Callable[[], Sample | BadSample]


def load_all(faces: Iterator[Face]) -> Iterator[Sample | BadSample]:
    """Loads faces one after the other."""
    return (load() for load in faces)


def percentile(name: str) -> int:
    """A number from 0 to 99 that depends on a name alone, on every machine."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100


def split_by_name(name: str) -> str:
    """The split of a person: the same on every machine and whatever other people there are."""
    number = percentile(name)
    return "train" if number < 70 else "validation" if number < 80 else "test"


#: How training faces of a data set without validation faces are split, in words.
VALIDATION_RULE = (
    "official test faces are the test split; of the official training faces those with "
    "sha256(picture) % 100 below 10 are validation"
)


def split_training(picture: str) -> str:
    """ "train" or "validation" for an official training face, by the name of its picture, so that
    two faces of one picture stay together."""
    return "validation" if percentile(picture) < 10 else "train"


def is_plain_path(name: str) -> bool:
    """Whether a name from a list leads to a file below the folder it belongs to."""
    parts = re.split(r"[/\\]", name)
    return bool(name) and ":" not in name and ".." not in parts and parts[0] != ""


def load_image(file: Path, name: str) -> np.ndarray | BadSample:
    """A picture's pixels, or what is wrong with it.

    Args:
        file: The picture.
        name: Id of the face that is read.
    """
    where = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        return BadSample(name, "picture that is not there", where)
    image = read_image(file)
    return BadSample(name, "picture that does not decode", where) if image is None else image


def read_image(file: Path) -> np.ndarray | None:
    """The RGB pixels of a picture file `(H, W, 3)` uint8, whatever its kind; None if it is broken.

    An alpha channel is dropped, and the pixels are taken as they are stored: landmarks of a data
    set refer to them, not to what an orientation tag would turn them into.
    """
    try:
        with Image.open(file) as image:
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None


def numbers(words: list[str]) -> np.ndarray | None:
    """Words as float64 numbers, or None where one of them is no number."""
    try:
        return np.array(words, dtype=np.float64)
    except ValueError:
        return None
