"""Files and folders are whole or not there, whatever happens while they are written."""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kdnotes.system.files import (
    beside,
    json_text,
    new_file,
    new_folder,
    turn,
    work_folder,
    write_json,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_file_appears_when_it_is_done(tmp_path):
    path = tmp_path / "a" / "b" / "é שלום.json"
    with new_file(path) as part:
        part.write_text("whole")
        assert not path.exists() and part.parent == path.parent
    assert path.read_text() == "whole" and names(path.parent) == [path.name]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_interrupted_file_leaves_the_old_one(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), new_file(path) as part:
        part.write_text("ne")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["file"]


def test_file_that_cannot_be_renamed_leaves_nothing(tmp_path):
    (tmp_path / "file" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError), new_file(tmp_path / "file") as part:
        part.write_text("new")
    assert names(tmp_path) == ["file"]


def test_new_folder_appears_when_it_is_done(tmp_path):
    path = tmp_path / "a" / "folder"
    with new_folder(path) as part:
        (part / "one").write_text("1")
        assert not path.exists()
    assert names(path) == ["one"] and names(path.parent) == ["folder"]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_interrupted_folder_leaves_nothing(tmp_path, error, replace):
    path = tmp_path / "folder"
    if replace:
        path.mkdir()
        (path / "old").touch()
    with pytest.raises(error), new_folder(path, replace=replace) as part:
        (part / "one").write_text("1")
        raise error
    assert names(tmp_path) == (["folder"] if replace else [])
    assert not replace or names(path) == ["old"]


def test_folder_that_is_there_is_only_replaced_when_asked(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(FileExistsError, match=r"folder is there already; delete it or choose"):
        with new_folder(path):
            raise AssertionError("it must not come here")
    with new_folder(path, replace=True) as part:
        (part / "new").touch()
        assert names(path) == ["old"]
    assert names(path) == ["new"]


KILLED = """
import sys, time
from pathlib import Path
from kdnotes.system.files import new_file, new_folder
here = Path(sys.argv[1])
with new_file(here / "file") as part, new_folder(here / "folder", replace=True) as folder:
    part.write_text("new")
    (folder / "new").touch()
    (here / "ready").touch()
    time.sleep(600)
"""


def test_killed_while_writing(tmp_path):
    """`kill -9` cannot be caught: parts stay under their own names, never under a final one."""
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    child = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path])
    try:
        until = time.monotonic() + 120
        while not (tmp_path / "ready").exists():
            assert child.poll() is None and time.monotonic() < until
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path / "folder") == ["old"]
    others = set(names(tmp_path)) - {"file", "folder", "ready"}
    assert all(name.startswith(".") and name.endswith(".part") for name in others)
    with new_file(tmp_path / "file") as part, new_folder(tmp_path / "folder", replace=True):
        part.write_text("second")
    assert (tmp_path / "file").read_text() == "second"


def test_folder_whose_successor_cannot_be_moved_in_stays(tmp_path, monkeypatch):
    goal = tmp_path / "faces"
    goal.mkdir()
    (goal / "old").touch()
    rename = os.replace

    def refuse(source, target):
        if str(source).endswith(".part"):
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"), new_folder(goal, replace=True) as part:
        (part / "new").touch()
    assert names(tmp_path) == ["faces"]
    assert names(goal) == ["old"]


# --- modes, links, names ---------------------------------------------------------------------

unix = pytest.mark.skipif(os.name == "nt", reason="modes and links of Unix")


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


@unix
@pytest.mark.parametrize("mask, file, folder", [(0o077, 0o600, 0o700), (0o002, 0o664, 0o775),
                                                (0o022, 0o644, 0o755)])  # fmt: skip
