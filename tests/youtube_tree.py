"""A small data set in the official layout of YouTube Faces, with generated pictures."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

TABLES = {"training": "training_frames_keypoints.csv", "test": "test_frames_keypoints.csv"}
#: Invented people, and the split that their names give.
PEOPLE = {
    "Ada_Example": "train",
    "Ida_Example": "validation",
    "Cy_de_la_Example": "test",
    "Jo_Example": "train",
}


def face_points(rng, width, height):
    """`(68, 2)` whole numbers inside the picture, all four sides of a box well apart."""
    points = rng.integers((10, 10), (width - 10, height - 10), (68, 2))
    points[[0, 16]] = (10, height // 2), (width - 10, height // 2)
    points[[36, 45, 30]] = (width // 3, 30), (2 * width // 3, 30), (width // 2, 45)
    return points


def picture(rng, width, height, kind="RGBA"):
    """The bytes of a picture file; RGBA PNG, as in the original archive, unless said otherwise."""
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(kind).save(file, "PNG")
    return file.getvalue()


def write_tree(root: Path, people=tuple(PEOPLE), per_person=10, seed=0) -> Path:
    """Write the repository's folder under `root`; returns its `data` folder.

    Each person has `per_person` faces in the training part and one in the test part, whose folder
    also holds pictures without a row.
    """
    rng = np.random.default_rng(seed)
    data = root / "P1_Facial_Keypoints-master" / "data"
    for part, numbers in (("training", range(per_person)), ("test", [0])):
        (data / part).mkdir(parents=True)
        rows = [["", *map(str, range(136))]]
        for person in people:
            for number in numbers:
                width, height = rng.integers(64, 120, 2)
                name = f"{person}_{number:02d}.jpg"
                (data / part / name).write_bytes(picture(rng, width, height))
                points = face_points(rng, width, height)
                rows.append([name, *map(str, points.astype(float).ravel())])
        write_rows(data / TABLES[part], rows)
    (data / "test" / "Without_Row_00.jpg").write_bytes(picture(rng, 70, 70))
    return data


def read_rows(table):
    with table.open(newline="") as file:
        return list(csv.reader(file))


def write_rows(table, rows):
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
