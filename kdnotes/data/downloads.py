"""Fetching other people's files: resumed where they broke off, checked, kept in a cache.

A download may break off, or be a web page instead of a file, or its host may be gone. Each ends in
one sentence that says what was found and what to do by hand, and nothing is left under a final
name.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from kdnotes.system.files import new_file, turn


class DownloadError(ValueError):
    """A file could not be fetched."""


@dataclass(frozen=True)
class Remote:
    """A file on somebody's server.

    Attributes:
        name: Its name in the cache, and the one to save it under by hand.
        url: Its address; `gdrive:ID` for a file on Google Drive.
        known_hash: "md5:…" or "sha256:…", or None where the host packs it anew now and then.
        n_bytes: About how large it is.
        page: Where a person finds it, if the address fails.
    """

    name: str
    url: str
    known_hash: str | None = None
    n_bytes: int = 0
    page: str = ""

    @property
    def by_hand(self) -> str:
        """What to do when it cannot be fetched."""
        where = self.page or self.url
        return f"download {self.name} by hand from {where}, and pass it with --archive"


def cache_folder() -> Path:
    """Where downloads are kept: `$KDNOTES_CACHE`, or the system's cache folder."""
    return Path(os.environ.get("KDNOTES_CACHE") or pooch.os_cache("kdnotes"))


def download(remote: Remote, *, tries: int = 3, progress: bool = True) -> Path:
    """A remote file, fetched into the cache folder unless it is there already.

    What arrived before a connection broke is kept. The next try, or the next run, resumes there.

    Args:
        remote: The file.
        tries: How often it is tried.
        progress: Show a progress bar.

    Returns:
        Its path in the cache folder.

    Raises:
        DownloadError: It could not be fetched, or the cache folder cannot be used.
        OSError: Not enough room.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"cannot use the cache folder {folder} ({error}); "
            "name another one in the variable KDNOTES_CACHE"
        ) from error
    pooch.get_logger().setLevel("WARNING")
    if (folder / remote.name).exists():
        return _retrieved(remote, folder, tries, progress)
    check_space(folder, remote.n_bytes)
    with turn(folder / remote.name):
        return _retrieved(remote, folder, tries, progress)


def _retrieved(remote: Remote, folder: Path, tries: int, progress: bool) -> Path:
    """The file in the folder, fetched unless it is there and right."""
    fetch = _fetch_from_drive if remote.url.startswith("gdrive:") else _fetch
    for attempt in range(1, tries + 1):
        try:
            # pooch checks the hash, and renames only what is whole
            return Path(
                pooch.retrieve(
                    remote.url,
                    remote.known_hash,
                    remote.name,
                    folder,
                    downloader=lambda url, file, _: fetch(Path(file), folder, remote, progress),
                )
            )
        except DownloadError:  # trying again would not help
            raise
        except (OSError, ValueError) as error:  # no connection, or (ValueError) another hash
            if attempt == tries:
                raise DownloadError(
                    f"could not fetch {remote.url} in {tries} tries ({error}); {remote.by_hand}"
                ) from error
            print(f"the download broke off ({error}); trying again")
            time.sleep(attempt)
    raise AssertionError("not reached")


def _fetch(file: Path, folder: Path, remote: Remote, progress: bool) -> None:
    """Fetches a remote file into `file`, through a partial file that survives an interruption.

    The server's ETag tells whether the file is still the one that was begun.
    """
    part, tag = folder / f".{remote.name}.part", folder / f".{remote.name}.etag"
    begun = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # the file itself, not compressed once more
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": tag.read_text()}
    with requests.get(remote.url, headers=headers, stream=True, timeout=60) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            tag.unlink(missing_ok=True)  # nothing was missing, or the file changed: begin anew
        answer.raise_for_status()
        begun = begun if answer.status_code == requests.codes.partial_content else 0
        etag = answer.headers.get("ETag", "")
        tag.unlink(missing_ok=True)
        if etag and not etag.startswith("W/"):
            tag.write_text(etag)
        length = int(answer.headers.get("Content-Length", 0))
        with (
            part.open("ab" if begun else "wb") as stream,
            tqdm(
                total=begun + length or None, initial=begun, unit="B", unit_scale=True,
                desc=remote.name, disable=not progress,
            ) as bar,
        ):  # fmt: skip
            for block in answer.iter_content(1 << 16):
                stream.write(block)
                bar.update(len(block))
    got = part.stat().st_size
    if length and got != begun + length:
        raise OSError(f"{got:,} of {begun + length:,} bytes arrived")
    tag.unlink(missing_ok=True)
    shutil.move(part, file)


def _fetch_from_drive(file: Path, folder: Path, remote: Remote, progress: bool) -> None:
    """Fetches a file of Google Drive with gdown, which answers Drive's questions."""
    try:
        import gdown
    except ImportError as error:
        raise DownloadError(
            f"{remote.name} lies on Google Drive: pip install gdown (the extra wflw), or "
            f"{remote.by_hand}"
        ) from error
    part = folder / f".{remote.name}.part"
    try:
        gdown.download(
            id=remote.url.removeprefix("gdrive:"), output=str(part), quiet=not progress, resume=True
        )
    except Exception as error:  # gdown's own kinds, which differ between its versions
        raise OSError(str(error)) from error
    if not part.exists():
        raise OSError("Google Drive did not give the file (too many downloads?)")
    with new_file(file) as whole:  # gdown lets nobody else read what it fetches
        os.replace(part, whole)


def check_space(folder: Path, n_bytes: int) -> None:
    """Checks that there is room for more in a folder.

    Args:
        folder: The folder, which need not exist yet.
        n_bytes: How many bytes are to be written.

    Raises:
        OSError: There is not.
    """
    folder = folder.absolute()
    folder = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise OSError(
            f"{folder} has {free / 2**20:,.0f} MB free, {n_bytes / 2**20:,.0f} MB are needed; "
            "make room or choose another folder"
        )
