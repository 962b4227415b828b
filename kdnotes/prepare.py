"""From a public data set to a face set: what `python -m kdnotes data prepare NAME` does."""

import contextlib
import hashlib
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from kdnotes import archives, faceset_read, formats, synthetic
from kdnotes.faceset import FaceSet, Sample

#: Side of a stored crop: at least the network's side × stored margin / crop margin, so that the
#: network's view is not blown up. A network of 96 px with the margins 2.2 and 1.3 needs 163.
SIZE = 176
MARGIN = 2.2

SYNTHETIC_SPLIT_RULE = (
    "by subject: sha256(seed/subject) % 100 below 70 train, below 80 validation, else test"
)

YOUTUBE_URL = "https://github.com/udacity/P1_Facial_Keypoints/archive/refs/heads/master.zip"
YOUTUBE_SOURCE = "YouTube Faces with facial keypoints (github.com/udacity/P1_Facial_Keypoints, MIT)"
YOUTUBE_LABELS = (
    "very likely the output of another network (FAN), in whole numbers, not of a hand; "
    "NME here is the distance to that network's points"
)
#: Room for the download; the server does not tell its size beforehand.
YOUTUBE_DOWNLOAD = 600 * 2**20


def prepare_youtube_faces(
    out: str | Path,
    *,
    archive: str | Path | None = None,
    folder: str | Path | None = None,
    size: int = SIZE,
    margin: float = MARGIN,
    limit: int | None = None,
    replace: bool = False,
    progress: bool = True,
    url: str = YOUTUBE_URL,
) -> FaceSet:
    """Make a face set from YouTube Faces with facial keypoints (68 points, split by person).

    Args:
        out: The new face set's folder.
        archive: The repository's zip file, if one has it; else it is downloaded.
        folder: The unpacked repository, if one has that.
        size: Side of a stored crop in pixels.
        margin: Side of a stored crop in units of the longer side of the landmarks' box.
        limit: Take only the first faces, for a quick try.
        replace: Replace the face set at `out`.
        progress: Show progress bars.
        url: Where the archive is downloaded from.

    Raises:
        FileExistsError: `out` is there already.
        FileNotFoundError: The archive or the folder is not what it should be.
        ArchiveError: The archive cannot be fetched or unpacked.
        FaceSetError: More than 5 % of the faces are unusable, or a split would be empty.
    """
    out = Path(out)
    faceset_read.check_target(out, replace)
    if archive and folder:
        raise ValueError(f"give an archive or a folder, not both: found {archive} and {folder}")
    if limit is not None and limit < 1:
        raise ValueError(f"the limit must be at least 1 face, found {limit}")
    print(f"{YOUTUBE_SOURCE}\nlabels: {YOUTUBE_LABELS}")
    extra = {"labels": YOUTUBE_LABELS}
    with contextlib.ExitStack() as stack:
        if not folder:
            fetched = not archive
            if fetched:
                archives.check_space(archives.cache_folder(), YOUTUBE_DOWNLOAD)
                # the archive of a branch is packed anew now and then: its hash is not fixed
                archive = archives.download(url, "youtube_faces.zip", progress=progress)
            folder = stack.enter_context(_unpacked(Path(archive), out, fetched))
            extra["archive_sha256"] = _sha256(Path(archive))
        faces = FaceSet.write(
            out,
            itertools.islice(formats.read_youtube_faces(folder), limit),
            scheme=68,
            size=size,
            stored_margin=margin,
            name="youtube-faces",
            source=YOUTUBE_SOURCE,
            split_rule=formats.YOUTUBE_SPLIT_RULE,
            splits=("train", "validation", "test") if limit is None else (),
            total=limit,
            progress=progress,
            replace=replace,
            extra=extra,
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
        replace: Replace the face set at `out`.
        progress: Show progress bars.

    Raises:
        FileExistsError: `out` is there already.
    """
    out = Path(out)
    faceset_read.check_target(out, replace)
    if n < 1:
        raise ValueError(f"a face set needs at least 1 face, asked for {n}")
    archives.check_space(out.parent, n * size * size * 3)
    rendered = synthetic.stream_faces(n, size, seed=seed, scheme=scheme)
    faces = FaceSet.write(
        out,
        _rendered_samples(rendered, size=size, seed=seed),
        scheme=scheme,
        size=size,
        stored_margin=MARGIN,
        name="synthetic",
        source=f"faces rendered by kdnotes.synthetic, seed {seed}",
        split_rule=SYNTHETIC_SPLIT_RULE,
        total=n,
        progress=progress,
        replace=replace,
        extra={"labels": "exact: computed with the picture", "seed": seed},
    )
    print(summary(faces))
    return faces


def summary(faces: FaceSet) -> str:
    """A few lines on a face set: faces and people per split, size and crop."""
    lines = [
        f"{len(faces):,} faces in {faces.path}: {faces.size} px, square around the "
        f"{faces.meta['box']} box × {faces.meta['stored_margin']:g}"
    ]
    for name, count in faces.counts().items():
        subjects = faces.table.loc[faces.table["split"] == name, "subject"]
        lines.append(f"  {name:10} {count:6,} faces of {subjects.nunique():,} people")
    return "\n".join(lines)


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
            split=formats.split_by_name(f"{seed}/{subject}"),
            subsets=tuple(name for name in attributes if name in flags and attributes[name]),
            attributes={k: v for k, v in attributes.items() if k not in (*flags, "subject")},
            crop=(middle, middle, size),
        )


@contextlib.contextmanager
def _unpacked(archive: Path, out: Path, fetched: bool) -> Iterator[Path]:
    """A temporary folder beside `out` with the content of an archive, a file given or fetched."""
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    prefix, parent = f".{out.name}.", out.absolute().parent
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=".unpacked", dir=parent) as name:
        try:
            archives.unpack(archive, Path(name))
        except archives.ArchiveError:
            if fetched:  # the next run shall not find the broken file in the cache
                archive.unlink()
            raise
        yield Path(name)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
