"""Files and folders are whole or not there, whatever happens while they are written."""

import os
import subprocess
import sys
import time

import pytest

from kdnotes.files import new_file, new_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_file_appears_when_it_is_done(tmp_path):
    path = tmp_path / "a" / "b" / "é שלום.json"
    with new_file(path) as part:
        part.write_text("whole")
        assert not path.exists() and part.parent == path.parent
    assert path.read_text() == "whole" and names(path.parent) == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


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
    assert path.stat().st_mode & 0o777 == 0o755


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
from kdnotes.files import new_file, new_folder
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
