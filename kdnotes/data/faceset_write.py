"""How a face set is written: faces are collected one after the other, then put together.

While faces are collected, their pictures go to `images.raw` and everything else to a journal, one
line of JSON per face. An interrupted collection resumes after the last face that is in both.
`kdnotes.data.faceset` says what the files of the finished set are, `kdnotes.data.crops` how
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


def collect(
    folder: Path,
    samples: Iterable,
    meta: dict,
    workers: int | None,
    bar: tqdm,
    max_bad: float = MAX_BAD,
) -> None:
    """Crop faces and write them to `images.raw` and the journal, after those that are there.

    Args:
        folder: The folder.
        samples: The faces, or functions that load them, always in the same order.
        meta: What is known beforehand; must hold n_points, size, stored_margin and box.
        workers: How many faces are loaded and cropped at once; None means one per core.
        bar: Progress bar.
        max_bad: The share of bad samples of a list that may be left out.

    Raises:
        FaceSetError: An id used twice, or too many bad samples.
    """
    if isinstance(samples, Sequence):  # known beforehand, without loading a picture
        _refuse([s for s in samples if isinstance(s, BadSample)], len(samples), max_bad)
    done, n_bytes = _read_journal(folder, meta["size"])
    seen = {entry["id"] for entry in done}
    bar.update(len(done))
    todo = itertools.islice(enumerate(samples), len(done), None)
    faces = _in_order(partial(_collected, meta), todo, workers or os.cpu_count())
    journal = (folder / JOURNAL).open("a", encoding="utf-8")
    with (folder / IMAGES).open("ab") as images, journal:
        images.truncate(n_bytes)
        for pixels, entry in faces:
            name = entry["id"]
            if name in seen:
                raise FaceSetError(f"two faces have the id {name!r}; every face needs its own")
            seen.add(name)
            if pixels is not None:
                images.write(pixels)
                images.flush()  # before the journal says that it is there
            journal.write(json.dumps(entry, default=_plain) + "\n")
            journal.flush()
            bar.update()


def _read_journal(folder: Path, size: int) -> tuple[list[dict], int]:
    """The faces that are in both journal and pictures, and the bytes of their pictures.

    The rest of the journal is cut off.
    """
    journal, images = folder / JOURNAL, folder / IMAGES
    journal.touch()
    images.touch()
    n_pictures = images.stat().st_size // (3 * size * size)
    entries, end, used = [], 0, 0
    with journal.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            entry = json.loads(line)
            used += "points" in entry
            if used > n_pictures:
                break
            end += len(line)
            entries.append(entry)
        file.truncate(end)
    return entries, min(used, n_pictures) * 3 * size * size


def _collected(meta: dict, numbered: tuple[int, Any]) -> tuple[np.ndarray | None, dict]:
    """A face's pixels and its line in the journal; what a worker does."""
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
    """A name as text; file names of old archives may hold bytes that are no letters."""
    return name.encode("utf-8", "backslashreplace").decode()


def _in_order(work: Callable, items: Iterable, workers: int) -> Iterator:
    """`work` of each item, in the items' order, several at once.

    Threads do it: decoding and resizing pictures, nearly all of the work, releases Python's lock.
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


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"an attribute is {type(value).__name__}; expected a number, a text or a bool")


def assemble(
    work: Path, folder: Path, meta: dict, splits: Iterable[str] = (), max_bad: float = MAX_BAD
) -> None:
    """Make a face set in `folder` from what was collected in `work`, whose pictures are moved.

    Args:
        work: Where the faces were collected.
        folder: An empty folder.
        meta: What is known of the set.
        splits: Splits that must not be empty.
        max_bad: The share of bad samples that may be left out.

    Raises:
        FaceSetError: No face, an empty split, too many bad samples.
    """
    entries, _ = _read_journal(work, meta["size"])
    good = [entry for entry in entries if "points" in entry]
    bad = [BadSample(e["id"], e["bad"], e["where"]) for e in entries if "bad" in e]
    _refuse(bad, len(entries), max_bad)
    if not good:
        raise FaceSetError("there is no face to write; expected at least one")
    if bad:
        print(f"skipped {len(bad):,} of {len(entries):,} samples: {_reasons(bad)}")
    notes = _counted((note, entry["id"]) for entry in good for note in entry.get("notes", ()))
    for note in notes:
        print(f"note: {note}")
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
    meta = {
        "format": FORMAT,
        "version": VERSION,
        **meta,
        **columns,
        "n_faces": len(table),
        "skipped": Counter(sample.reason for sample in bad),
        "notes": [*meta.get("notes", ()), *notes],
        "fingerprint": fingerprint,
    }
    write_json(folder / "meta.json", meta)
    faceset_read.read_table(folder / "table.csv", len(table), list(table.columns), meta)
    shutil.move(work / IMAGES, folder / IMAGES)  # last: until now an interruption loses nothing


def _refuse(bad: list[BadSample], n_all: int, max_bad: float) -> None:
    """Checks that few samples are bad.

    Raises:
        FaceSetError: More than that share of all samples are bad.
    """
    if len(bad) > max_bad * n_all:
        raise FaceSetError(
            f"{len(bad):,} of {n_all:,} samples are bad, more than {max_bad:.0%}: {_reasons(bad)}. "
            "Nothing was written; check that the source is whole and the right one"
        )


def _reasons(bad: list[BadSample]) -> str:
    """Each reason with its count and where to look."""
    return "; ".join(_counted((sample.reason, sample.where or sample.id) for sample in bad))


def _counted(remarks: Iterable[tuple[str, str]]) -> list[str]:
    """Each remark once, with its count and some of the places that it is made of.

    Args:
        remarks: A remark and its place, again and again.
    """
    places: dict[str, list[str]] = {}
    for remark, place in remarks:
        places.setdefault(remark, []).append(place)
    return [
        f"{len(names):,} × {remark} ({several(names, separator='; ')})"
        for remark, names in places.items()
    ]


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
    """Warns of a person in two splits, and of one with far too many faces.

    Raises:
        FaceSetError: One of `splits` has no face.
    """
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
    sentence = dominant_subject(table)
    if sentence:
        print(f"warning: {sentence}")
