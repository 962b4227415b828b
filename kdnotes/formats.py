"""Readers of public data sets: each turns a folder into `Sample`s, one face at a time.

**YouTube Faces with facial keypoints** (github udacity/P1_Facial_Keypoints, MIT): video frames with
68 points, in two folders with one CSV file each. Its points count pixels from 0, so they are taken
as they are. What is special about it:

- The official training and test files show the same 347 people. A network tested on people it was
  trained on looks better than it is, so the split here is made by person, from the name alone.
- The points are whole numbers and very likely the output of another network, not of a hand.
- In the original archive the files named `.jpg` are PNG files with an alpha channel; pictures
  differ in size; the test folder holds more pictures than its table has rows.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from kdnotes.samples import BadSample, Sample, estimate_yaw

#: How the YouTube faces are split, in words.
YOUTUBE_SPLIT_RULE = (
    "by person: sha256(name) % 100 below 70 train, below 80 validation, else test "
    "(the official test file, which shows the same people as training, is the subset official_test)"
)
YOUTUBE_TABLES = {
    "training": "training_frames_keypoints.csv",
    "test": "test_frames_keypoints.csv",
}
YOUTUBE_COLUMNS = 1 + 2 * 68


def split_by_name(name: str) -> str:
    """The split of a person: the same on every machine and whatever other people there are."""
    number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 100
    return "train" if number < 70 else "validation" if number < 80 else "test"


def read_youtube_faces(folder: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of YouTube Faces with facial keypoints, 68 points.

    Args:
        folder: The repository's folder, its `data` folder, or the folder around the repository.

    Returns:
        An iterator. Ids are `training/NAME` and `test/NAME`; `attributes["yaw"]` is estimated from
        the points. A face whose row or picture is unusable comes as a `BadSample`.

    Raises:
        FileNotFoundError: The folder does not hold the data set.
        ValueError: One of its two tables is not a table of 68 points.
    """
    data = _find_youtube_faces(Path(folder))
    rows = {part: list(_read_rows(data / table)) for part, table in YOUTUBE_TABLES.items()}
    return (
        _youtube_face(data, part, where, row)
        for part, part_rows in rows.items()
        for where, row in part_rows
    )


def _find_youtube_faces(folder: Path) -> Path:
    """The folder with the two tables: `folder` itself, its `data`, or `data` one level below."""
    for candidate in (folder, folder / "data", *sorted(folder.glob("*/data"))):
        if all((candidate / table).is_file() for table in YOUTUBE_TABLES.values()):
            return candidate
    found = "which does not exist" if not folder.exists() else "which does not hold them"
    raise FileNotFoundError(
        f"looked for {' and '.join(YOUTUBE_TABLES.values())} in {folder}, {found} (nor does a "
        "folder data in it); give the unpacked repository P1_Facial_Keypoints, "
        "or its zip file as the archive"
    )


def _read_rows(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Each row of a table with its place, "file, line n"."""
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = csv.reader(file)
        try:
            header = next(lines, [])
            if len(header) != YOUTUBE_COLUMNS:
                raise ValueError(
                    f"{table}, line 1: found {len(header)} columns, expected {YOUTUBE_COLUMNS} "
                    "(a file name and x, y of 68 points); is it the table of this data set?"
                )
            for row in lines:
                if row:
                    yield f"{table.name}, line {lines.line_num}", row
        except csv.Error as error:
            raise ValueError(f"{table}, line {lines.line_num}: not a CSV file ({error})") from error


def _youtube_face(data: Path, part: str, where: str, row: list[str]) -> Sample | BadSample:
    """The face of one row; `part` is "training" or "test"."""
    name = row[0]
    face_id = f"{part}/{name}"
    if len(row) != YOUTUBE_COLUMNS:
        reason = f"row of {len(row)} columns instead of {YOUTUBE_COLUMNS}"
        return BadSample(face_id, reason, where)
    if not name or re.search(r"[/\\:]", name):  # never follow a name out of the folder
        return BadSample(face_id, "file name that is no plain name", where)
    try:
        points = np.array(row[1:], dtype=np.float64).reshape(68, 2)
    except ValueError:
        return BadSample(face_id, "coordinate that is not a number", where)
    file = data / part / name
    if not file.is_file():
        return BadSample(face_id, "picture that is not there", f"{part}/{name}")
    image = read_image(file)
    if image is None:
        return BadSample(face_id, "picture that does not decode", f"{part}/{name}")
    person = re.sub(r"_\d+\.jpg$", "", name)
    return Sample(
        image,
        points,
        id=face_id,
        subject=person,
        split=split_by_name(person),
        subsets=("official_test",) if part == "test" else (),
        attributes={"yaw": round(estimate_yaw(points, 68), 1)},
    )


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
