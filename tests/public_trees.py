"""Small data sets in the official layouts of 300W, COFW and WFLW, made from rendered faces."""

import functools
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from kdnotes.data import synthetic

SIDE = 48
#: Part of 300W to the names of its faces; one name is in two parts, one holds a blank.
FACES_300W = {
    "afw": ["134212_1", "134212_2", "70037463_1"],
    "helen/trainset": ["232194_1", "100040721_1", "100040721_2"],
    "lfpw/trainset": ["image_0001", "232194_1"],
    "helen/testset": ["30844800_1", "296814969_3"],
    "lfpw/testset": ["image_0001", "image_0002"],
    "ibug": ["image_092 _01", "image_003_1"],
}


@functools.cache
def rendered(n, scheme, seed=0):
    """Pictures, points in pixels counted from 0, visibility."""
    images, landmarks, visible, _ = synthetic.render_faces(n, SIDE, seed=seed, scheme=scheme)
    return images, SIDE / 2 - 0.5 + SIDE * landmarks.astype(np.float64), visible


def pts(points):
    """The text of a `.pts` file: counted from 1, with the blanks that real ones have."""
    lines = "\n".join(f"{x:.6f}  {y:.6f} " for x, y in points + 1)
    return f"version: 1 \nn_points:  {len(points)} \n{{\n{lines}\n}} \n"


def write_300w(root: Path, layout=lambda part: part) -> Path:
    """Folders with pictures, every second a PNG, and points files; returns `root`."""
    names = [(part, name) for part, faces in FACES_300W.items() for name in faces]
    images, points, _ = rendered(len(names), 68)
    for i, (part, name) in enumerate(names):
        folder = root / layout(part)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[i]).save(folder / f"{name}.{'png' if i % 2 else 'jpg'}", quality=95)
        (folder / f"{name}.pts").write_text(pts(points[i]))
    return root


def write_cofw(root: Path, n_train=12, n_test=4, grey=(1,)) -> Path:
    """The two `.mat` files of version 7.3: HDF5 with references, arrays transposed."""
    root.mkdir(parents=True, exist_ok=True)
    images, points, visible = rendered(n_train + n_test, 29)
    for part, suffix, rows in (
        ("train", "Tr", range(n_train)),
        ("test", "T", range(n_train, n_train + n_test)),
    ):
        with h5py.File(root / f"COFW_{part}_color.mat", "w", userblock_size=512) as file:
            references = np.empty((1, len(rows)), dtype=h5py.ref_dtype)
            phis, boxes = np.empty((87, len(rows))), np.empty((4, len(rows)))
            for column, row in enumerate(rows):
                image = images[row][: SIDE - 4]  # not square: a transposed picture is noticed
                if part == "train" and column in grey:
                    image = image[..., 0]
                stored = file.create_dataset(f"#refs#/{column}", data=image.T)
                references[0, column] = stored.ref
                phis[:, column] = np.concatenate([*(points[row].T + 1), ~visible[row]])
                boxes[:, column] = 5, 6, 30, 32
            file.create_dataset(f"Is{suffix}", data=references, dtype=h5py.ref_dtype)
            file.create_dataset(f"phis{suffix}", data=phis)
            file.create_dataset(f"bboxes{suffix}", data=boxes)
    return root


def wflw_line(points, path, flags=(0, 0, 0, 0, 0, 0)):
    numbers = " ".join(f"{value:.6f}" for value in points.ravel())
    return f"{numbers} 4 5 40 42 {' '.join(map(str, flags))} {path}"


def write_wflw(root: Path, n_train=12, n_test=4) -> Path:
    """Lists under WFLW_annotations, pictures under WFLW_images; three faces share a picture."""
    lists = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    images, points, _ = rendered(n_train + n_test, 98)
    for part, rows in (("train", range(n_train)), ("test", range(n_train, n_train + n_test))):
        lines = []
        for column, row in enumerate(rows):
            path = f"{row % 3}--Event/{row % 3}_Event_name_{max(column, 2):03d}.jpg"
            if column < 3:  # one picture, three faces
                path = f"0--Event/0_Event_{part}_of_three.jpg"
            file = root / "WFLW_images" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images[row]).save(file, quality=95)
            flags = [int((column >> bit) & 1) for bit in range(6)]
            lines.append(wflw_line(points[row], path, flags))
        (lists / f"list_98pt_rect_attr_{part}.txt").write_text("\n".join(lines) + "\n")
    return root