def test_modes_follow_the_umask(tmp_path, umask, mask, file, folder):
    umask(mask)
    with new_file(tmp_path / "a" / "file") as part:
        part.write_text("1")
    with new_file(tmp_path / "weights") as part:  # safetensors makes the file anew, with 600
        save_file({"w": torch.zeros(2)}, part)
    with new_folder(tmp_path / "folder") as part:
        (part / "one").write_text("1")
    with work_folder(tmp_path / "work", {}) as work:
        assert mode(work) == folder and mode(work / "work.json") == file
    assert mode(tmp_path / "a" / "file") == mode(tmp_path / "weights") == file
    assert mode(tmp_path / "folder" / "one") == file
    assert mode(tmp_path / "folder") == mode(tmp_path / "a") == folder


@unix
def test_a_mode_is_a_wish(tmp_path, monkeypatch):
    """Mounted drives refuse to change it."""

    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    for name in ("chmod", "fchmod", "lchmod"):
        monkeypatch.setattr(os, name, refuse, raising=False)
    with new_file(tmp_path / "file") as part:
        save_file({"w": torch.zeros(2)}, part)
    with work_folder(tmp_path / ".work", {}), new_folder(tmp_path / "folder") as part:
        (part / "one").touch()
    assert names(tmp_path) == ["file", "folder"]


@unix
def test_a_linked_folder_gets_the_new_set(tmp_path):
    big = tmp_path / "disk" / "faces"
    big.mkdir(parents=True)
    (big / "old").touch()
    links = tmp_path / "sets"
    links.mkdir()
    (links / "link").symlink_to(big)
    (links / "again").symlink_to(links / "link")
    for name in ("link", "again"):
        with pytest.raises(FileExistsError, match=f"{name} is there already"):
            with new_folder(links / name):
                raise AssertionError("it must not come here")
        with new_folder(links / name, replace=True) as part:
            (part / name).touch()
            assert part.parent == big.parent, "on the disk where it will stay"
        assert names(big) == [name] == names(links / name)
        assert (links / name).is_symlink() and names(links) == ["again", "link"]
        assert names(big.parent) == ["faces"]


@unix
def test_a_link_to_a_folder_that_is_not_there_yet(tmp_path):
    (tmp_path / "link").symlink_to("disk/faces")
    with new_folder(tmp_path / "link") as part:
        (part / "one").touch()
    assert (tmp_path / "link").is_symlink() and names(tmp_path / "disk" / "faces") == ["one"]


@unix
def test_a_linked_file_is_written_through(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("old")
    (tmp_path / "link").symlink_to("real/file")
    with new_file(tmp_path / "link") as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "file").read_text() == "new"
    assert names(tmp_path) == ["link", "real"] and names(tmp_path / "real") == ["file"]


@pytest.mark.parametrize("name", ["顔" * 76 + "_landmarks.json", "x" * 228 + "_landmarks.json",
                                  "é" * 127])  # fmt: skip
def test_names_as_long_as_the_file_system_allows(tmp_path, name):
    with new_file(tmp_path / name) as part:
        part.write_text("1")
    (tmp_path / name).unlink()
    with turn(tmp_path / name), new_folder(tmp_path / name) as part:
        (part / "one").touch()
        assert all(len(os.fsencode(found)) < 143 for found in names(tmp_path))
    assert names(tmp_path) == [name]


def test_long_names_that_begin_alike_are_told_apart(tmp_path):
    one, two = (beside(tmp_path / ("x" * 200 + end), "work") for end in "ab")
    assert one != two and one.name.endswith(".work")
    assert beside(tmp_path / "faces", "work") == tmp_path / ".faces.work"


