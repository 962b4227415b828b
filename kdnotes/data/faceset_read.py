"""How a face set is read, with a clear message for everything that can be wrong with its files.

`kdnotes.data.faceset` says what the files are.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kdnotes.data import schemes
from kdnotes.system.files import json_text

FORMAT = "kdnotes face set"
VERSION = 1
#: Columns that every table has.
COLUMNS = ("id", "subject", "split")


class FaceSetError(ValueError):
    """A folder is not a whole face set, or lacks what was asked for."""


def listed(counts: dict[str, int]) -> str:
    """Counts as text: "train 3, test 1", or "nothing"."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"


def split_counts(table: pd.DataFrame) -> dict[str, int]:
    """Faces per split: train, validation, test, then any others."""
    counts = table["split"].value_counts().to_dict()
    usual = [name for name in ("train", "validation", "test") if name in counts]
    return {name: counts[name] for name in [*usual, *sorted(set(counts) - set(usual))]}


def read(path: Path) -> dict[str, Any]:
    """Everything in a face set's folder: images, landmarks, visible, crops, table, scheme, meta.

    Raises:
        FaceSetError: It is not there, not whole, or not of this version.
    """
    meta = read_meta(path)
    try:
        scheme = schemes.from_json(meta["scheme"])
        n, size, points = int(meta["n_faces"]), int(meta["size"]), scheme.n_points
        columns = [*COLUMNS, *meta["subsets"], *meta["attributes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path / "meta.json", f"an entry is missing or wrong: {error}") from error
    landmarks = _read_array(path / "landmarks.npy", (n, points, 2))
    bad = np.flatnonzero(~np.isfinite(landmarks).all(axis=(1, 2)))
    if bad.size:
        raise _broken(path / "landmarks.npy", f"face {bad[0]} has landmarks that are not finite")
    return {
        "images": _map_images(path / "images.raw", n, size),
        "landmarks": landmarks,
        "visible": _read_array(path / "visible.npy", (n, points)),
        "crops": _read_array(path / "crops.npy", (n, 3)),
        "table": read_table(path / "table.csv", n, columns, meta),
        "scheme": scheme,
        "meta": meta,
    }


def check_target(path: Path, replace: bool) -> None:
    """Checks that a face set may be written to `path`.

    Raises:
        FileExistsError: It is there already and `replace` is false.
        FaceSetError: It is there and is no face set: another folder is never replaced.
    """
    if path.exists():
        if not replace:
            raise FileExistsError(f"{path} is there already; replace it, or choose another folder")
        read_meta(path)


def is_made_of(path: Path, meta: dict[str, Any]) -> bool:
    """Whether a face set is at `path` whose `meta.json` has these entries."""
    try:
        written = read_meta(path)
    except FaceSetError:
        return False
    return all(written.get(key) == value for key, value in json.loads(json_text(meta)).items())


def read_meta(path: Path) -> dict[str, Any]:
    """`meta.json` of a face set.

    Raises:
        FaceSetError: The folder is no face set of this version.
    """
    file = path / "meta.json"
    if not path.exists():
        raise FaceSetError(f"no face set at {path}: make one with `python -m kdnotes data prepare`")
    if not file.is_file():
        raise FaceSetError(f"{path} is not a face set: it has no meta.json; prepare it again")
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
        written_by = meta["format"], meta["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(file, f"it cannot be understood ({error!r})") from error
    if written_by != (FORMAT, VERSION):
        raise _broken(file, f"it says {written_by}, this kdnotes reads {(FORMAT, VERSION)}")
    return meta


def _broken(file: Path, reason: str) -> FaceSetError:
    return FaceSetError(f"{file} is not as it was written: {reason}; prepare the face set again")


def _read_array(file: Path, shape: tuple) -> np.ndarray:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _broken(file, f"it cannot be read ({error})") from error
    if array.shape != shape:
        raise _broken(file, f"it has the shape {array.shape}, expected {shape}")
    return array


def _map_images(file: Path, n: int, size: int) -> np.ndarray:
    n_bytes = file.stat().st_size if file.exists() else 0
    expected = n * size * size * 3
    if n_bytes != expected or not n:
        raise _broken(file, f"it has {n_bytes:,} bytes, expected {expected:,} for {n:,} faces")
    return np.memmap(file, dtype=np.uint8, mode="r", shape=(n, size, size, 3))


def read_table(file: Path, n: int, columns: list[str], meta: dict) -> pd.DataFrame:
    """The table of a face set.

    Args:
        file: The CSV file.
        n: Number of faces.
        columns: Its columns.
        meta: The set's `meta.json`, which says which columns are attributes.

    Raises:
        FaceSetError: It does not have `n` rows and these columns.
    """
    try:  # only an empty attribute means "unknown": a person may be called "None" or "NA"
        table = pd.read_csv(
            file,
            dtype=dict.fromkeys(COLUMNS, str),
            keep_default_na=False,
            na_values={name: [""] for name in meta["attributes"]},
            encoding="utf-8",
        )
    except (OSError, ValueError) as error:
        raise _broken(file, f"it cannot be read ({error})") from error
    if len(table) != n or list(table.columns) != columns:
        raise _broken(
            file,
            f"it has {len(table):,} rows and columns {list(table.columns)}, "
            f"expected {n:,} and {columns}",
        )
    return table
