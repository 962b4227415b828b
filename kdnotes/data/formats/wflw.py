"""WFLW: 7,500 training and 2,500 test faces with 98 points made by hand. Academic use.

What is special about it:

- One line of a list is one face: 196 coordinates, the corners of a detector's rectangle, six
  attributes, and the picture's path. A picture may hold several faces, so its path is no key. Here
  a face's id is the list, the path and the face's number in that picture.
- The rectangle is a detector's, not the box of the landmarks, and landmarks may lie outside the
  picture.
- Coordinates count from 0.
"""

from collections import Counter
from collections.abc import Iterator
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

N_POINTS = 98
#: The six attributes in the order of the list, as subsets are named here.
ATTRIBUTES = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
COLUMNS = 2 * N_POINTS + 4 + len(ATTRIBUTES) + 1
IMAGES = "WFLW_images"
LISTS = {split: f"list_98pt_rect_attr_{split}.txt" for split in ("train", "test")}


def read_wflw(list_file: str | Path, image_dir: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of one of WFLW's two lists.

    Args:
        list_file: `list_98pt_rect_attr_train.txt` or `list_98pt_rect_attr_test.txt`.
        image_dir: The folder `WFLW_images`.

    Returns:
        An iterator. Subsets are the attributes that the list gives a face; a face of the training
        list is in the split "train" or "validation".

    Raises:
        FileNotFoundError: No such list.
        ValueError: The list is not one of 207 columns.
    """
    return load_all(_listed(Path(list_file), Path(image_dir)))


def faces(folder: str | Path) -> list[Face]:
    """The faces of both lists, their pictures not loaded yet.

    Args:
        folder: Lists and pictures lie anywhere below it.

    Raises:
        FileNotFoundError: A list or the folder `WFLW_images` is missing.
    """
    folder = Path(folder)
    files = list(walk(folder))
    lists = {file.name: file for file in reversed(files) if file.name in LISTS.values()}
    places = (file.relative_to(folder).parts[:-1] for file in files)
    place = next((parts for parts in places if IMAGES in parts), None)
    missing = [name for name in LISTS.values() if name not in lists]
    if place is None:
        missing.append(IMAGES)
    if missing:
        raise FileNotFoundError(
            f"{folder} holds no {' and no '.join(missing)}; unpack WFLW_annotations.tar.gz and "
            "WFLW_images.tar.gz into it"
        )
    images = folder.joinpath(*place[: place.index(IMAGES) + 1])
    return [face for name in LISTS.values() for face in _listed(lists[name], images)]


def _listed(file: Path, image_dir: Path) -> list[Face]:
    """The faces of a list, their pictures not loaded yet.

    Raises:
        ValueError: It is not a list of 207 columns.
    """
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [(number, line.split(maxsplit=COLUMNS - 1)) for number, line in enumerate(lines, 1)]
    rows = [(number, row) for number, row in rows if row]
    n_columns = len(rows[0][1]) if rows else 0
    if n_columns != COLUMNS:
        raise ValueError(
            f"{file}, line 1: found {n_columns} columns, expected {COLUMNS} (196 coordinates, a "
            "rectangle, six attributes, a path); is it the list of this data set?"
        )
    part = "test" if file.stem.endswith("_test") else "train"
    pictures = PictureFolder(image_dir, f"{image_dir.name}/")
    seen: Counter[str] = Counter()
    listed = []
    for number, row in rows:
        row[-1] = row[-1].rstrip()
        seen[row[-1]] += 1
        name = f"{part}/{row[-1]}#{seen[row[-1]]}"
        listed.append(_face(part, row, name, f"{file.name}, line {number}", pictures))
    return listed


def _face(part: str, row: list[str], name: str, where: str, pictures: PictureFolder) -> Face:
    """The face of one line; `part` is "train" or "test"."""
    if len(row) != COLUMNS:
        return BadSample(name, f"row of {len(row)} columns instead of {COLUMNS}", where)
    values = numbers(row[:-1])
    if values is None:
        return BadSample(name, "value that is not a number", where)
    points, rectangle, flags = np.split(values, [2 * N_POINTS, 2 * N_POINTS + 4])
    points = points.reshape(N_POINTS, 2)
    left, top, right, bottom = rectangle
    sample = Sample(
        NO_PICTURE,
        points,
        box=(left, top, right - left, bottom - top),
        id=name,
        split="test" if part == "test" else split_training(row[-1]),
        subsets=tuple(a for a, flag in zip(ATTRIBUTES, flags, strict=True) if flag),
        attributes={"yaw": round(estimate_yaw(points, N_POINTS), 1)},
    )
    return pictures.face(sample, row[-1], where)
