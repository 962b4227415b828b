"""From a data set to a face set: what `python -m kdnotes data prepare NAME` does.

An interrupted preparation resumes where it stopped when the same command is given: what was
downloaded, unpacked and cropped is used again. One that fails leaves nothing but the downloads.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdnotes.data import downloads, faceset_read, public, schemes, sources, synthetic
from kdnotes.data.crops import STORED_MARGIN
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.data.formats import coco, own, split_by_name
from kdnotes.data.formats.reading import Face
from kdnotes.data.public import PublicSet
from kdnotes.data.schemes import Scheme
from kdnotes.system import files

#: Side of a stored crop: at least the network's side × stored margin / crop margin, so that the
#: network's view is not blown up. A network of 96 px with the margins 2.2 and 1.3 needs 163.
SIZE = 176

SYNTHETIC_SPLIT_RULE = (
    "by subject: sha256(seed/subject) % 100 below 70 train, below 80 validation, else test"
)


@dataclass(frozen=True)
class Options:
    """How faces are cropped and written, the same for every set of photographs.

    Attributes:
        size: Side of a stored crop in pixels.
        margin: Side of a stored crop in units of the longer side of the box; None: as
            `FaceSet.write` chooses.
        box: What is cropped around: the "landmarks" box, the data set's own, "dataset", or the
            whole "picture".
        limit: Take only the first faces, for a quick try.
        workers: How many faces are read at once; None means one per core.
        replace: Replace the face set that is there.
        progress: Show progress bars.
    """

    size: int = SIZE
    margin: float | None = None
    box: str = "landmarks"
    limit: int | None = None
    workers: int | None = None
    replace: bool = False
    progress: bool = True

    def __post_init__(self):
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"the limit must be at least 1 face, found {self.limit}")

    def write(self, out: Path, faces: list[Face], origin: str | dict, **description) -> FaceSet:
        """Writes a face set and prints what is in it.

        Args:
            out: The new face set's folder.
            faces: The faces, their pictures not loaded yet.
            origin: What they come from; it must change when the faces do.
            description: What `FaceSet.write` is told of the set: scheme, name, source, …

        Returns:
            The face set, opened.
        """
        faces = faces[: self.limit]
        written = FaceSet.write(
            out,
            faces,
            size=self.size,
            stored_margin=self.margin,
            box=self.box,
            total=len(faces),
            workers=self.workers,
            resume=f"{origin}, limit {self.limit}",
            progress=self.progress,
            replace=self.replace,
            **description,
        )
        print(summary(written))
        return written


def prepare_public(
    dataset: PublicSet | str,
    out: str | Path,
    *,
    archive: Sequence[str | Path] = (),
    folder: str | Path | None = None,
    without: Sequence[str] = (),
    **options,
) -> FaceSet:
    """Make a face set from a public data set.

    Args:
        dataset: One of `public.DATASETS`, or its name.
        out: The new face set's folder.
        archive: The files that the data set comes in, if one has them; the others are downloaded.
        folder: The unpacked files, if one has these.
        without: Parts of the data set to leave out, such as "ibug" of 300W; they are not fetched.
        options: Those of `Options`.

    Raises:
        FileExistsError: `out` is there already.
        FileNotFoundError: An archive or the folder is not what it should be.
        ArchiveError, DownloadError: An archive cannot be fetched or unpacked.
        FaceSetError: More than 5 % of the faces are unusable, or a split would be empty.
    """
    dataset = public.get(dataset) if isinstance(dataset, str) else dataset
    dataset = dataset.without(without)
    out, options = Path(out), Options(**options)
    faceset_read.check_target(out, options.replace)
    if archive and folder:
        raise ValueError(f"give archives or a folder, not both: found {archive} and {folder}")
    print(dataset.notice)
    extra = {"labels": dataset.labels, "licence": dataset.licence, "citation": dataset.citation}
    if without:
        extra |= {"left_out": dataset.left_out, "lost_subsets": dataset.lost_subsets}
    with contextlib.ExitStack() as stack:
        stack.enter_context(files.turn(out))
        if folder:
            origin = sources.listing(Path(folder))
        else:
            given = [Path(path) for path in archive]
            archives, fetched = sources.find_archives(dataset, given, options.progress)
            origin = {path.name: sources.sha256(path) for path in archives}
            extra["archive_sha256"] = origin
            folder = stack.enter_context(
                sources.unpacked(archives, fetched, out, origin, dataset.separate)
            )
        return options.write(
            out,
            dataset.faces(Path(folder)),
            origin,
            scheme=dataset.n_points,
            name=dataset.name,
            source=dataset.title,
            split_rule=dataset.split_rule,
            splits=("train", "validation", "test") if options.limit is None else (),
            extra=extra,
        )


def prepare_own(
    table: str | Path,
    out: str | Path,
    *,
    images: str | Path | None = None,
    scheme: Scheme | int | None = None,
    pixels: str = "upright",
    category: str | None = None,
    **options,
) -> FaceSet:
    """Make a face set from your own photographs.

    Args:
        table: A CSV file, or COCO keypoints in a JSON file; see `kdnotes.data.formats.own`.
        out: The new face set's folder.
        images: The folder that its file names are relative to; None means the table's own.
        scheme: Number of points, or a `Scheme` of your own; None takes the built-in scheme with as
            many points as the table.
        pixels: The points are those of "upright" pictures, or of pictures as "stored".
        category: Name of the faces' category in a COCO file; None takes all.
        options: Those of `Options`.

    Raises:
        FileExistsError: `out` is there already.
        ValueError: The table cannot be read, or no scheme fits it.
        FaceSetError: More than 5 % of the faces are unusable.
    """
    table, out, options = Path(table), Path(out), Options(**options)
    faceset_read.check_target(out, options.replace)
    if pixels not in ("upright", "stored"):
        raise ValueError(f'pixels are "upright" or "stored", found {pixels!r}')
    scheme = None if scheme is None else schemes.get(scheme)
    images, upright = Path(images or table.parent), pixels == "upright"
    if table.suffix.lower() == ".json":
        n_points = scheme and scheme.n_points
        own_faces = coco.coco_faces(table, images, upright, n_points=n_points, category=category)
    elif category is not None:
        raise ValueError(f"a category is chosen in a COCO file; {table.name} is none")
    else:
        own_faces = own.csv_faces(table, images, upright)
    for note in own_faces.notes:
        print(f"note: {note}")
    return options.write(
        out,
        own_faces.faces,
        f"{sources.sha256(table)}, {images.absolute()}, {pixels}, {category}",
        scheme=own.find_scheme(table, own_faces.n_points, scheme),
        name=table.stem,
        source=f"the table {table.name}",
        split_rule=own.SPLIT_RULE,
        extra={"labels": f"those of {table.name}", "pixels": pixels, "notes": own_faces.notes},
    )


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
        source=f"faces rendered by kdnotes.data.synthetic, seed {seed}"
        + (f", without {' and '.join(without)}" if without else ""),
        split_rule=SYNTHETIC_SPLIT_RULE,
        rendered=True,
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
        sizes = faces.table.loc[chosen, faces.meta["subsets"]].sum()
        lines += [f"    {subset:15} {n:6,}" for subset, n in sizes.items() if n]
    if parts := faces.meta.get("left_out"):
        lost = " or ".join(faces.meta["lost_subsets"])
        subsets = f"; there is no subset {lost}" if lost else ""
        lines.append(f"  left out: {', '.join(parts)}{subsets}")
    return "\n".join(lines)


def _rendered_samples(faces: Iterable, *, size: int, seed: int) -> Iterator[Sample]:
    """Rendered faces as samples.

    An attribute that is true or false becomes a subset, which holds the faces where it is true.

    Args:
        faces: Image, landmarks, visible and attributes of each, see `synthetic.stream_faces`.
        size: Side of the pictures in pixels.
        seed: Their seed.
    """
    middle = size / 2 - 0.5
    for i, (image, landmarks, visible, attributes) in enumerate(faces):
        flags = {k: v for k, v in attributes.items() if isinstance(v, bool | np.bool_)}
        subject = str(attributes["subject"])
        yield Sample(
            image,
            middle + size * landmarks.astype(np.float64),
            visible,
            id=f"{i:06d}",
            subject=subject,
            split=split_by_name(f"{seed}/{subject}"),
            subsets=tuple(name for name, flag in flags.items() if flag),
            attributes={k: v for k, v in attributes.items() if k not in (*flags, "subject")},
            crop=(middle, middle, size),
        )
