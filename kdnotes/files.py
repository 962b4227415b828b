"""Files and folders that are whole or not there.

Everything kdnotes writes goes to a temporary name beside its goal and is renamed at the end, so
that an interrupted run (Ctrl-C, `kill -9`, a full disk) leaves nothing that a later run takes for
whole.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil


@contextlib.contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())
        part.chmod(0o644)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder to fill; it becomes `path` when the block ends without an error.

    Raises:
        FileExistsError: `path` is there already and `replace` is false.
    """
    path = Path(path)
    if path.exists() and not replace:
        raise FileExistsError(f"{path} is there already; delete it or choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    old = part.with_suffix(".old")
    try:
        yield part
        part.chmod(0o755)
        if path.exists():  # moved aside first: deleting takes time, and may be interrupted
            os.replace(path, old)
        os.replace(part, path)
    except BaseException:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def work_folder(path: Path, key: dict) -> Iterator[Path]:
    """A folder for work that goes on after an interruption (Ctrl-C, `kill -9`).

    When the block ends, with or without an error, the folder is gone; after an interruption it is
    still there, and the next block with the same `key` finds what was done.

    Args:
        path: The folder.
        key: What the work depends on, JSON values; with another key it begins anew.

    Raises:
        RuntimeError: Another process is at work there.
    """
    note, wanted = path / "work.json", json.loads(json.dumps(key))
    found = json.loads(note.read_text()) if note.is_file() else {}
    if found and _is_alive(found):
        raise RuntimeError(
            f"process {found['process']} is at work in {path}; wait for it, or stop it first"
        )
    if not found or found["key"] != wanted:
        _remove_work(path)
    path.mkdir(parents=True, exist_ok=True)
    me = {"process": os.getpid(), "began": psutil.Process().create_time()}
    with new_file(note) as part:
        part.write_text(json.dumps(me | {"key": wanted}))
    try:
        yield path
    except KeyboardInterrupt:
        print(f"interrupted; the same command goes on with what is in {path}")
        raise
    except BaseException:
        _remove_work(path)
        raise
    _remove_work(path)


def _is_alive(note: dict) -> bool:
    """Whether the process of a work folder is another one and still there. Numbers of processes are
    used again, so the time at which it began must agree too."""
    try:
        began = psutil.Process(note["process"]).create_time()
    except psutil.Error:
        return False
    return note["process"] != os.getpid() and abs(began - note.get("began", 0)) < 5


def _remove_work(path: Path) -> None:
    """Deletes a work folder, its note first: what is half deleted is not taken for done work."""
    (path / "work.json").unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
