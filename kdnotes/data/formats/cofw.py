"""COFW (Caltech Occluded Faces in the Wild): 1,345 training and 507 test faces, 29 points, by hand.

What is special about it:

- A `.mat` file of version 7.3 is an HDF5 file: pictures lie behind object references, one by one,
  and every array is transposed.
- 44 of the training pictures are grey, arrays of two dimensions.
- `phis` holds 29 x, 29 y and 29 occlusion flags per face; coordinates count from 1.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from kdnotes.data.crops import BadSample, Sample, estimate_yaw
from kdnotes.data.formats.reading import Face, load_all, split_training, walk
from kdnotes.data.pictures import as_image

N_POINTS = 29
#: File name to the suffix of its variables.
FILES = {"COFW_train_color.mat": "Tr", "COFW_test_color.mat": "T"}


def read_cofw(file: str | Path) -> Iterator[Sample | BadSample]:
    """The faces of one of COFW's two files, or of both.

    Args:
        file: `COFW_train_color.mat` or `COFW_test_color.mat`, or the folder with both.

    Returns:
        An iterator. `visible` is false where a point is marked as occluded.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a Matlab file of version 7.3, or one of something else.
    """
    return load_all(faces(file))


def faces(path: str | Path) -> list[Face]:
    """The faces, their pictures not loaded yet; see `read_cofw`."""
    path = Path(path)
    files = [path]
    if path.is_dir():
        inside = {file.name: file for file in walk(path)}
        files = [inside.get(name, path / name) for name in FILES]
    return [face for file in files for face in _in_file(file)]


def _in_file(file: Path) -> list[Face]:
    """The faces of one file, their pictures not loaded yet."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no {file}; COFW_color.zip holds {' and '.join(FILES)}")
    content = _open(file)
    suffix = next((s for s in FILES.values() if f"phis{s}" in content and f"Is{s}" in content), "")
    if not suffix:
        raise ValueError(
            f"{file} holds {', '.join(content)}; expected IsTr, phisTr, bboxesTr or IsT, phisT, "
            "bboxesT: is it COFW's colour file?"
        )
    images, phis, boxes = (content[f"{name}{suffix}"] for name in ("Is", "phis", "bboxes"))
    n = phis.shape[-1]
    if phis.shape != (3 * N_POINTS, n) or boxes.shape != (4, n) or images.size != n:
        raise ValueError(
            f"{file}: found {images.size} pictures, phis {phis.shape}, boxes {boxes.shape}; "
            f"expected ({3 * N_POINTS}, N) and (4, N)"
        )
    parts = zip(images[()].reshape(-1), phis[()].T, boxes[()].T, strict=True)
    split = "test" if suffix == "T" else "train"
    return [
        partial(_face, content, reference, f"{split}/{i:04d}", values, box)
        for i, (reference, values, box) in enumerate(parts)
    ]


def _open(file: Path) -> h5py.File:
    with file.open("rb") as stream:
        is_old = b"MATLAB 5.0 MAT-file" in stream.read(128)
    try:
        return h5py.File(file, "r")
    except OSError as error:
        kind = "a Matlab file of version 5" if is_old else f"damaged or no Matlab file ({error})"
        raise ValueError(
            f"{file} is {kind}; expected version 7.3 (HDF5), as COFW_color.zip holds it: unpack "
            "it again and do not save it anew"
        ) from error


def _face(
    content: h5py.File, reference: h5py.Reference, name: str, values: np.ndarray, box: np.ndarray
) -> Sample | BadSample:
    """A face with its picture.

    Args:
        content: The open file.
        reference: Where the picture lies in it.
        name: "train/0000" or "test/0000".
        values: `(87,)` x, y and occlusion flags.
        box: `(4,)` x, y, width, height, counted from 1.
    """
    try:
        pixels = np.asarray(content[reference]).T  # (H, W) or (H, W, 3)
    except (OSError, ValueError, KeyError, RuntimeError):
        return BadSample(name, "picture that cannot be read")
    try:
        image = as_image(pixels)
    except ValueError as error:
        return BadSample(name, "picture that holds no grey levels or colours", f"{name}: {error}")
    x, y, occluded = values.reshape(3, N_POINTS)
    points = np.stack([x, y], axis=-1) - 1.0  # counted from 0
    left, top, width, height = box
    return Sample(
        image,
        points,
        visible=occluded == 0,
        box=(left - 1, top - 1, width, height),
        id=name,
        split="test" if name.startswith("test/") else split_training(name),
        attributes={
            "yaw": round(estimate_yaw(points, N_POINTS), 1),
            "occluded_share": round(float((occluded != 0).mean()), 3),
        },
    )
