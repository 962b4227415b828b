"""Your own photographs: a CSV file, or keypoints in COCO's JSON (see `kdnotes.data.formats.coco`).

A CSV file has a header line with `file`, then `x0, y0, x1, y1, …`; further columns `id`, `subject`,
`split` and `hidden_points` are used if they are there, and any other becomes an attribute.
`hidden_points` holds the numbers of points that something covers, separated by blanks. File names
are relative to the folder of the table, or to another one that you name. Rows in which a point is
empty are not finished, and left out.

Coordinates are pixels counted from the middle of the first one, in the picture turned upright, as
labelling tools, browsers and `kdnotes predict` show it; or, if you say so, in the picture as it is
stored.

Without a `split`, faces are split by subject, and without subjects by file: 70 % of the names are
training, 10 % validation, 20 % test, decided by the name alone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kdnotes.data import schemes
from kdnotes.data.crops import BadSample, Sample
from kdnotes.data.formats import reading, tables
from kdnotes.system.wording import several

SPLIT_RULE = (
    "as the table says; else by subject, or by file: sha256(name) % 100 below 70 train, below 80 "
    "validation, else test"
)
#: What people call the three splits.
SPLITS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
#: Columns with a meaning, however they are capitalised.
KNOWN = ("file", "id", "subject", "split", "hidden_points")


class OwnFaces(NamedTuple):
    """What a reader's own table holds.

    Attributes:
        faces: The faces, their pictures not loaded yet.
        n_points: Number of points of each.
        notes: What a person should know, a sentence each.
    """

    faces: list[reading.Face]
    n_points: int
    notes: list[str]


def read_csv(
    table: str | Path, image_dir: str | Path | None = None, *, upright: bool = True
) -> Iterator[Sample | BadSample]:
    """The faces of a CSV file; see this module.

    Args:
        table: The file.
        image_dir: The folder that its file names are relative to; None means the table's own.
        upright: Its points are those of pictures turned upright; else of pictures as stored.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a CSV file, one without `file` or `x0, y0, x1, y1, …` in this order, or with
            a split of another name than train, validation or test.
    """
    path = Path(table)
    return reading.load_all(csv_faces(path, Path(image_dir or path.parent), upright).faces)


def csv_faces(path: Path, image_dir: Path, upright: bool) -> OwnFaces:
    """The faces of a CSV file, their pictures not loaded yet; see `read_csv`."""
    content = tables.read_table(path)
    header = [_known(name) for name in content.header]
    points = _point_columns(path, header)
    rows = [(row, dict(zip(header, row.cells, strict=False))) for row in content.rows]
    whole = [(row.where, cells) for row, cells in rows if len(row.cells) == len(header)]
    check_splits(path, [(where, cells.get("split", "")) for where, cells in whole])
    check_ids(path, [cells.get("id", "") for _, cells in whole])
    folder = reading.PictureFolder(image_dir)
    faces = []
    unfinished = 0
    for row, cells in rows:
        if len(row.cells) == len(header) and not all(cells[column] for column in points):
            unfinished += 1
            continue
        face = _without_picture(header, row, cells, points, content.separator)
        if isinstance(face, Sample):
            face = folder.face(face, cells["file"], row.where, upright=upright)
        faces.append(face)
    notes = []
    if content.encoding == tables.WINDOWS:
        notes.append(f"{path.name} is no UTF-8, so it was read as Windows-1252")
    if unfinished:
        notes.append(f"{unfinished} of {len(rows)} rows have an empty point: they are left out")
    return OwnFaces(faces, len(points) // 2, notes)


def _known(name: str) -> str:
    """The name of a column; one with a meaning in small letters."""
    small = name.lower()
    return small if small in KNOWN or re.fullmatch(r"[xy]\d+", small) else name


def _point_columns(path: Path, header: list[str]) -> list[str]:
    """The columns of the points, in the order of the table."""
    points = [name for name in header if re.fullmatch(r"[xy]\d+", name)]
    expected = [f"{axis}{i}" for i in range(len(points) // 2) for axis in "xy"]
    if "file" not in header or not points or points != expected:
        columns = f"the columns {several((name[:20] for name in header), 6)}"
        if len(header) < 2:
            columns = f"{header[0][:40]!r}" if header else "nothing"
            columns += f" and no {', '.join(tables.SEPARATORS.values())} between columns"
        raise ValueError(
            f"{path}, line 1: found {columns}; expected file, x0, y0, x1, y1, … (and, if you like, "
            "id, subject, split)"
        )
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise ValueError(f"{path}, line 1: two columns are called {twice[0]!r}; rename one")
    return points


def _without_picture(
    header: list[str], row: tables.Row, cells: dict[str, str], points: list[str], separator: str
) -> Sample | BadSample:
    """The face of a row without its picture; `cells` are those of the row by column."""
    file = reading.plain_name(cells["file"]) if cells.get("file") else ""
    name = cells.get("id") or f"{file} ({row.where})"
    if len(row.cells) != len(header):
        reason = f"row of {len(row.cells)} columns instead of {len(header)}"
        return BadSample(name, reason, row.where)
    words = [cells[column] for column in points]
    if separator != ",":  # then the comma is free for decimals
        words = [word.replace(",", ".") for word in words]
    values = reading.numbers(words)
    if values is None:
        return BadSample(name, "coordinate that is not a number", row.where)
    subject, visible = cells.get("subject", ""), None
    if cells.get("hidden_points"):
        numbers = cells["hidden_points"].split()
        if not all(word.isdecimal() and int(word) < len(points) // 2 for word in numbers):
            return BadSample(name, "hidden points that are no numbers of points", row.where)
        visible = np.ones(len(points) // 2, bool)
        visible[[int(word) for word in numbers]] = False
    others = {key: text for key, text in cells.items() if key and key not in (*KNOWN, *points)}
    return Sample(
        reading.NO_PICTURE,
        values.reshape(-1, 2),
        visible,
        id=name,
        subject=subject,
        split=find_split(cells.get("split", ""), subject, file),
        attributes=others,
    )


def find_split(split: str, subject: str, file: str) -> str:
    """The split of a face: the one that its table names, or else one by subject or by file.

    Args:
        split: What the table says, see `check_splits`.
        subject: Whose face it is, "" where unknown.
        file: Name of its picture.
    """
    if split:
        return SPLITS[split.lower()]
    return reading.split_by_name(subject or reading.plain_name(file))


def find_scheme(path: Path, n_points: int, scheme: schemes.Scheme | None) -> schemes.Scheme:
    """The scheme of a table's points: the given one, or else the built-in one of as many points.

    Raises:
        ValueError: The given one has another number of points, or none is built in.
    """
    if scheme:
        if scheme.n_points != n_points:
            raise ValueError(f"{path} has {n_points} points, the scheme {scheme.n_points}")
        return scheme
    if n_points not in schemes.SCHEMES:
        raise ValueError(
            f"{path} has {n_points} points, and the built-in schemes have "
            f"{', '.join(map(str, schemes.SCHEMES))}; describe yours in a JSON file and give it "
            "with --scheme"
        )
    return schemes.SCHEMES[n_points]


def check_splits(path: Path, splits: Iterable[tuple[str, str]]) -> None:
    """All splits that a table names are known; "" is none.

    Args:
        path: The table.
        splits: Place and split of each face.

    Raises:
        ValueError: One is not.
    """
    unknown: dict[str, str] = {}
    for where, split in splits:
        if split and split.lower() not in SPLITS:
            unknown.setdefault(split, where)
    if unknown:
        names = several(f"{split!r} ({where})" for split, where in unknown.items())
        raise ValueError(f"{path} has the split {names}; expected train, validation or test")


def check_ids(path: Path, ids: Iterable[str]) -> None:
    """No id stands twice in a table; "" is none.

    Raises:
        ValueError: One does.
    """
    twice = [name for name, count in Counter(ids).items() if name and count > 1]
    if twice:
        raise ValueError(f"{path} has several faces with one id: {several(twice)}; rename them")
