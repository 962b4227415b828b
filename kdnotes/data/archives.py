"""Unpacking other people's archives (zip, tar, tar.gz) without trusting them.

An archive may be cut off, damaged, a web page, or made to write outside its folder or to fill the
disk. Each ends in one sentence that says what was found and what to do.
"""

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

from kdnotes.data.downloads import check_space

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
    """Unpack a zip or tar file into an empty folder.

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
        what = f"{_kind(archive)} ({str(error).splitlines()[0] if str(error) else error!r})"
        raise ArchiveError(
            f"{archive} is {what}, expected a whole zip or tar file; delete it and download it "
            "again"
        ) from error


def _unpack_zip(archive: Path, folder: Path, max_bytes: int) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
            _check_member(archive, member.orig_filename, plain)
        total = sum(member.file_size for member in members)
        _check_size(archive, total, max_bytes)
        check_space(folder, total)
        for member in members:  # reads no more than the declared size, and checks the CRC
            file.extract(member, folder)


def _unpack_tar(archive: Path, folder: Path, max_bytes: int) -> None:
    total = 0
    with tarfile.open(archive) as file:
        for member in file:  # one pass: a compressed file would have to be read twice otherwise
            _check_member(archive, member.name, member.isfile() or member.isdir())
            total += member.size
            _check_size(archive, total, max_bytes)
            check_space(folder, member.size)
            file.extract(member, folder, filter="data")
        while file.fileobj.read(1 << 20):  # to its end, where a compressed file has its checksum
            pass


def _check_size(archive: Path, total: int, max_bytes: int) -> None:
    if total > max_bytes:
        raise ArchiveError(
            f"{archive} would unpack to {total / 2**20:,.0f} MB, more than the allowed "
            f"{max_bytes / 2**20:,.0f} MB; is it the right file?"
        )


def _check_member(archive: Path, member: str, plain: bool) -> None:
    """A member is a plain file or folder inside the archive's own folder."""
    name = member.replace("\\", "/")
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
        problem = "would be written outside the folder"
    elif not plain:
        problem = "is a link or a special file"
    else:
        return
    raise ArchiveError(
        f"{archive}: the member {member!r} {problem}; nothing of it is used. "
        "Get the archive from its official address"
    )


def _kind(file: Path) -> str:
    """What a file really is, judged by its first bytes."""
    with file.open("rb") as stream:
        start = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return "an empty file"
    for magic, kind in KINDS.items():
        if start.startswith(magic):
            return kind
    return "a file of another kind"
