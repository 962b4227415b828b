"""300W (iBUG): 3,148 training and 689 test faces with 68 points made by hand. Research use only.

What is special about it:

- Coordinates are Matlab's: they count from 1, so 1 is subtracted. One pixel is about 1 % NME in a
  crop of 224 pixels.
- A `.pts` file is text between braces, with any blanks; a picture's name may hold a blank itself
  (`image_092 _01.jpg`), and be `.jpg` or `.png`.
- A picture with several faces is stored once for each, as `NAME_1.jpg`, `NAME_2.jpg`, …
- The same file name occurs in several parts, so a face's id is its part and its name.
- People unpack the four archives in different ways. Here a face's part is read off the folders on
  the way to it: `afw`, `helen/trainset`, `helen/testset`, `lfpw/trainset`, `lfpw/testset`, `ibug`.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from kdnotes.formats.reading import Face, load_all, load_image, numbers, split_training
from kdnotes.samples import BadSample, Sample, estimate_yaw

#: Folders on the way to a face, and the subsets of its part. Test faces are common or challenging.
PARTS = {
    ("afw",): ("afw",),
    ("helen", "trainset"): ("helen",),
    ("lfpw", "trainset"): ("lfpw",),
    ("helen", "testset"): ("helen", "common"),
    ("lfpw", "testset"): ("lfpw", "common"),
    ("ibug",): ("ibug", "challenging"),
}
PICTURES = (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG")


def read_300w(folder: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of 300W.

    Args:
        folder: What the four archives were unpacked to, in any of the usual layouts.

    Returns:
        An iterator. Ids are `PART/NAME`; subsets are the part's name and, on test faces, `common`
        or `challenging`.

    Raises:
        FileNotFoundError: A part of the data set is missing.
    """
    return load_all(faces(folder))


def faces(folder: str | Path) -> Iterator[Face]:
    """One function per face of 300W; see `read_300w`."""
    folder = Path(folder)
    found: dict[tuple, list[Path]] = {part: [] for part in PARTS}
    for file in sorted(folder.rglob("*.pts")):
        part = _part_of(file.relative_to(folder).parts[:-1])
        if part and not file.name.startswith("._"):  # what macOS leaves in archives
            found[part].append(file)
    missing = ["/".join(part) for part, files in found.items() if not files]
    if missing:
        raise FileNotFoundError(
            f"{folder} holds no .pts files of {', '.join(missing)}; unpack the four archives afw, "
            "helen, lfpw and ibug, each into a folder of its name"
        )
    return (partial(_face, part, file) for part, files in found.items() for file in files)


def _part_of(folders: tuple[str, ...]) -> tuple[str, ...] | None:
    """The part that a face belongs to, by the folders on the way to it."""
    names = {name.lower() for name in folders}
    return next((part for part in PARTS if names.issuperset(part)), None)


def _face(part: tuple[str, ...], file: Path) -> Sample | BadSample:
    name = "/".join((*part, file.stem))
    points = read_pts(file)
    if isinstance(points, str):
        return BadSample(name, points, file.name)
    pictures = (file.with_name(file.stem + suffix) for suffix in PICTURES)
    picture = next((path for path in pictures if path.is_file()), file.with_suffix(".jpg"))
    image = load_image(picture, name)
    if isinstance(image, BadSample):
        return image
    subsets = PARTS[part]
    test = "common" in subsets or "challenging" in subsets
    return Sample(
        image,
        points,
        id=name,
        split="test" if test else split_training(re.sub(r"_\d+$", "", name)),
        subsets=subsets,
        attributes={"yaw": round(estimate_yaw(points, 68), 1)},
    )


def read_pts(file: Path, n_points: int = 68) -> np.ndarray | str:
    """The points `(n_points, 2)` of a `.pts` file counted from 0, or what is wrong with it."""
    text = file.read_text(encoding="utf-8", errors="replace")
    inside = re.search(r"\{(.*)\}", text, re.DOTALL)
    if not inside:
        return "points file without braces"
    found = numbers(inside[1].split())
    if found is None:
        return "coordinate that is not a number"
    if found.size != 2 * n_points:
        return f"points file of {found.size / 2:g} points instead of {n_points}"
    return found.reshape(n_points, 2) - 1.0