@unix
@pytest.mark.skipif(os.name != "nt" and os.getuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_of_others_is_said_by_the_names_that_one_knows(tmp_path):
    tmp_path.chmod(0o555)
    for made in (new_file, new_folder, turn):
        with pytest.raises(PermissionError) as caught, made(tmp_path / "faces.png"):
            raise AssertionError("it must not come here")
        assert str(caught.value).endswith(f"'{tmp_path / 'faces.png'}'")


def test_errors_name_the_file_that_was_asked_for(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "mkdir", lambda path, *_, **__: path.exists() or refuse(path))
    for made in (new_file, new_folder):
        with pytest.raises(PermissionError) as caught, made(tmp_path / "faces.png"):
            raise AssertionError("it must not come here")
        assert str(caught.value) == f"[Errno 13] Permission denied: '{tmp_path / 'faces.png'}'"
    assert names(tmp_path) == []


# --- several processes -----------------------------------------------------------------------

AT_WORK = """
import os, sys, time
from pathlib import Path
from kdnotes.system.files import turn, work_folder
goal, stop = Path(sys.argv[1]), Path(sys.argv[2])
with turn(goal) as waited:
    assert not (goal.parent / "inside").exists(), "two at once"
    (goal.parent / "inside").touch()
    if not goal.exists():
        while stop.name == "hold" and not stop.exists():
            time.sleep(0.01)
        time.sleep(0.1)
        goal.touch()
        print("made", flush=True)
    (goal.parent / "inside").unlink()
"""


def at_work(goal, stop="go"):
    return subprocess.Popen(
        [sys.executable, "-c", AT_WORK, goal, stop], stdout=subprocess.PIPE, text=True
    )


def wait_for(condition):
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_three_at_once_make_it_once(tmp_path):
    """The others wait, say so, and find what the first has made."""
    goal, hold = tmp_path / "goal", tmp_path / "hold"
    first = at_work(goal, hold)
    wait_for((tmp_path / "inside").exists)
    others = [at_work(goal), at_work(goal)]
    said = [other.stdout.readline() for other in others]
    assert said == [f"another process is at work on {goal}: waiting for it\n"] * 2
    hold.touch()
    done = [process.communicate()[0] for process in (first, *others)]
    assert done == ["made\n", "", ""]
    assert [process.returncode for process in (first, *others)] == [0, 0, 0]
    assert names(tmp_path) == ["goal", "hold"]


def test_a_killed_process_gives_its_turn_away(tmp_path):
    goal = tmp_path / "goal"
    first = at_work(goal, tmp_path / "hold")
    wait_for((tmp_path / "inside").exists)
    second = at_work(goal)
    second.stdout.readline()
    (tmp_path / "inside").unlink()
    first.kill()
    first.wait()
    assert second.communicate()[0] == "made\n" and second.returncode == 0
    assert names(tmp_path) == ["goal"]


def test_a_turn_that_ends_with_an_error_is_over(tmp_path):
    with pytest.raises(ValueError), turn(tmp_path / "goal"):
        raise ValueError
    with turn(tmp_path / "goal") as waited:
        assert not waited
    assert names(tmp_path) == []


def test_work_that_cannot_be_begun_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"), work_folder(tmp_path / ".faces.work", {"a": 1}):
        raise AssertionError("it must not come here")
    assert names(tmp_path) == []


# --- JSON ------------------------------------------------------------------------------------

ODD = {
    "low": math.nan, "high": -math.inf, "list": [1.5, (math.inf, 2)], "numpy": np.float32("nan"),
    "array": np.array([[1, np.nan]]), "count": np.int64(3), "text": "NaN", "none": None, "é": True,
}  # fmt: skip


def test_json_has_null_where_there_is_no_number(tmp_path):
    def refuse(name):
        raise ValueError(name)

    path = write_json(tmp_path / "a" / "b.json", ODD)
    assert json.loads(path.read_text("utf-8"), parse_constant=refuse) == {
        "low": None, "high": None, "list": [1.5, [None, 2]], "numpy": None,
        "array": [[1.0, None]], "count": 3, "text": "NaN", "none": None, "é": True,
    }  # fmt: skip
    assert json_text([math.nan]) == "[null]" and path.read_text().endswith("}\n")


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_javascript_reads_it(tmp_path):
    path = write_json(tmp_path / "b.json", ODD)
    script = "console.log(JSON.parse(require('fs').readFileSync(process.argv[1])).low)"
    done = subprocess.run(["node", "-e", script, path], capture_output=True, text=True)
    assert done.stdout.strip() == "null", done.stderr
