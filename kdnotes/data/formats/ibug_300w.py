"""300W (iBUG): 3,148 training and 689 test faces with 68 points made by hand. Research use only.

What is special about it:

- Coordinates are Matlab's: they count from 1, so 1 is subtracted. One pixel is about 1 % NME in a
  crop of 224 pixels.
- A `.pts` file is text between braces, with any blanks; a picture's name may hold a blank itself
  (`image_092 _01.jpg`), and be `.jpg` or `.png`.
- A picture with several faces is stored once for each, as `NAME_1.jpg`, `NAME_2.jpg`, …; but in
  LFPW, whose files are `image_0001.jpg` and so on, the number is the picture's own.
- The same file name occurs in several parts, so a face's id is its part and its name.
- People unpack the four archives in different ways. Here a face's part is read off the folders on
  the way to it: `afw`, `helen/trainset`, `helen/testset`, `lfpw/trainset`, `lfpw/testset`, `ibug`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kdnotes.data.crops import BadSample, Sample, estimate_yaw
from kdnotes.data.formats.reading import (
    NO_PICTURE,
    Face,
    PictureFolder,
    load_all,
    numbers,
    split_training,
    walk,
)

#: Folders on the way to a face, and the subsets of its part. Test faces are common or challenging.
PARTS = {
    ("afw",): ("afw",),
    ("helen", "trainset"): ("helen",),
    ("lfpw", "trainset"): ("lfpw",),
    ("helen", "testset"): ("helen", "common"),
    ("lfpw", "testset"): ("lfpw", "common"),
    ("ibug",): ("ibug", "challenging"),
}
#: What a part may be called to leave it out: "ibug", "helen/testset", or "helen" for two at once.
NAMES = {name: part for part in PARTS for name in ("/".join(part), part[0])}
PICTURES = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG")

#: How the faces are split, in words. Cards of networks name it: another rule gets another number.
SPLIT_RULE = (
    "300W split 2: helen/testset, lfpw/testset and ibug are the test split; of the other faces "
    "those with sha256(KEY) % 100 below 10 are validation, the rest train. KEY is PART/NAME, such "
    "as lfpw/trainset/image_0001; in afw and helen without the _NUMBER at the end of NAME, so that "
    "the faces of one photo stay together"
)


def read_300w(folder: str | Path, without: Sequence[str] = ()) -> Iterator[Sample | BadSample]:
    """The faces of 300W.

    Args:
        folder: What the four archives were unpacked to, in any of the usual layouts.
        without: Parts that are left out, such as "ibug" or "helen/testset".

    Returns:
        An iterator. Ids are `PART/NAME`; subsets are the part's name and, on test faces, `common`
        or `challenging`.

    Raises:
        FileNotFoundError: A part of the data set is missing.
        ValueError: No part of that name.
    """
    return load_all(faces(folder, without))


def faces(folder: str | Path, without: Sequence[str] = ()) -> list[Face]:
    """The faces of 300W, their pictures not loaded yet; see `read_300w`."""
    folder = Path(folder)
    files: dict[tuple, dict[Path, Path]] = {part: {} for part in wanted(without)}
    for file in walk(folder):
        part = _part_of(file.relative_to(folder).parts[:-1])
        if part in files and file.suffix.lower() == ".pts":
            files[part].setdefault(file.resolve(), file)  # once, whatever links lead to it
    missing = ["/".join(part) for part, paths in files.items() if not paths]
    if missing:
        options = " ".join(f"--without {name}" for name in missing)
        leave_out = f", or leave them out with {options}" if len(missing) < len(files) else ""
        raise FileNotFoundError(
            f"{folder} holds no .pts files of {', '.join(missing)}; unpack the four archives afw, "
            f"helen, lfpw and ibug, each into a folder of its name{leave_out}"
        )
    pictures = PictureFolder(folder)
    return [_face(pictures, part, file) for part, paths in files.items() for file in paths.values()]


def wanted(without: Sequence[str]) -> list[tuple[str, ...]]:
    """The parts that are left when some are left out.

    Args:
        without: Some of `NAMES`.

    Raises:
        ValueError: No part of that name, or no face to train or to test with would be left.
    """
    if unknown := [name for name in without if name not in NAMES]:
        raise ValueError(f"300w has no part {unknown[0]!r}; its parts are {', '.join(NAMES)}")
    left = [part for part in PARTS if not {"/".join(part), part[0]} & set(without)]
    if len({_is_test(part) for part in left}) < 2:
        raise ValueError(f"without {', '.join(without)}, 300w has no training or no test face left")
    return left


def _is_test(part: tuple[str, ...]) -> bool:
    """Whether the faces of a part are test faces."""
    return bool({"common", "challenging"} & set(PARTS[part]))


def lost_subsets(without: Sequence[str]) -> list[str]:
    """The subsets that do not exist when parts are left out."""
    left = {subset for part in wanted(without) for subset in PARTS[part]}
    return sorted({subset for subsets in PARTS.values() for subset in subsets} - left)


def _part_of(folders: tuple[str, ...]) -> tuple[str, ...] | None:
    """The part that a face belongs to, by the folders on the way to it."""
    names = {name.lower() for name in folders}
    return next((part for part in PARTS if names.issuperset(part)), None)


def _face(folder: PictureFolder, part: tuple[str, ...], file: Path) -> Face:
    """The face of one points file."""
    name = "/".join((*part, file.stem))
    place = file.relative_to(folder.path)
    points = read_pts(file)
    if isinstance(points, str):
        return BadSample(name, points, place.as_posix())
    pictures = (file.with_name(file.stem + suffix) for suffix in PICTURES)
    picture = next((path for path in pictures if path.is_file()), file.with_suffix(".jpg"))
    key = name if part[0] == "lfpw" else re.sub(r"_\d+$", "", name)
    sample = Sample(
        NO_PICTURE,
        points,
        id=name,
        split="test" if _is_test(part) else split_training(key),
        subsets=PARTS[part],
        attributes={"yaw": round(estimate_yaw(points, 68), 1)},
    )
    return folder.face(sample, place.with_name(picture.name).as_posix(), name)


def read_pts(file: Path, n_points: int = 68) -> np.ndarray | str:
    """The points `(n_points, 2)` of a `.pts` file counted from 0, or what is wrong with it."""
    text = file.read_text(encoding="utf-8", errors="replace")
    inside = re.search(r"\{(.*)\}", text, re.DOTALL)
    if not inside:
        return "points file without braces"
    coordinates = numbers(inside[1].split())
    if coordinates is None:
        return "coordinate that is not a number"
    if coordinates.size != 2 * n_points:
        return f"points file of {coordinates.size / 2:g} points instead of {n_points}"
    return coordinates.reshape(n_points, 2) - 1.0
