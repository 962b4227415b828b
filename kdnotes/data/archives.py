"""Unpacking other people's archives (zip, tar, tar.gz) without trusting them.

An archive may be cut off, damaged, a web page, or made to write outside its folder or to fill the
disk. Each ends in one sentence that says what was found and what to do. Nothing is written before
all members have been checked.
"""

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

from kdnotes.data.downloads import check_space
from kdnotes.data.formats.reading import is_plain_path

#: More than this is not unpacked: no data set read here is larger, so it is a mistake or an attack.
MAX_UNPACKED = 8 * 2**30
#: First bytes of what people get instead of an archive, or of half of one.
KINDS = {
    b"PK": "a zip file that is cut off or damaged",
    b"\x1f\x8b": "a gzip file that is cut off or damaged",
    b"<": "a web page",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xff\xd8": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"version https://git-lfs": "a Git LFS pointer",
}
DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError,
    RuntimeError, NotImplementedError,
)  # fmt: skip


class ArchiveError(ValueError):
    """An archive must not or cannot be unpacked."""


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_UNPACKED) -> None:
    """Unpack a zip or tar file into an empty folder, after all its members have been checked.

    Args:
        archive: The file.
        folder: Where its members go.
        max_bytes: The most that they may take unpacked, in bytes.

    Raises:
        FileNotFoundError: There is no such file.
        ArchiveError: It is neither, or a damaged one, has a member that would land outside the
            folder or is a link, or is larger than `max_bytes` when unpacked.
        OSError: Not enough room.
    """
    if not archive.is_file():
        raise FileNotFoundError(f"there is no archive {archive}; give the path of the file")
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder, max_bytes)
        else:
            _unpack_tar(archive, folder, max_bytes)
    except DAMAGE as error:
        detail = str(error).splitlines()[0] if str(error) else repr(error)
        raise ArchiveError(
            f"{archive} is {_kind(archive)} ({detail}), expected a whole zip or tar file; "
            "delete it and download it again"
        ) from error


def _unpack_zip(archive: Path, folder: Path, max_bytes: int) -> None:
    plain = 0, stat.S_IFREG, stat.S_IFDIR
    with zipfile.ZipFile(archive) as file:
        members = [
            (m.orig_filename, m.file_size, stat.S_IFMT(m.external_attr >> 16) in plain)
            for m in file.infolist()
        ]
        _check(archive, members, folder, max_bytes)
        file.extractall(folder)


def _unpack_tar(archive: Path, folder: Path, max_bytes: int) -> None:
    with tarfile.open(archive) as file:
        members = [(m.name, m.size, m.isfile() or m.isdir()) for m in file]
        while file.fileobj.read(1 << 20):  # to the checksum at its end, if it has one
            pass
        _check(archive, members, folder, max_bytes)
        file.extractall(folder, filter="data")


def _check(archive: Path, members: list[tuple[str, int, bool]], folder: Path, most: int) -> None:
    """Refuses an archive that must not be unpacked.

    Args:
        archive: The file.
        members: Name and bytes of each member, and whether it is a plain file or a folder.
        folder: Where they go.
        most: The most bytes that they may take.

    Raises:
        ArchiveError: A member lands outside the folder or is a link, or all are too large.
        OSError: Not enough room.
    """
    for name, _, plain in members:
        problem = "" if plain else "is a link or a special file"
        if not is_plain_path(name):
            problem = "would be written outside the folder"
        if problem:
            raise ArchiveError(
                f"{archive}: the member {name!r} {problem}; nothing of it is used. "
                "Get the archive from its official address"
            )
    total = sum(n_bytes for _, n_bytes, _ in members)
    if total > most:
        raise ArchiveError(
            f"{archive} would unpack to {total / 2**20:,.0f} MB, more than the allowed "
            f"{most / 2**20:,.0f} MB; is it the right file?"
        )
    check_space(folder, total)


def _kind(file: Path) -> str:
    """What a file really is, judged by its first bytes."""
    with file.open("rb") as stream:
        start = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return "an empty file"
    kinds = (kind for magic, kind in KINDS.items() if start.startswith(magic))
    return next(kinds, "a file of another kind")
