"""Drawn faces as photographs of one's own, with the table that describes them."""

import csv
import functools

import numpy as np
from drawn_faces import draw_face
from PIL import Image

HEADER = ["file", *(f"{axis}{i}" for i in range(68) for axis in "xy")]

drawn = functools.cache(draw_face)


def grey(person=0, number=0):
    """A drawn face in grey, `(140, 120)` uint8, and its landmarks; higher than it is wide."""
    picture, points = drawn(person, number)
    below = np.full((20, picture.shape[1]), 90, np.uint8)
    return np.concatenate([np.asarray(Image.fromarray(picture).convert("L")), below]), points


def write_photos(folder, n=6):
    """`f0.png`, `f1.png`, … in a new folder, every third of another person."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.fromarray(drawn(i // 3, i)[0]).save(folder / f"f{i}.png")
    return folder


def row(i, file=None, **changes):
    """The cells of face `i`, with further columns."""
    points = changes.pop("points", drawn(i // 3, i)[1])
    return [file or f"f{i}.png", *(f"{value:.3f}" for value in np.ravel(points)), *changes.values()]


def write_table(path, rows, header=HEADER, **dialect):
    """A CSV file."""
    encoding = dialect.pop("encoding", "utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream, **dialect).writerows([header, *rows])
    return path
