"""The face set: the one format in which the course keeps faces on disk.

A face set is a folder:

    images.raw     N stored crops, S x S x 3 bytes each, one after the other
    landmarks.npy  (N, L, 2) float32, in units of the stored crop
    visible.npy    (N, L) bool
    crops.npy      (N, 3) float64: cx, cy, side of each crop in its source picture
    table.csv      one row per face: id, subject, split, its subsets, its attributes
    meta.json      everything else: scheme, size, margin, where it comes from, what was skipped

The pictures are mapped into memory, not read. Opening 10,000 faces takes a moment, and only the
faces that are used are loaded. A set is written to a temporary folder first, so that it is either
whole or not there. `kdnotes.data.crops` cuts out a face; `kdnotes.data.faceset_write` writes the
files, and `kdnotes.data.faceset_read` checks them.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from kdnotes.data import faceset_read, faceset_write, schemes
from kdnotes.data.crops import (
    CROP_MARGIN,
    PICTURE_CROP_MARGIN,
    PICTURE_STORED_MARGIN,
    STORED_MARGIN,
    BadSample,
    Sample,
)
from kdnotes.data.faceset_read import FaceSetError
from kdnotes.system import files

__all__ = ["BadSample", "FaceSet", "FaceSetError", "Sample"]


class _Rows:
    """Some rows of an array on disk, read only when indexed: `images[np.array([2, 0])]`."""

    def __init__(self, data: np.ndarray, rows: np.ndarray):
        self.data, self.rows = data, rows
        self.shape, self.dtype = (len(rows), *data.shape[1:]), data.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.asarray(self.data[self.rows[index]])


class FaceSet:
    """Faces on disk, or some of them; made by `FaceSet.open` and `FaceSet.write`.

    Attributes:
        path: The folder.
        images: `(N, S, S, 3)` uint8, read when indexed: `faces.images[[3, 1]]`.
        landmarks: `(N, L, 2)` float32 in units of the stored crop.
        visible: `(N, L)` bool.
        crops: `(N, 3)` float64: cx, cy, side of each crop in source pixels.
        table: pandas table with columns id, subject, split, one bool column per subset and one
            column per attribute.
        scheme: The points' `schemes.Scheme`.
        meta: Size, margin, box, source, split rule, what was skipped, …
        rows: `(N,)` int64: number of each face in the whole set, whatever was split or selected.
    """

    def __init__(
        self,
        path: Path,
        images: np.ndarray | _Rows,
        landmarks: np.ndarray,
        visible: np.ndarray,
        crops: np.ndarray,
        table: pd.DataFrame,
        scheme: schemes.Scheme,
        meta: dict[str, Any],
        rows: np.ndarray | None = None,
    ):
        self.path, self.images, self.landmarks, self.visible = path, images, landmarks, visible
        self.crops, self.table, self.scheme, self.meta = crops, table, scheme, meta
        self.rows = np.arange(len(landmarks)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"FaceSet({str(self.path)!r}, {len(self)} faces, {self.size} px, {self.counts()})"

    def __reduce__(self):  # a worker process opens the files itself instead of getting a copy
        return _reopen, (self.path, self.rows)

    @property
    def size(self) -> int:
        """Side of a stored crop in pixels."""
        return self.meta["size"]

    @property
    def box(self) -> str:
        """What networks for these faces are cropped around: the "landmarks", or the "picture"."""
        return "picture" if self.meta["box"] == "picture" else "landmarks"

    @property
    def crop_margin(self) -> float:
        """Side of the crop that networks see, as a multiple of the box."""
        return self.meta.get("crop_margin", CROP_MARGIN)

    def zoom(self, crop_margin: float | None = None) -> float:
        """How many times wider a stored crop is than a network's crop with this margin; by default
        with the set's own."""
        return self.meta["stored_margin"] / (crop_margin or self.crop_margin)

    @property
    def rendered(self) -> bool:
        """Whether its pictures are rendered: they show nobody, and their labels are exact.

        A set that does not say so counts as photographs.
        """
        return self.meta.get("rendered") is True

    @property
    def name(self) -> str:
        """Short name; only rendered faces go by the name "synthetic"."""
        name = self.meta["name"] or "faces"
        return "own-synthetic" if name == "synthetic" and not self.rendered else name

    @property
    def fingerprint(self) -> str:
        """A hash of all pictures and landmarks of the whole set."""
        return self.meta["fingerprint"]

    def people(self) -> np.ndarray:
        """`(N,)` who is in each picture; a face without a subject counts as one more person."""
        table = self.table
        return table["subject"].where(table["subject"] != "", table["id"]).to_numpy()

    def counts(self) -> dict[str, int]:
        """Number of faces per split."""
        return faceset_read.split_counts(self.table)

    def select(self, rows: np.ndarray) -> "FaceSet":
        """Some of the faces.

        Args:
            rows: `(K,)` positions in any order, or an `(N,)` bool mask; none give an empty set.

        Returns:
            The faces at these positions, in that order.
        """
        rows = np.asarray(rows)
        index = np.arange(len(self))[rows if rows.size else []]
        whole = self.images.data if isinstance(self.images, _Rows) else self.images
        return FaceSet(
            self.path,
            _Rows(whole, self.rows[index]),
            self.landmarks[index],
            self.visible[index],
            self.crops[index],
            self.table.iloc[index].reset_index(drop=True),
            self.scheme,
            self.meta,
            self.rows[index],
        )

    def split(self, name: str) -> "FaceSet":
        """The faces of one split.

        Raises:
            FaceSetError: The set has no face in it.
        """
        chosen = (self.table["split"] == name).to_numpy()
        if not chosen.any():
            others = faceset_read.listed(self.counts())
            raise FaceSetError(f"{self.path} has no face in the split {name!r}; it has {others}")
        return self.select(chosen)

    def to_source(self, index: int | np.ndarray, points: np.ndarray) -> np.ndarray:
        """Points of stored crops in pixels of the pictures they were cut from.

        Args:
            index: Position of a face, or `(B,)` positions.
            points: `(L, 2)` or `(B, L, 2)` in units of the stored crop.

        Returns:
            The same shape, float64; (0, 0) is the middle of the picture's first pixel.
        """
        crop = self.crops[index][..., None, :]  # (1, 3) or (B, 1, 3)
        return crop[..., :2] + crop[..., 2:] * np.asarray(points, dtype=np.float64)

    @classmethod
    def open(cls, path: str | Path) -> "FaceSet":
        """Open a face set.

        Raises:
            FaceSetError: It is not there, not whole, or not of this version.
        """
        path = Path(path)
        return cls(path, **faceset_read.read(path))

    @classmethod
    def write(
        cls,
        path: str | Path,
        samples: Iterable[Sample | BadSample | Callable[[], Sample | BadSample]],
        *,
        scheme: schemes.Scheme | int,
        size: int,
        stored_margin: float | None = None,
        box: str = "landmarks",
        name: str = "",
        source: str = "",
        split_rule: str = "",
        splits: Iterable[str] = (),
        rendered: bool = False,
        total: int | None = None,
        workers: int | None = 1,
        resume: str = "",
        progress: bool = True,
        replace: bool = False,
        max_bad: float = faceset_write.MAX_BAD,
        extra: Mapping[str, Any] | None = None,
    ) -> "FaceSet":
        """Write a face set from samples, one after the other, and open it.

        Bad samples are left out, counted in `meta["skipped"]` and printed. A call that fails
        leaves nothing behind. If another process is writing the same set, that set is opened.

        Args:
            path: The new folder.
            samples: The faces, or functions that load them; may be a generator.
            scheme: Number of points, or a `Scheme`.
            size: Side of a stored crop in pixels.
            stored_margin: Side of a stored crop in units of the box's longer side; None: 2.2, and
                1.4 for whole pictures.
            box: What is cropped around: the "landmarks" box or the "dataset" box of each sample, or
                the whole "picture".
            name: Short name of the set.
            source: Where it comes from.
            split_rule: How it was split, in words.
            splits: Splits that must not be empty.
            rendered: The pictures are rendered, so that they show nobody and labels are exact.
            total: Number of samples, for the progress bar.
            workers: How many faces are loaded and cropped at once; None means one per core.
            resume: Where the samples come from, in words. If it is given, the next call with the
                same words and settings resumes an interrupted one. It must get the same samples in
                the same order.
            progress: Show a progress bar.
            replace: Replace the face set at `path`, if there is one.
            max_bad: The share of bad samples that may be left out. Where there are more, the source
                is probably a wrong one.
            extra: Further entries of `meta`.

        Raises:
            FileExistsError: `path` is there already.
            FaceSetError: No face, an empty split, an id used twice, too many bad samples.
        """
        scheme, path = schemes.get(scheme), Path(path)
        if box not in ("landmarks", "dataset", "picture"):
            raise ValueError(f'box must be "landmarks", "dataset" or "picture", found {box!r}')
        if stored_margin is None:
            stored_margin = PICTURE_STORED_MARGIN if box == "picture" else STORED_MARGIN
        if size < 1 or not stored_margin > 0:
            raise ValueError(f"size and margin must be positive, found {size} and {stored_margin}")
        meta = {
            **(extra or {}),
            "name": name,
            "scheme": schemes.to_json(scheme),
            "n_points": scheme.n_points,
            "size": int(size),
            "stored_margin": float(stored_margin),
            "box": box,
            **({"crop_margin": PICTURE_CROP_MARGIN} if box == "picture" else {}),
            "source": source,
            "split_rule": split_rule,
            "rendered": rendered,
        }
        with files.turn(path) as waited:
            if waited and not replace and faceset_read.is_made_of(path, meta):
                return cls.open(path)  # the other process has made what was asked for
            faceset_read.check_target(path, replace)
            work = files.beside(path, "work")
            folder = (
                files.work_folder(work, {**meta, "samples": resume})
                if resume
                else tempfile.TemporaryDirectory(".part", f"{work.name}.", work.parent)
            )
            bar = tqdm(total=total, disable=not progress, unit=" faces", desc="crop")
            with folder as collected, bar:
                faceset_write.collect(Path(collected), samples, meta, workers, bar, max_bad)
                with files.new_folder(path, replace=replace) as part:
                    faceset_write.assemble(Path(collected), part, meta, tuple(splits), max_bad)
        return cls.open(path)


def _reopen(path: Path, rows: np.ndarray) -> FaceSet:
    return FaceSet.open(path).select(rows)
