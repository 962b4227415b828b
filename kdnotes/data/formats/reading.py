"""What all readers need: files, pictures, names, splits."""

import difflib
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from kdnotes.data.crops import BadSample, Sample
from kdnotes.data.pictures import PictureError, read_picture

#: One face whose picture is not loaded yet, or that is known to be bad without its picture.
Face = Callable[[], Sample | BadSample] | BadSample

#: The picture of a face that has none yet.
NO_PICTURE = np.zeros((0, 0, 3), np.uint8)

#: What a person should know of a face that was read.
TURNED = "picture turned upright, as its EXIF orientation says"

#: How often names that are nearly those of missing pictures are looked for.
HINTS = 5


def load_all(faces: Iterable[Face]) -> Iterator[Sample | BadSample]:
    """Loads faces one after the other."""
    return (face() if callable(face) else face for face in faces)


def walk(folder: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """All files below a folder in order of their names.

    Links to folders are followed, except for loops. The files `._NAME` that macOS leaves in
    archives are passed over.

    Args:
        folder: The folder.
        above: The real paths of the folders on the way to it.
    """
    place = os.path.realpath(folder)
    if place in above or not os.access(folder, os.R_OK | os.X_OK):
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from walk(path, (*above, place))
        elif path.is_file() and not path.name.startswith("._"):
            yield path


def percentile(name: str) -> int:
    """A number from 0 to 99 that depends on a name alone, the same on every machine."""
    name_bytes = name.encode("utf-8", "backslashreplace")  # a file's name may be no Unicode
    return int(hashlib.sha256(name_bytes).hexdigest(), 16) % 100


def split_by_name(name: str) -> str:
    """The split of a person, the same on every machine and whatever other people there are.

    Returns:
        "train" for 70 % of all names, "validation" for 10 %, "test" for 20 %.
    """
    number = percentile(name)
    return "train" if number < 70 else "validation" if number < 80 else "test"


#: How training faces of a data set without validation faces are split, in words.
VALIDATION_RULE = (
    "official test faces are the test split; of the official training faces those with "
    "sha256(picture) % 100 below 10 are validation"
)


def split_training(picture: str) -> str:
    """The split of an official training face: "train", or "validation" for 10 % of all pictures.

    The name of its picture decides, so that two faces of one picture stay together.
    """
    return "validation" if percentile(picture) < 10 else "train"


def is_plain_path(name: str) -> bool:
    """Whether a name from a list leads to a file below the folder it belongs to."""
    parts = re.split(r"[/\\]", name)
    return bool(name) and not re.match("[A-Za-z]:", name) and ".." not in parts and parts[0] != ""


def plain_name(name: str) -> str:
    """A file's name as it is written everywhere: `sub/é.png`, also for `.\\sub\\é.png`."""
    return unicodedata.normalize("NFC", str(PurePosixPath(name.replace("\\", "/"))))


class PictureFolder:
    """A folder, and the pictures in it that a table names.

    Systems write names differently: with slashes of either kind, with accents composed or not.

    Args:
        path: The folder that the names are relative to.
        place: What is written before a name in messages, such as "training/".
    """

    def __init__(self, path: Path, place: str = ""):
        self.path, self.place = path, place
        self._hints = HINTS
        self._entries: dict[Path, dict[str, Path]] = {}

    def face(self, sample: Sample, name: str, where: str, *, upright: bool = False) -> Face:
        """A face that loads its picture when called.

        Args:
            sample: The face without its picture.
            name: Name of the picture, as the table writes it.
            where: Where the table names it.
            upright: Turn the picture upright; else its pixels are taken as they are stored.
        """
        if not name:
            return BadSample(sample.id, "no name of a picture", where)
        if not is_plain_path(name):
            return BadSample(sample.id, "path that leads out of the folder", where)
        path = self.path / name
        if not path.is_file():
            path = self._look_for(plain_name(name))
        if path.is_file():
            return partial(with_picture, sample, path, self.place + plain_name(name), upright)
        where = self.place + plain_name(name)
        nearest = self._nearest(path)
        if nearest:
            where += f": there is {nearest}"
        return BadSample(sample.id, "picture that is not there", where)

    def _look_for(self, name: str) -> Path:
        """The path of that name, however its accents are composed on disk."""
        path = self.path
        for part in PurePosixPath(name).parts:
            path = self._names(path).get(part, path / part)
        return path

    def _names(self, folder: Path) -> dict[str, Path]:
        """What is in a folder, by composed names."""
        if folder not in self._entries:
            inside = folder.iterdir() if folder.is_dir() else ()
            named = {unicodedata.normalize("NFC", path.name): path for path in inside}
            self._entries[folder] = named
        return self._entries[folder]

    def _nearest(self, missing: Path) -> str:
        """A name in the folder that is nearly the missing one, with the same digits; or ""."""
        if not self._hints:
            return ""
        self._hints -= 1
        names = self._names(missing.parent) or self._names(self.path)
        digits = re.findall(r"\d+", missing.name)
        alike = {name.casefold(): name for name in names if re.findall(r"\d+", name) == digits}
        near = difflib.get_close_matches(missing.name.casefold(), alike, n=1, cutoff=0.75)
        return alike[near[0]] if near else ""


def with_picture(sample: Sample, file: Path, place: str, upright: bool) -> Sample | BadSample:
    """A face with its picture, or what is wrong with it.

    Args:
        sample: The face without its picture.
        file: The picture.
        place: Its name from the root of the data set.
        upright: Turn the picture upright; else its pixels are taken as they are stored.
    """
    try:
        picture = read_picture(file, upright=upright)
    except PictureError as error:
        where = f"{place}: {error.detail}" if error.detail else place
        return BadSample(sample.id, f"picture that {error.fault}", where)
    except FileNotFoundError:
        return BadSample(sample.id, "picture that is not there", place)
    notes = (TURNED,) if upright and picture.orientation != 1 else ()
    return replace(sample, image=picture.pixels, notes=notes)


def numbers(words: list) -> np.ndarray | None:
    """Words as `(n,)` float64 numbers, or None if one of them is no number."""
    try:
        return np.array(words, dtype=np.float64)
    except (ValueError, TypeError):
        return None
