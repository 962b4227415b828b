"""The files a data set comes in: those a reader has, those fetched now, and what is inside."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from kdnotes.data import archives, downloads
from kdnotes.data.formats.reading import walk
from kdnotes.data.public import PublicSet
from kdnotes.system import files


def find_archives(
    dataset: PublicSet, given: list[Path], progress: bool
) -> tuple[list[Path], list[Path]]:
    """The files of a data set; those that are not given are fetched.

    Args:
        dataset: The data set.
        given: The files that a reader has.
        progress: Show progress bars.

    Returns:
        All files, and those of them that were fetched.

    Raises:
        FileNotFoundError: A given file is not there.
        ValueError: A given file is none of the data set's.
        DownloadError: A file cannot be fetched.
    """
    for path in given:
        if not path.is_file():
            raise FileNotFoundError(f"there is no archive {path}; give the path of the file")
    if len(dataset.files) == 1 and len(given) == 1:  # whatever its name
        return given, []
    parts = [f"{part}.zip" for part in dataset.left_out]
    given = [path for path in given if path.name not in parts]
    names = {path.name for path in given}
    expected = [remote.name for remote in dataset.files]
    if unknown := sorted(names - set(expected)):
        raise ValueError(
            f"{dataset.name} comes in {', '.join(expected)}; found {', '.join(unknown)}: rename "
            "the files, or unpack them and give the folder with --dir"
        )
    missing = [remote for remote in dataset.files if remote.name not in names]
    fetched = [_fetched(dataset, remote, progress) for remote in missing]
    return given + fetched, fetched


def _fetched(dataset: PublicSet, remote: downloads.Remote, progress: bool) -> Path:
    try:
        return downloads.download(remote, progress=progress)
    except downloads.DownloadError as error:
        part = remote.name.removesuffix(".zip")
        if part not in dataset.parts:
            raise
        raise downloads.DownloadError(f"{error}, or leave it out with --without {part}") from error


@contextlib.contextmanager
def unpacked(
    paths: list[Path], fetched: list[Path], out: Path, hashes: dict, separate: bool
) -> Iterator[Path]:
    """A folder beside `out` with the content of archives; gone when the work is done.

    Args:
        paths: The archives.
        fetched: Those that lie in the cache, where a broken one is deleted.
        out: The face set that is made of them.
        hashes: File name to SHA-256; other hashes are unpacked anew.
        separate: Unpack each into a folder of its name.

    Yields:
        The folder.
    """
    with files.work_folder(files.beside(out, "unpacked"), hashes) as folder:
        for path in paths:
            target = folder / (path.stem if separate else "content")
            whole = folder / f"{path.name}.whole"
            if whole.exists():  # an interrupted run had come that far
                continue
            target.mkdir(exist_ok=True)
            _unpack(path, target, path in fetched)
            whole.touch()
        yield folder if separate else folder / "content"


def _unpack(path: Path, target: Path, fetched: bool) -> None:
    """Unpacks an archive.

    A broken one that was fetched is deleted, or the next run would find it in the cache.
    """
    try:
        archives.unpack(path, target)
    except archives.ArchiveError:
        if fetched:
            path.unlink()
        raise


def listing(folder: Path) -> str:
    """A folder's path and a hash of the names, sizes and times of its files."""
    stats = [(str(path.relative_to(folder)), path.stat()) for path in walk(folder)]
    parts = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return f"{folder.absolute()} {hashlib.sha256(repr(parts).encode()).hexdigest()}"


def sha256(file: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
