"""Small face sets that are not the course's own: in the official layouts, and with a scheme of
one's own, none of them with names of people, none with shipped networks."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image
from public_trees import pts, rendered, write_cofw, write_wflw

from kdnotes.data import prepare
from kdnotes.data.faceset import FaceSet
from kdnotes.data.schemes import Scheme

#: Faces of each part of 300W.
PARTS = {
    "afw": 8,
    "helen/trainset": 24,
    "lfpw/trainset": 24,
    "helen/testset": 8,
    "lfpw/testset": 6,
    "ibug": 5,
}
#: Points of the 68 that make a scheme without eyes: the jaw, and the ridge of the nose.
JAW = (*range(0, 17, 2), 27, 30, 33)
#: Neither eyes nor a mirror image: errors are divided by the size of the box.
BARE = Scheme(len(JAW), edges=tuple((i, i + 1) for i in range(8)))
OPTIONS = {"size": 56, "workers": 1, "progress": False}


def faces_300w(folder: Path) -> FaceSet:
    """68 points in 300W's layout."""
    images, points, _ = rendered(sum(PARTS.values()), 68)
    row = 0
    for part, n in PARTS.items():
        (folder / "tree" / part).mkdir(parents=True)
        for number in range(n):
            name = f"image_{number:04d}" if "lfpw" in part else f"{100_000 + 7 * number}_1"
            file = folder / "tree" / part / f"{name}.png"
            Image.fromarray(images[row]).save(file)
            file.with_suffix(".pts").write_text(pts(points[row]))
            row += 1
    return prepare.prepare_public("300w", folder / "set", folder=folder / "tree", **OPTIONS)


def faces_29(folder: Path) -> FaceSet:
    """29 points in COFW's layout, some hidden."""
    tree = write_cofw(folder / "tree", n_train=56, n_test=12)
    return prepare.prepare_public("cofw", folder / "set", folder=tree, **OPTIONS)


def faces_98(folder: Path) -> FaceSet:
    """98 points in WFLW's layout, with its six subsets."""
    (folder / "tree").mkdir()
    tree = write_wflw(folder / "tree", n_train=56, n_test=12)
    return prepare.prepare_public("wflw", folder / "set", folder=tree, **OPTIONS)


def faces_own(folder: Path, scheme: Scheme = BARE) -> FaceSet:
    """A table of 12 points with a scheme of one's own, called like the rendered faces."""
    images, points, _ = rendered(70, 68)
    rows = [["file", *(f"{axis}{i}" for i in range(len(JAW)) for axis in "xy")]]
    for i, (image, shape) in enumerate(zip(images, points[:, JAW], strict=True)):
        Image.fromarray(image).save(folder / f"{i:03d}.png")
        rows.append([f"{i:03d}.png", *np.round(shape.ravel(), 3)])
    with (folder / "synthetic.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "scheme.json").write_text(json.dumps(asdict(scheme)))
    return prepare.prepare_own(folder / "synthetic.csv", folder / "set", scheme=scheme, **OPTIONS)


MADE = {"300w": faces_300w, "29 points": faces_29, "98 points": faces_98, "own scheme": faces_own}
