"""`data show`: what is suspicious about a face set is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdnotes.commands import app
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.publish import audit


def make(i, split="train", subject="", far=False, same=None, eyes=False):
    rng = np.random.default_rng(i if same is None else same)
    points = rng.uniform(20, 40, (68, 2))
    points[0] = (10, 30) if not far else (-25, 30)
    points[16] = 50, 30
    if eyes:
        points[45] = points[36]
    image = rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    return Sample(image, points, id=f"face {i}", split=split, subject=subject, crop=(30, 30, 60))


def write(path, samples):
    return FaceSet.write(path, samples, scheme=68, size=32, progress=False)


def test_a_clean_set_has_no_warning(tmp_path):
    samples = [make(i, split) for i, split in enumerate(("train", "validation", "test"))]
    assert audit.warnings(write(tmp_path / "set", samples), progress=False) == []


def test_a_split_that_nothing_reads_is_told(tmp_path):
    splits = ("train", "validation", "val", "test")
    faces = write(tmp_path / "set", [make(i, split) for i, split in enumerate(splits)])
    assert audit.warnings(faces, progress=False) == [
        "nothing reads the split val; rename it in the table"
    ]


@pytest.mark.filterwarnings("ignore:.*more than one split")
def test_every_suspicion_is_a_sentence(tmp_path):
    samples = [
        make(0, "train", "Ada"),
        make(1, "test", "Ada"),
        make(2, "train", same=9),
        make(3, "test", same=9),
        make(4, "train", same=8),
        make(5, "train", same=8),
        make(6, "train", far=True),
        make(7, "train", eyes=True),
    ]
    found = audit.warnings(write(tmp_path / "set", samples), progress=False)
    for part, sentence in zip(
        (
            "no face is in the split validation",
            "1 people are in more than one split (first: Ada)",
            "1 pictures are in more than one split (first: face 2 and face 3)",
            "1 pictures occur twice in a split (first: face 4 and face 5)",
            "1 faces have landmarks outside their stored crop (first: face 6)",
            "1 faces have both eyes in one point (first: face 7)",
        ),
        found,
        strict=True,
    ):
        assert part in sentence


def test_show_writes_a_contact_sheet(tmp_path, capsys):
    write(tmp_path / "set", [make(i) for i in range(5)])
    with pytest.raises(SystemExit) as caught:
        app.main(["data", "show", str(tmp_path / "set")])
    assert not caught.value.code
    printed = capsys.readouterr().out
    for part in ("5 faces in", "train", "warning: no face is in the split validation or test"):
        assert part in printed
    with Image.open(tmp_path / "set.png") as sheet:
        assert min(sheet.size) > 100


def test_show_in_a_folder_of_others_says_what_to_do(tmp_path, capsys, monkeypatch):
    write(tmp_path / "set", [make(i) for i in range(5)])
    touch = Path.touch

    def of_others(path, **more):
        if path.parent == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        touch(path, **more)

    monkeypatch.setattr(Path, "touch", of_others)
    with pytest.raises(SystemExit) as caught:
        app.main(["data", "show", str(tmp_path / "set")])
    error = capsys.readouterr().err
    assert caught.value.code == 1 and "--out" in error
    assert f"Permission denied: '{tmp_path / 'set.png'}'" in error and ".part" not in error
    (tmp_path / "mine").mkdir()
    with pytest.raises(SystemExit) as caught:
        app.main(["data", "show", str(tmp_path / "set"), "--out", str(tmp_path / "mine" / "a.png")])
    assert not caught.value.code and (tmp_path / "mine" / "a.png").exists()
