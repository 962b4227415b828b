"""From a data set to a face set: what `python -m kdnotes data prepare NAME` does.

An interrupted preparation goes on where it was: what was downloaded, unpacked and cropped is used
again when the same command is given. One that fails leaves nothing but the downloads.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from kdnotes import archives, datasets, downloads, faceset_read, files, synthetic
from kdnotes.datasets import PublicSet
from kdnotes.faceset import FaceSet, Sample
from kdnotes.formats import own, split_by_name
from kdnotes.schemes import Scheme
from kdnotes.views import STORED_MARGIN

#: Side of a stored crop: at least the network's side × stored margin / crop margin, so that the
#: network's view is not blown up. A network of 96 px with the margins 2.2 and 1.3 needs 163.
SIZE = 176

SYNTHETIC_SPLIT_RULE = (
    "by subject: sha256(seed/subject) % 100 below 70 train, below 80 validation, else test"
)


def prepare_public(
    dataset: PublicSet | str,
    out: str | Path,
    *,
    archive: Sequence[str | Path] = (),
    folder: str | Path | None = None,
    size: int = SIZE,
    margin: float = STORED_MARGIN,
    box: str = "landmarks",
    limit: int | None = None,
    workers: int | None = None,
    replace: bool = False,
    progress: bool = True,
) -> FaceSet:
    """Make a face set from a public data set.

    Args:
        dataset: One of `datasets.DATASETS`, or its name.
        out: The new face set's folder.
        archive: The files that the data set comes in, if one has them; the others are downloaded.
        folder: The unpacked files, if one has these.
        size: Side of a stored crop in pixels.
        margin: Side of a stored crop in units of the longer side of the box.
        box: What is cropped around: the "landmarks" box or the data set's own, "dataset".
        limit: Take only the first faces, for a quick try.
        workers: How many faces are read at once; None means one per core.
        replace: Replace the face set at `out`.
        progress: Show progress bars.

    Raises:
        FileExistsError: `out` is there already.
        FileNotFoundError: An archive or the folder is not what it should be.
        ArchiveError, DownloadError: An archive cannot be fetched or unpacked.
        FaceSetError: More than 5 % of the faces are unusable, or a split would be empty.
    """
    dataset = datasets.get(dataset) if isinstance(dataset, str) else dataset
    out = Path(out)
    faceset_read.check_target(out, replace)
    if archive and folder:
        raise ValueError(f"give archives or a folder, not both: found {archive} and {folder}")
    _check_limit(limit)
    print(dataset.notice)
    extra = {"labels": dataset.labels, "licence": dataset.licence, "citation": dataset.citation}
    with contextlib.ExitStack() as stack:
        source = _listing(Path(folder)) if folder else ""
        if not folder:
            given = [Path(path) for path in archive]
            found, fetched = _find_archives(dataset, given, progress)
            extra["archive_sha256"] = {path.name: _sha256(path) for path in found}
            source = extra["archive_sha256"]
            folder = stack.enter_context(
                _unpacked(found, fetched, out, extra["archive_sha256"], dataset.separate)
            )
        faces = FaceSet.write(
            out,
            itertools.islice(dataset.faces(Path(folder)), limit),
            scheme=dataset.n_points,
            size=size,
            stored_margin=margin,
            box=box,
            name=dataset.name,
            source=dataset.title,
            split_rule=dataset.split_rule,
            splits=("train", "validation", "test") if limit is None else (),
            total=limit,
            workers=workers,
            resume=f"{source}, limit {limit}",
            progress=progress,
            replace=replace,
            extra=extra,
        )
    print(summary(faces))
    return faces


def prepare_own(
    table: str | Path,
    out: str | Path,
    *,
    images: str | Path | None = None,
    scheme: Scheme | int = 68,
    size: int = SIZE,
    margin: float = STORED_MARGIN,
    box: str = "landmarks",
    limit: int | None = None,
    workers: int | None = None,
    replace: bool = False,
    progress: bool = True,
) -> FaceSet:
    """Make a face set from your own photographs.

    Args:
        table: A CSV file, or COCO keypoints in a JSON file; see `kdnotes.formats.own`.
        out: The new face set's folder.
        images: The folder of COCO's file names; None means the table's own folder.
        scheme: Number of points, or a `Scheme` of your own.

    The other arguments and errors are those of `prepare_public`.
    """
    table, out = Path(table), Path(out)
    faceset_read.check_target(out, replace)
    _check_limit(limit)
    if table.suffix.lower() == ".json":
        found = own.coco_faces(table, images or table.parent)
    else:
        found = own.csv_faces(table)
    faces = FaceSet.write(
        out,
        itertools.islice(found, limit),
        scheme=scheme,
        size=size,
        stored_margin=margin,
        box=box,
        name=table.stem,
        source=f"the table {table.name}",
        split_rule=own.SPLIT_RULE,
        workers=workers,
        resume=f"{_sha256(table)}, {Path(images or table.parent).absolute()}, limit {limit}",
        progress=progress,
        replace=replace,
        extra={"labels": f"those of {table.name}"},
    )
    print(summary(faces))
    return faces


def prepare_synthetic(
    out: str | Path,
    n: int,
    *,
    size: int = SIZE,
    scheme: int = 68,
    seed: int = 0,
    without: Sequence[str] = (),
    workers: int | None = None,
    replace: bool = False,
    progress: bool = True,
) -> FaceSet:
    """Make a face set of rendered faces, whose landmarks are exact; nothing is downloaded.

    Args:
        out: The new face set's folder.
        n: Number of faces.
        size: Side of a picture in pixels; the picture itself is the stored crop.
        scheme: Number of landmarks: 29, 68 or 98.
        seed: Another seed, other faces.
        without: Variety to leave out: "camera", "light", "background" (see `synthetic`).
        workers: Number of processes; None means one per core. The faces do not depend on it.
        replace: Replace the face set at `out`.
        progress: Show progress bars.

    Raises:
        FileExistsError: `out` is there already.
    """
    out = Path(out)
    faceset_read.check_target(out, replace)
    if n < 1:
        raise ValueError(f"a face set needs at least 1 face, asked for {n}")
    downloads.check_space(out.parent, n * size * size * 3)
    rendered = synthetic.stream_faces(n, size, seed, scheme, workers, without)
    faces = FaceSet.write(
        out,
        _rendered_samples(rendered, size=size, seed=seed),
        scheme=scheme,
        size=size,
        stored_margin=STORED_MARGIN,
        name="synthetic",
        source=f"faces rendered by kdnotes.synthetic, seed {seed}"
        + (f", without {' and '.join(without)}" if without else ""),
        split_rule=SYNTHETIC_SPLIT_RULE,
        total=n,
        progress=progress,
        replace=replace,
        extra={"labels": "exact: computed with the picture", "seed": seed},
    )
    print(summary(faces))
    return faces


def summary(faces: FaceSet) -> str:
    """A few lines on a face set: faces and people per split and subset, size and crop."""
    lines = [
        f"{len(faces):,} faces in {faces.path}: {faces.size} px, square around the "
        f"{faces.meta['box']} box × {faces.meta['stored_margin']:g}"
    ]
    for name, count in faces.counts().items():
        chosen = faces.table["split"] == name
        people = faces.table.loc[chosen, "subject"]
        known = f" of {people.nunique():,} people" if (people != "").any() else ""
        lines.append(f"  {name:10} {count:6,} faces{known}")
        for subset in faces.meta["subsets"]:
            if n := int(faces.table.loc[chosen, subset].sum()):
                lines.append(f"    {subset:15} {n:6,}")
    return "\n".join(lines)


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise ValueError(f"the limit must be at least 1 face, found {limit}")


def _rendered_samples(faces: Iterable, *, size: int, seed: int) -> Iterator[Sample]:
    """Rendered faces as samples; a true bool attribute makes a face one of that subset."""
    middle = size / 2 - 0.5
    for i, (image, landmarks, visible, attributes) in enumerate(faces):
        flags = {name for name, value in attributes.items() if isinstance(value, bool | np.bool_)}
        subject = str(attributes["subject"])
        yield Sample(
            image,
            middle + size * landmarks.astype(np.float64),
            visible,
            id=f"{i:06d}",
            subject=subject,
            split=split_by_name(f"{seed}/{subject}"),
            subsets=tuple(name for name in attributes if name in flags and attributes[name]),
            attributes={k: v for k, v in attributes.items() if k not in (*flags, "subject")},
            crop=(middle, middle, size),
        )


def _find_archives(
    dataset: PublicSet, given: list[Path], progress: bool
) -> tuple[list[Path], list[Path]]:
    """The data set's files, those given and those fetched now; and which were fetched."""
    for path in given:
        if not path.is_file():
            raise FileNotFoundError(f"there is no archive {path}; give the path of the file")
    if len(dataset.files) == 1 and len(given) == 1:  # whatever its name
        return given, []
    names = {path.name for path in given}
    expected = [remote.name for remote in dataset.files]
    if unknown := sorted(names - set(expected)):
        raise ValueError(
            f"{dataset.name} comes in {', '.join(expected)}; found {', '.join(unknown)}: rename "
            "the files, or unpack them and give the folder with --dir"
        )
    missing = [remote for remote in dataset.files if remote.name not in names]
    fetched = [downloads.download(remote, progress=progress) for remote in missing]
    return given + fetched, fetched


@contextlib.contextmanager
def _unpacked(
    found: list[Path], fetched: list[Path], out: Path, hashes: dict, separate: bool
) -> Iterator[Path]:
    """A folder beside `out` with the content of the archives; gone when the work is done."""
    with files.work_folder(out.absolute().with_name(f".{out.name}.unpacked"), hashes) as folder:
        for path in found:
            target = folder / (path.stem if separate else "content")
            whole = folder / f"{path.name}.whole"
            if whole.exists():  # an interrupted run had come that far
                continue
            target.mkdir(exist_ok=True)
            try:
                archives.unpack(path, target)
            except archives.ArchiveError:
                if path in fetched:  # the next run shall not find the broken file in the cache
                    path.unlink()
                raise
            whole.touch()
        yield folder if separate else folder / "content"


def _listing(folder: Path) -> str:
    """What a folder holds, in one word: names, sizes and times of its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [(str(p.relative_to(folder)), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return f"{folder.absolute()} {hashlib.sha256(repr(parts).encode()).hexdigest()}"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
