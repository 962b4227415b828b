"""How a face set is written: faces are collected one after the other, then put together.

While faces are collected, their pictures go to `images.raw` and everything else to a journal, one
line of JSON per face. An interrupted collection is gone on with after the last face that is in
both. `kdnotes.data.faceset` says what the files of the finished set are, `kdnotes.data.crops` how
a face is cut out.
"""

import hashlib
import itertools
import json
import os
import shutil
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from kdnotes.data import faceset_read
from kdnotes.data.crops import BadSample, find_problem, stored_crop
from kdnotes.data.faceset_read import COLUMNS, FORMAT, VERSION, FaceSetError, listed, split_counts
from kdnotes.data.subjects import dominant_subject, leaking_subjects
from kdnotes.system.files import write_json
from kdnotes.system.wording import several

#: The share of bad samples above which nothing is written: then the source is wrong, not a face.
MAX_BAD = 0.05
IMAGES, JOURNAL = "images.raw", "journal.jsonl"


def collect(folder: Path, samples: Iterable, meta: dict, workers: int | None, bar: tqdm) -> None:
    """Crop faces and write them to `images.raw` and the journal, after those that are there.

    Args:
        folder: The folder.
        samples: The faces, or functions that load them, always in the same order.
        meta: What is known beforehand; must hold n_points, size, stored_margin and box.
        workers: How many faces are loaded and cropped at once; None means one per core.
        bar: Progress bar.

    Raises:
        FaceSetError: An id used twice, or more than 5 % of a list are bad samples.
    """
    if isinstance(samples, Sequence):  # what is known beforehand costs no work
        _refuse([s for s in samples if isinstance(s, BadSample)], len(samples))
    done, n_bytes = _read_journal(folder, meta["size"])
    seen = {entry["id"] for entry in done}
    bar.update(len(done))
    todo = itertools.islice(enumerate(samples), len(done), None)
    journal = (folder / JOURNAL).open("a", encoding="utf-8")
    with (folder / IMAGES).open("ab") as images, journal as log:
        images.truncate(n_bytes)
        for pixels, entry in _in_order(partial(_collected, meta), todo, workers or os.cpu_count()):
            if entry["id"] in seen:
                name = entry["id"]
                raise FaceSetError(f"two faces have the id {name!r}; every face needs its own")
            seen.add(entry["id"])
            if pixels is not None:
                images.write(pixels)
                images.flush()  # what the journal tells of is there
            log.write(json.dumps(entry, default=_plain) + "\n")
            log.flush()
            bar.update()


def _read_journal(folder: Path, size: int) -> tuple[list[dict], int]:
    """The faces that journal and pictures hold both; what lies beyond them is cut off."""
    path, entries, end = folder / JOURNAL, [], 0
    n_bytes = (folder / IMAGES).stat().st_size if (folder / IMAGES).exists() else 0
    room, used = n_bytes // (3 * size * size), 0
    path.touch()
    with path.open("r+b") as file:
        for line in file:
            entry = json.loads(line) if line.endswith(b"\n") else None
            if entry is None or used + ("points" in entry) > room:
                break
            used += "points" in entry
            end += len(line)
            entries.append(entry)
        file.truncate(end)
    return entries, used * 3 * size * size


def _collected(meta: dict, numbered: tuple[int, Any]) -> tuple[np.ndarray | None, dict]:
    """A face's pixels and its line in the journal; a worker's work."""
    number, sample = numbered
    sample = sample() if callable(sample) else sample
    name = _printable(sample.id or f"{number:06d}")
    if isinstance(sample, BadSample):
        return None, {"id": name, "bad": sample.reason, "where": _printable(sample.where)}
    if reason := find_problem(sample, meta["n_points"], meta["box"]):
        return None, {"id": name, "bad": reason, "where": ""}
    crop = stored_crop(sample, meta["size"], meta["stored_margin"], meta["box"])
    visible = np.ones(len(crop.points)) if sample.visible is None else sample.visible
    return crop.image, {
        "id": name,
        "subject": sample.subject,
        "split": sample.split,
        "subsets": list(sample.subsets),
        "attributes": dict(sample.attributes),
        "points": crop.points.tolist(),
        "visible": np.asarray(visible, dtype=bool).tolist(),
        "crop": list(crop.place),
        "notes": list(sample.notes),
    }


def _printable(name: str) -> str:
    """A name that may hold bytes which are no letters, as file names of old archives do."""
    return name.encode("utf-8", "backslashreplace").decode()


