"""How a face set is written: as a stream, into a folder that is not yet there under its name.

`kdnotes.faceset` says what the files are, `kdnotes.samples` how a face is cut out.
"""

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kdnotes import schemes
from kdnotes.faceset_read import COLUMNS, FORMAT, VERSION, FaceSetError, listed, split_counts
from kdnotes.samples import BadSample, Sample, find_problem, stored_crop

#: The share of bad samples above which nothing is written: then the source is wrong, not a face.
MAX_BAD = 0.05


def write(folder: Path, samples: Iterable[Sample | BadSample], meta: dict, splits=()) -> None:
    """Fill an empty folder with the files of a face set.

    Args:
        folder: The folder.
        samples: The faces.
        meta: What is known beforehand; must hold n_points, size, stored_margin and box.
        splits: Splits that must not be empty.

    Raises:
        FaceSetError: No face, an empty split, an id used twice, more than 5 % bad samples.
    """
    bad, records, landmarks, visible, crops = [], [], [], [], []
    pixels = hashlib.sha256()
    with (folder / "images.raw").open("wb") as raw:
        for name, sample in _good(samples, meta, bad):
            crop = stored_crop(sample, meta["size"], meta["stored_margin"], meta["box"])
            raw.write(crop.image)
            pixels.update(crop.image)
            landmarks.append(crop.points.astype(np.float32))
            crops.append(crop.place)
            visible.append(np.ones(len(crop.points)) if sample.visible is None else sample.visible)
            records.append((name, sample.subject, sample.split, sample.subsets, sample.attributes))
    skipped = _judge(bad, len(records))
    table, columns = _table(records)
    _check_splits(table, splits)
    landmarks = np.stack(landmarks)
    np.save(folder / "landmarks.npy", landmarks)
    np.save(folder / "visible.npy", np.array(visible, dtype=bool))
    np.save(folder / "crops.npy", np.array(crops, dtype=np.float64))
    table.to_csv(folder / "table.csv", index=False, encoding="utf-8")
    fingerprint = hashlib.sha256(pixels.digest() + landmarks.tobytes()).hexdigest()[:16]
    meta = {"format": FORMAT, "version": VERSION, **meta, **columns, "n_faces": len(table)}
    meta |= {"skipped": skipped, "fingerprint": fingerprint}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")


def _good(samples, meta: dict, bad: list[BadSample]) -> Iterator[tuple[str, Sample]]:
    """The samples that can be stored, with their ids; the others are added to `bad`."""
    seen = set()
    for number, sample in enumerate(samples):
        name = sample.id or f"{number:06d}"
        if name in seen:
            raise FaceSetError(f"two faces have the id {name!r}; every face needs its own")
        seen.add(name)
        if isinstance(sample, BadSample):
            bad.append(sample)
        elif reason := find_problem(sample, meta["n_points"], meta["box"]):
            bad.append(BadSample(name, reason))
        else:
            yield name, sample


def _judge(bad: list[BadSample], n_good: int) -> dict[str, int]:
    """Print what was skipped and why; the counts per reason.

    Raises:
        FaceSetError: More than 5 % of all samples, or no good one.
    """
    counts = Counter(sample.reason for sample in bad)
    first = {sample.reason: sample.where or sample.id for sample in reversed(bad)}
    why = "; ".join(f"{n:,} × {reason} (first: {first[reason]})" for reason, n in counts.items())
    n_all = n_good + len(bad)
    if len(bad) > MAX_BAD * n_all:
        raise FaceSetError(
            f"{len(bad):,} of {n_all:,} samples are bad, more than {MAX_BAD:.0%}: {why}. "
            "Nothing was written; check that the source is whole and the right one"
        )
    if not n_good:
        raise FaceSetError("there is no face to write; expected at least one")
    if bad:
        print(f"skipped {len(bad):,} of {n_all:,} samples: {why}")
    return dict(counts)


def _table(records: list[tuple]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The table of all faces, and which of its columns are subsets and which attributes."""
    subsets = sorted({subset for record in records for subset in record[3]})
    attributes = list(dict.fromkeys(name for record in records for name in record[4]))
    names = [*COLUMNS, *subsets, *attributes]
    if len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise FaceSetError(f"the table would have two columns named {twice}; rename one of each")
    table = pd.DataFrame([record[:3] for record in records], columns=list(COLUMNS))
    for subset in subsets:
        table[subset] = [subset in record[3] for record in records]
    for name in attributes:
        table[name] = [record[4].get(name) for record in records]
    return table, {"subsets": subsets, "attributes": attributes}


def _check_splits(table: pd.DataFrame, splits: Iterable[str]) -> None:
    """Every split in `splits` has a face; a person in two splits is worth a warning."""
    counts = split_counts(table)
    for name in splits:
        if not counts.get(name):
            raise FaceSetError(f"the split {name!r} would be empty; found {listed(counts)}")
    leaks = leaking_subjects(table)
    if leaks:
        warnings.warn(
            f"{len(leaks)} subjects are in more than one split (first: {leaks[0]}): figures on "
            "the test split will be too good; split by person",
            stacklevel=4,
        )


def leaking_subjects(table: pd.DataFrame) -> list[str]:
    """The subjects with faces in more than one split."""
    known = table[table["subject"] != ""]
    n_splits = known.groupby("subject", sort=True)["split"].nunique()
    return n_splits.index[n_splits > 1].tolist()


def scheme_to_meta(scheme: schemes.Scheme) -> int | dict[str, Any]:
    """A scheme for `meta.json`: its number of points, or a reader's own scheme in full."""
    return scheme.n_points if schemes.SCHEMES.get(scheme.n_points) == scheme else asdict(scheme)
