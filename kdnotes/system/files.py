"""Files and folders that are whole or not there.

Everything kdnotes writes goes to a temporary name beside its target and is renamed at the end. An
interrupted run (Ctrl-C, `kill -9`, a full disk) therefore leaves nothing that a later run takes for
whole. A target that is a link stays one: the file it points to is written. New files have the
permissions that the umask gives them, as with any other program.
"""

import contextlib
import hashlib
import json
import math
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

#: The turns that this process has, by lock file and thread: whether it had to wait for them.
_TURNS: dict[tuple[Path, int], bool] = {}

#: Bytes of a name that a hidden file beside it may repeat. File systems allow 143 to 255 in all.
LONGEST = 80


def beside(path: str | Path, ending: str) -> Path:
    """The hidden `.NAME.ENDING` in the folder of `path`, links followed; long names are cut."""
    path = Path(os.path.realpath(path))
    name = path.name.lstrip(".")
    content = os.fsencode(name)
    if len(content) > LONGEST:
        name = f"{name[: LONGEST // 4]}-{hashlib.sha256(content).hexdigest()[:8]}"
    return path.with_name(f".{name}.{ending}")


def _temporary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return beside(path, f"{secrets.token_hex(4)}.part")


@contextlib.contextmanager
def _told_as(path: Path, hidden: Path) -> Iterator[None]:
    """Makes errors name the file that a reader knows, not the hidden one."""
    try:
        yield
    except OSError as error:
        if error.filename == str(hidden):
            error.filename = str(path)
        raise


@contextlib.contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends without an error."""
    target = Path(os.path.realpath(path))
    part = _temporary(target)
    with _told_as(Path(path), part):
        try:
            part.touch(exist_ok=False)
            mode = part.stat().st_mode  # as the umask gives it; some libraries replace the file
            yield part
            with part.open("r+b") as file:  # Windows syncs only what may be written
                os.fsync(file.fileno())
            with contextlib.suppress(OSError):  # some mounted drives know no modes
                part.chmod(mode)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder to fill; it becomes `path` when the block ends without an error.

    Raises:
        FileExistsError: `path` is there already and `replace` is false.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not replace:
        raise FileExistsError(f"{path} is there already; delete it or choose another folder")
    part = _temporary(target)
    old = part.with_suffix(".old")
    try:
        with _told_as(Path(path), part):
            part.mkdir()
        yield part
        if target.exists():  # moved aside first: deleting takes time, and may be interrupted
            os.replace(target, old)
        os.replace(part, target)
    except BaseException:
        if old.exists() and not target.exists():
            os.replace(old, target)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def turn(path: str | Path) -> Iterator[bool]:
    """Lets one process at a time work on `path`; the others wait for their turn, and say so.

    A process that is killed loses its turn. Turns for the same path may be nested.

    Yields:
        Whether another process was at work: its result may be there by now.
    """
    file = beside(path, "lock")
    mine = file, threading.get_ident()
    if mine in _TURNS:
        yield _TURNS[mine]
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lock, waited = FileLock(file), False
    with _told_as(Path(path), file):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waited = True
            print(f"another process is at work on {path}: waiting for it", flush=True)
            lock.acquire()
    _TURNS[mine] = waited
    try:
        yield waited
    finally:
        del _TURNS[mine]
        with contextlib.suppress(OSError):  # Windows: while others wait for it
            file.unlink()
        lock.release()


@contextlib.contextmanager
def work_folder(path: Path, key: dict) -> Iterator[Path]:
    """A folder for work that resumes after an interruption (Ctrl-C, `kill -9`).

    One process at a time works there. When the block ends, with or without an error, the folder is
    deleted. After an interruption it is still there, and the next block with the same `key` finds
    what was done.

    Args:
        path: The folder.
        key: What the work depends on, JSON values; with another key it starts again.

    Yields:
        The folder.
    """
    note, wanted = path / "work.json", {"key": json.loads(json_text(key))}
    with turn(path):
        if not note.is_file() or json.loads(note.read_text()) != wanted:
            _remove_work(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            write_json(note, wanted)
            yield path
        except KeyboardInterrupt:
            print(f"interrupted; the same command goes on with what is in {path}")
            raise
        except BaseException:
            _remove_work(path)
            raise
        _remove_work(path)


def _remove_work(path: Path) -> None:
    """Deletes a work folder, its note first, so that half a folder is not taken for done work."""
    (path / "work.json").unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as valid JSON: NaN and infinity, which JSON does not know, become null.

    Args:
        value: Dictionaries, lists, texts, numbers; numpy's numbers and arrays, too.
        indent: As in `json.dumps`.
    """
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def write_json(path: str | Path, value: Any) -> Path:
    """Writes a value, see `json_text`, as a JSON file for programs and people; returns its path."""
    with new_file(path) as part:
        part.write_text(json_text(value, indent=2) + "\n", encoding="utf-8")
    return Path(path)


def _finite(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy's
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