def _in_order(work: Callable, items: Iterable, workers: int) -> Iterator:
    """`work` of each item, in the items' order, some at once.

    Threads: decoding and resizing pictures, which is nearly all of it, leave Python free meanwhile.
    """
    if workers == 1:
        yield from map(work, items)
        return
    pool, waiting = ThreadPoolExecutor(workers), deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _plain(value):
    """Numbers of numpy as those of Python, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"an attribute is {type(value).__name__}; expected a number, a text or a bool")


def assemble(work: Path, folder: Path, meta: dict, splits=()) -> None:
    """Make a face set in `folder` from what was collected in `work`, whose pictures are moved.

    Args:
        work: Where the faces were collected.
        folder: An empty folder.
        meta: What is known of the set.
        splits: Splits that must not be empty.

    Raises:
        FaceSetError: No face, an empty split, more than 5 % bad samples.
    """
    entries, _ = _read_journal(work, meta["size"])
    good = [entry for entry in entries if "points" in entry]
    bad = [BadSample(e["id"], e["bad"], e["where"]) for e in entries if "bad" in e]
    skipped = _judge(bad, len(good))
    notes = [*meta.get("notes", ()), *_notes(good)]
    table, columns = _table(good)
    _check_splits(table, splits)
    landmarks = np.array([entry["points"] for entry in good], dtype=np.float32)
    np.save(folder / "landmarks.npy", landmarks)
    np.save(folder / "visible.npy", np.array([entry["visible"] for entry in good], dtype=bool))
    np.save(folder / "crops.npy", np.array([entry["crop"] for entry in good], dtype=np.float64))
    table.to_csv(folder / "table.csv", index=False, encoding="utf-8")
    with (work / IMAGES).open("rb") as stream:
        pixels = hashlib.file_digest(stream, "sha256").digest()
    fingerprint = hashlib.sha256(pixels + landmarks.tobytes()).hexdigest()[:16]
    meta = {"format": FORMAT, "version": VERSION, **meta, **columns, "n_faces": len(table)}
    meta |= {"skipped": skipped, "notes": notes, "fingerprint": fingerprint}
    write_json(folder / "meta.json", meta)
    faceset_read.read_table(folder / "table.csv", len(table), list(table.columns), meta)
    shutil.move(work / IMAGES, folder / IMAGES)  # last: until now an interruption loses nothing


def _judge(bad: list[BadSample], n_good: int) -> dict[str, int]:
    """Print what was skipped and why; the counts per reason.

    Raises:
        FaceSetError: More than 5 % of all samples, or no good one.
    """
    n_all = n_good + len(bad)
    _refuse(bad, n_all)
    if not n_good:
        raise FaceSetError("there is no face to write; expected at least one")
    if bad:
        print(f"skipped {len(bad):,} of {n_all:,} samples: {_why(bad)}")
    return dict(Counter(sample.reason for sample in bad))


def _refuse(bad: list[BadSample], n_all: int) -> None:
    """
    Raises:
        FaceSetError: More than 5 % of all samples are bad.
    """
    if len(bad) > MAX_BAD * n_all:
        raise FaceSetError(
            f"{len(bad):,} of {n_all:,} samples are bad, more than {MAX_BAD:.0%}: {_why(bad)}. "
            "Nothing was written; check that the source is whole and the right one"
        )


def _why(bad: list[BadSample]) -> str:
    """Each reason with its count and where to look."""
    places: dict[str, list[str]] = {}
    for sample in bad:
        places.setdefault(sample.reason, []).append(sample.where or sample.id)
    return "; ".join(
        f"{len(names):,} × {reason} ({several(names, separator='; ')})"
        for reason, names in places.items()
    )


def _notes(good: list[dict]) -> list[str]:
    """Print what a person should know of how faces were read; a sentence each."""
    faces: dict[str, list[str]] = {}
    for entry in good:
        for note in entry.get("notes", ()):
            faces.setdefault(note, []).append(entry["id"])
    notes = [
        f"{len(ids):,} × {note} ({several(ids, separator='; ')})" for note, ids in faces.items()
    ]
    for note in notes:
        print(f"note: {note}")
    return notes


def _table(entries: list[dict]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The table of all faces, and which of its columns are subsets and which attributes."""
    subsets = sorted({subset for entry in entries for subset in entry["subsets"]})
    attributes = list(dict.fromkeys(name for entry in entries for name in entry["attributes"]))
    names = [*COLUMNS, *subsets, *attributes]
    if len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise FaceSetError(f"the table would have two columns named {twice}; rename one of each")
    table = pd.DataFrame([[e[c] for c in COLUMNS] for e in entries], columns=list(COLUMNS))
    for subset in subsets:
        table[subset] = [subset in entry["subsets"] for entry in entries]
    for name in attributes:
        table[name] = [entry["attributes"].get(name) for entry in entries]
    return table, {"subsets": subsets, "attributes": attributes}


def _check_splits(table: pd.DataFrame, splits: Iterable[str]) -> None:
    """Every split in `splits` has a face; a person in two splits, or one with far too many
    faces, is worth a warning."""
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
    if sentence := dominant_subject(table):
        print(f"warning: {sentence}")
