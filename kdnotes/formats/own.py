"""Your own photographs: a CSV file, or keypoints in COCO's JSON.

A CSV file has a header line with `file`, then `x0, y0, x1, y1, …`; further columns `id`, `subject`
and `split` are used if they are there, and any other becomes an attribute. File names are relative
to the folder of the table; coordinates are pixels counted from the middle of the first one.

Without a `split`, faces are split by subject, and without subjects by file: 70 % of the names are
training, 10 % validation, 20 % test, decided by the name alone.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from kdnotes.formats.reading import (
    Face,
    is_plain_path,
    load_all,
    load_image,
    numbers,
    split_by_name,
)  # fmt: skip
from kdnotes.samples import BadSample, Sample

SPLIT_RULE = (
    "as the table says; else by subject, or by file: sha256(name) % 100 below 70 train, below 80 "
    "validation, else test"
)
#: COCO: 0 is not labelled, 1 labelled but hidden, 2 labelled and visible.
COCO_HIDDEN, COCO_VISIBLE = 1, 2


def read_csv(table: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of a CSV file; see this module.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A header without `file`, or without `x0, y0, x1, y1, …` in this order.
    """
    return load_all(csv_faces(table))


def csv_faces(table: str | Path) -> Iterator[Face]:
    """One function per face; see `read_csv`."""
    table = Path(table)
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        reader = csv.reader(stream)
        try:
            header = [name.strip() for name in next(reader, [])]
            rows = [(f"{table.name}, line {reader.line_num}", row) for row in reader if row]
        except csv.Error as error:
            where = f"{table}, line {reader.line_num}"
            raise ValueError(f"{where}: not a CSV file ({error})") from error
    points = [name for name in header if re.fullmatch(r"[xy]\d+", name)]
    expected = [f"{axis}{i}" for i in range(len(points) // 2) for axis in "xy"]
    if "file" not in header or not points or points != expected:
        raise ValueError(
            f"{table}, line 1: found the columns {', '.join(header[:6])} …, expected file, x0, y0, "
            "x1, y1, … (and, if you like, id, subject, split)"
        )
    return iter([partial(_csv_face, header, points, row, where, table) for where, row in rows])


def _csv_face(header, points, row, where, table) -> Sample | BadSample:
    cells = dict(zip(header, row, strict=False))
    name = cells.get("id") or f"{cells.get('file', '')} ({where})"
    if len(row) != len(header):
        return BadSample(name, f"row of {len(row)} columns instead of {len(header)}", where)
    values = numbers([cells.pop(column) for column in points])
    if values is None:
        return BadSample(name, "coordinate that is not a number", where)
    file, subject = cells.pop("file"), cells.pop("subject", "")
    if not is_plain_path(file):
        return BadSample(name, "path that leads out of the folder", where)
    image = load_image(table.parent / file, name)
    if isinstance(image, BadSample):
        return image
    cells.pop("id", None)
    cells.pop("", None)  # a column without a name: an index, or a comma at the end
    return Sample(
        image,
        values.reshape(-1, 2),
        id=name,
        subject=subject,
        split=cells.pop("split", "") or split_by_name(subject or file),
        attributes=cells,
    )


def read_coco(annotations: str | Path, image_dir: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of a COCO keypoints file: one per annotation.

    Args:
        annotations: The JSON file, with `images` and `annotations`.
        image_dir: The folder that its file names are relative to.

    Returns:
        An iterator. A keypoint with the flag 1 is not visible; a face with a keypoint that is not
        labelled (flag 0) is a `BadSample`: a landmark network needs all of them.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a COCO keypoints file.
    """
    return load_all(coco_faces(annotations, image_dir))


def coco_faces(annotations: str | Path, image_dir: str | Path) -> Iterator[Face]:
    """One function per annotation; see `read_coco`."""
    annotations = Path(annotations)
    try:
        content = json.loads(annotations.read_text(encoding="utf-8"))
        files = {image["id"]: image["file_name"] for image in content["images"]}
        entries = [(entry["id"], entry["image_id"], entry) for entry in content["annotations"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{annotations} is not a COCO keypoints file ({error!r}); expected JSON with images "
            "(id, file_name) and annotations (id, image_id, keypoints)"
        ) from error
    per_file = Counter(image for _, image, _ in entries)
    made = []
    for number, image, entry in entries:
        file = files.get(image, "")
        name = file if per_file[image] == 1 else f"{file}#{number}"
        made.append(partial(_coco_face, entry, file, name or str(number), Path(image_dir)))
    return iter(made)


def _coco_face(entry: dict, file: str, name: str, image_dir: Path) -> Sample | BadSample:
    where = f"annotation {entry['id']}"
    values = numbers(entry.get("keypoints", []))
    if values is None or not values.size or values.size % 3:
        return BadSample(name, "keypoints that are not triples of x, y, flag", where)
    x, y, flags = values.reshape(-1, 3).T
    if (flags < COCO_HIDDEN).any():
        return BadSample(name, "keypoint that is not labelled", where)
    if not is_plain_path(file):
        return BadSample(name, "path that leads out of the folder", where)
    image = load_image(image_dir / file, name)
    if isinstance(image, BadSample):
        return image
    subject, bbox = str(entry.get("subject") or ""), entry.get("bbox") or ()
    return Sample(
        image,
        np.stack([x, y], axis=-1),
        visible=flags >= COCO_VISIBLE,
        box=tuple(bbox) if len(bbox) == 4 else None,
        id=name,
        subject=subject,
        split=str(entry.get("split") or "") or split_by_name(subject or file),
    )
