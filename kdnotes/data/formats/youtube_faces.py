"""YouTube Faces with facial keypoints (github udacity/P1_Facial_Keypoints, MIT): 4,232 video frames
with 68 points, in two folders with one CSV file each. What is special about it:

- The official training and test files show the same 347 people. A network that is tested on people
  it was trained on looks better than it is, so the split here is by person, from the name alone.
- The points are whole numbers and very likely the output of another network, not of a hand.
- In the original archive the files named `.jpg` are PNG files with an alpha channel; pictures
  differ in size; the test folder holds more pictures than its table has rows.
- Coordinates count from 0.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from kdnotes.data.crops import BadSample, Sample, estimate_yaw
from kdnotes.data.formats.reading import (
    NO_PICTURE,
    Face,
    PictureFolder,
    load_all,
    numbers,
    split_by_name,
)
from kdnotes.data.formats.tables import Row, read_table

#: How the YouTube faces are split, in words.
SPLIT_RULE = (
    "by person: sha256(name) % 100 below 70 train, below 80 validation, else test "
    "(the official test file, which shows the same people as training, is the subset official_test)"
)
TABLES = {
    "training": "training_frames_keypoints.csv",
    "test": "test_frames_keypoints.csv",
}
COLUMNS = 1 + 2 * 68


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
    return load_all(faces(folder))


def faces(folder: str | Path) -> list[Face]:
    """The faces, their pictures not loaded yet; see `read_youtube_faces`."""
    data = _find_data(Path(folder))
    loaders: list[Face] = []
    for part, name in TABLES.items():
        table = read_table(data / name)
        if len(table.header) != COLUMNS:
            raise ValueError(
                f"{data / name}, line 1: found {len(table.header)} columns, expected {COLUMNS} "
                "(a file name and x, y of 68 points); is it the table of this data set?"
            )
        pictures = PictureFolder(data / part, f"{part}/")
        loaders += [_face(pictures, part, row) for row in table.rows]
    return loaders


def _find_data(folder: Path) -> Path:
    """The folder with the two tables: `folder` itself, its `data`, or `data` one level below."""
    for candidate in (folder, folder / "data", *sorted(folder.glob("*/data"))):
        if all((candidate / table).is_file() for table in TABLES.values()):
            return candidate
    reason = "which does not hold them" if folder.exists() else "which does not exist"
    raise FileNotFoundError(
        f"looked for {' and '.join(TABLES.values())} in {folder}, {reason} (nor does a "
        "folder data in it); give the unpacked repository P1_Facial_Keypoints, "
        "or its zip file as the archive"
    )


def _face(pictures: PictureFolder, part: str, row: Row) -> Face:
    """The face of one row; `part` is "training" or "test"."""
    name, *words = row.cells
    face_id = f"{part}/{name}"
    if len(row.cells) != COLUMNS:
        reason = f"row of {len(row.cells)} columns instead of {COLUMNS}"
        return BadSample(face_id, reason, row.where)
    if not name or re.search(r"[/\\:]", name):  # never follow a name out of the folder
        return BadSample(face_id, "file name that is no plain name", row.where)
    points = numbers(words)
    if points is None:
        return BadSample(face_id, "coordinate that is not a number", row.where)
    points = points.reshape(68, 2)
    person = re.sub(r"_\d+\.jpg$", "", name)
    sample = Sample(
        NO_PICTURE,
        points,
        id=face_id,
        subject=person,
        split=split_by_name(person),
        subsets=("official_test",) if part == "test" else (),
        attributes={"yaw": round(estimate_yaw(points, 68), 1)},
    )
    return pictures.face(sample, name, row.where)
