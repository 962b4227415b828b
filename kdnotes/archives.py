"""Fetching and unpacking other people's archives without trusting them.

A download may break off, or be a web page instead of a file; an archive may be cut off, damaged,
or made to write outside its folder or to fill the disk. Each ends in one sentence that says what
was found and what to do, and nothing is left under a final name.
"""

import os
import shutil
import stat
import time
import zipfile
import zlib
from pathlib import Path

import pooch

#: More than this is not unpacked: no data set read here is larger, so it is a mistake or an attack.
MAX_UNPACKED = 8 * 2**30
#: First bytes of what people get instead of a zip file.
KINDS = {
    b"PK": "a zip file that is cut off or damaged",
    b"<": "a web page",
    b"\x1f\x8b": "a gzip file",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xff\xd8": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"version https://git-lfs": "a Git LFS pointer",
}


class ArchiveError(ValueError):
    """An archive could not be fetched, or must not or cannot be unpacked."""


def cache_folder() -> Path:
    """Where downloads are kept: `$KDNOTES_CACHE`, or the system's cache folder."""
    return Path(os.environ.get("KDNOTES_CACHE") or pooch.os_cache("kdnotes"))


def download(
    url: str, name: str, *, known_hash: str | None = None, tries: int = 3, progress: bool = True
) -> Path:
    """The file at `url`, fetched into the cache folder unless it is there already.

    Args:
        url: Its address.
        name: Its name in the cache.
        known_hash: Its SHA-256, or None where it is not known.
        tries: How often a broken connection is tried again.
        progress: Show a progress bar.

    Raises:
        ArchiveError: It could not be fetched, or the cache folder cannot be used.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError(
            f"cannot use the cache folder {folder} ({error}); "
            "name another one in the variable KDNOTES_CACHE"
        ) from error
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=60)
    for attempt in range(1, tries + 1):
        try:
            # pooch writes to a temporary name and renames: a broken download is never kept
            file = pooch.retrieve(url, known_hash, name, folder, downloader=downloader)
            return Path(file)
        except (OSError, ValueError) as error:  # no connection, or (ValueError) another hash
            if attempt == tries:
                raise ArchiveError(
                    f"could not fetch {url} in {tries} tries ({error}); "
                    "download it by hand and pass the file with --archive"
                ) from error
            print(f"the download broke off ({error}); trying again")
            time.sleep(attempt)
    raise AssertionError("not reached")


def check_space(folder: Path, n_bytes: int) -> None:
    """There is room for `n_bytes` more in `folder`, which need not exist yet.

    Raises:
        OSError: There is not.
    """
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise OSError(
            f"{folder} has {free / 2**20:,.0f} MB free, {n_bytes / 2**20:,.0f} MB are needed; "
            "make room or choose another folder"
        )


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_UNPACKED) -> None:
    """Unpack a zip file into an empty folder.

    Raises:
        FileNotFoundError: There is no such file.
        ArchiveError: It is no zip file or a damaged one, has a member that would land outside the
            folder or is a link, or is larger than `max_bytes` when unpacked.
        OSError: Not enough room.
    """
    if not archive.is_file():
        raise FileNotFoundError(f"there is no archive {archive}; give the path of the zip file")
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                _check_member(archive, member)
            total = sum(member.file_size for member in members)
            if total > max_bytes:
                raise ArchiveError(
                    f"{archive} would unpack to {total / 2**20:,.0f} MB, more than the allowed "
                    f"{max_bytes / 2**20:,.0f} MB; is it the right file?"
                )
            check_space(folder, total)
            for member in members:  # reads no more than the declared size, and checks the CRC
                file.extract(member, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        what = f"{_kind(archive)} ({error})"
        raise ArchiveError(
            f"{archive} is {what}, expected a whole zip file; delete it and download it again"
        ) from error


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    """A member is a plain file or folder inside the archive's own folder."""
    name = member.orig_filename.replace("\\", "/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
        problem = "would be written outside the folder"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        problem = "is a link or a special file"
    else:
        return
    raise ArchiveError(
        f"{archive}: the member {member.orig_filename!r} {problem}; nothing was unpacked. "
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
