"""300W, COFW and WFLW: every trap of their official layouts, and the way to a face set."""

import errno
import functools
import http.server
import os
import shutil
import tarfile
import threading
from dataclasses import replace
from hashlib import sha256

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image
from public_trees import (
    FACES_300W,
    SIDE,
    pts,
    rendered,
    wflw_line,
    write_300w,
    write_cofw,
    write_wflw,
)
from youtube_tree import write_tree

from kdnotes.data import public
from kdnotes.data.crops import stored_crop
from kdnotes.data.downloads import DownloadError
from kdnotes.data.faceset import BadSample, FaceSet, FaceSetError
from kdnotes.data.formats import ibug_300w, read_300w, read_cofw, read_wflw, wflw
from kdnotes.data.prepare import prepare_public

SMALL = {"size": 24, "progress": False}
WRITERS = {"300w": write_300w, "cofw": write_cofw, "wflw": write_wflw}
#: Validation faces of the rule "300W split 2" among those of a test, for ever.
FROZEN = {
    "lfpw/trainset": [f"image_00{n}" for n in (13, 14, 20, 34, 38, 52)],
    "helen/trainset": ["232194_1", "232194_2", "232213_1", "232213_2"],
    "afw": [f"{photo}_{k}" for photo in (232192, 232193, 232211, 232216) for k in (1, 2)],
}
LIST = "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{}.txt"


def brightest_under_point(tmp_path, sample, index, at):
    """Crop, write, open, `to_source`: the point and the brightest pixel of the crop are at `at`."""
    FaceSet.write(tmp_path / "set", [sample], scheme=len(sample.points), size=300, progress=False)
    faces = FaceSet.open(tmp_path / "set")
    assert faces.to_source(0, faces.landmarks[0])[index] == pytest.approx(at, abs=0.01)
    row, column = np.unravel_index(faces.images[0].sum(-1, dtype=int).argmax(), (300, 300))
    where = (np.array([column, row]) + 0.5) / 300 - 0.5
    pixel = faces.crops[0, 2] / 300
    assert faces.to_source(0, where[None])[0] == pytest.approx(at, abs=0.5 * max(1, pixel) + 1e-6)


def one_white_pixel():
    image = np.zeros((64, 64, 3), np.uint8)
    image[40, 30] = 255
    return image


def spread(n):
    """Points all over the middle of a picture of 64 pixels."""
    return np.random.default_rng(0).uniform(20, 44, (n, 2))


# --- 300W --------------------------------------------------------------------------------------


def test_300w_counts_from_one(tmp_path):
    root = write_300w(tmp_path / "300w")
    folder = root / "afw"
    text = pts(spread(68)).splitlines()
    text[3 + 5] = "31.000   41.000"
    (folder / "134212_1.pts").write_text("\n".join(text))
    (folder / "134212_1.jpg").unlink()
    Image.fromarray(one_white_pixel()).save(folder / "134212_1.png")
    first = next(face for face in read_300w(root) if face.id == "afw/134212_1")
    assert first.points[5].tolist() == [30, 40]
    brightest_under_point(tmp_path, first, 5, [30, 40])


@pytest.mark.parametrize(
    "layout",
    [
        lambda part: part,
        lambda part: f"300w/{part}",
        lambda part: f"{part.split('/')[0]}/{part}",  # each archive in a folder of its name
        lambda part: part.upper(),
    ],
)
def test_300w_loses_no_face_in_any_layout(tmp_path, layout):
    found = list(read_300w(write_300w(tmp_path, layout)))
    wanted = [f"{part}/{name}" for part, names in FACES_300W.items() for name in names]
    assert sorted(face.id for face in found) == sorted(wanted)
    images, points, _ = rendered(len(wanted), 68)
    for face in found:
        image, where = (array[wanted.index(face.id)] for array in (images, points))
        assert face.points == pytest.approx(where, abs=1e-5)
        assert abs(face.image.astype(int) - image).mean() < 12  # JPEG
        subset = {"helen/testset": "common", "lfpw/testset": "common", "ibug": "challenging"}
        expected = subset.get(face.id.rsplit("/", 1)[0])
        assert (face.split == "test") == (expected is not None)
        assert expected is None or expected in face.subsets
    assert any(" " in face.id for face in found), "image_092 _01 is there"


def test_300w_faces_of_one_picture_stay_together(tmp_path):
    """Many pictures are tried: four of five pairs would agree by chance."""
    root = write_300w(tmp_path)
    for i in range(40):
        for face in (1, 2):
            shutil.copyfile(root / "afw" / "134212_1.pts", root / "afw" / f"{i}_{face}.pts")
            shutil.copyfile(root / "afw" / "134212_1.jpg", root / "afw" / f"{i}_{face}.jpg")
    found = {face.id: face.split for face in read_300w(root)}
    assert all(found[f"afw/{i}_1"] == found[f"afw/{i}_2"] for i in range(40))
    assert {found[f"afw/{i}_1"] for i in range(40)} == {"train", "validation"}


def test_300w_faces_of_lfpw_are_split_one_by_one(tmp_path):
    """`image_0001`, `image_0002`, … are many photos, not one called `image`."""
    root = write_300w(tmp_path)
    folder = root / "lfpw" / "trainset"
    for i in range(2, 201):
        shutil.copyfile(folder / "image_0001.pts", folder / f"image_{i:04d}.pts")
        shutil.copyfile(folder / "image_0001.jpg", folder / f"image_{i:04d}.jpg")
    faces = [face for face in read_300w(root) if face.id.startswith("lfpw/trainset/image")]
    chosen = {face.id for face in faces if face.split == "validation"}
    keys = [face.id for face in faces if int(sha256(face.id.encode()).hexdigest(), 16) % 100 < 10]
    assert chosen == set(keys) and len(faces) == 200 and 10 <= len(chosen) <= 32


def test_300w_split_is_frozen_and_its_rule_is_in_the_set(tmp_path):
    """Validation faces by name. Change them only with the number of the rule."""
    photos = [f"{photo}_{k}" for photo in range(232190, 232220) for k in (1, 2)]
    parts = {"lfpw/trainset": [f"image_{i:04d}" for i in range(1, 61)]}
    parts |= {"helen/trainset": photos, "afw": photos}
    root = write_300w(tmp_path / "300w")
    text, picture = ((root / "afw" / f"134212_1.{kind}").read_bytes() for kind in ("pts", "jpg"))
    for part, members in parts.items():
        for name in members:
            (root / part / f"{name}.pts").write_bytes(text)
            (root / part / f"{name}.jpg").write_bytes(picture)
    split = {face.id: face.split for face in read_300w(root)}
    found = {
        part: [name for name in members if split[f"{part}/{name}"] == "validation"]
        for part, members in parts.items()
    }
    assert found == FROZEN
    faces = prepare_public("300w", tmp_path / "set", folder=root, **SMALL)
    assert faces.meta["split_rule"].startswith("300W split 2: ")


def test_300w_without_a_part_says_which_and_how_to_leave_it_out(tmp_path):
    root = write_300w(tmp_path)
    shutil.rmtree(root / "lfpw" / "testset")
    shutil.rmtree(root / "ibug")
    pattern = (
        r"no \.pts files of lfpw/testset, ibug; unpack the four .*, or leave them out with "
        r"--without lfpw/testset --without ibug"
    )
    with pytest.raises(FileNotFoundError, match=pattern):
        read_300w(root)
    with pytest.raises(FileNotFoundError, match=r"afw, helen/trainset.*of its name$"):
        read_300w(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "without, parts, lost",
    [
        (["ibug"], 5, ["challenging", "ibug"]),
        (["IBUG", "helen/trainset"], 4, ["challenging", "ibug"]),
        (["helen,lfpw"], 2, ["common", "helen", "lfpw"]),
        (["helen/testset", "lfpw/testset"], 4, ["common"]),
    ],
)
def test_300w_parts_may_be_left_out(tmp_path, capsys, monkeypatch, without, parts, lost):
    monkeypatch.setattr(
        "kdnotes.data.formats.ibug_300w.split_training", first_is_validation("afw/134")
    )
    root = write_300w(tmp_path / "files")
    names = [name.lower() for text in without for name in text.split(",")]
    for part in FACES_300W:
        if part in names or part.split("/")[0] in names:
            shutil.rmtree(root / part)
    faces = prepare_public("300w", tmp_path / "set", folder=root, without=without, **SMALL)
    assert len({face.rsplit("/", 1)[0] for face in faces.table["id"]}) == parts
    assert faces.meta["left_out"] == names and faces.meta["lost_subsets"] == lost
    assert not set(lost) & set(faces.meta["subsets"])
    line = f"left out: {', '.join(names)}; there is no subset {' or '.join(lost)}"
    assert line in capsys.readouterr().out
    archives = [
        shutil.make_archive(str(tmp_path / part), "zip", root / part)
        for part in ("afw", "helen", "lfpw", "ibug")
        if (root / part).is_dir()
    ]
    monkeypatch.setattr("kdnotes.data.downloads.download", lambda *_, **__: pytest.fail("fetched"))
    same = prepare_public("300w", tmp_path / "b", archive=archives, without=without, **SMALL)
    assert same.fingerprint == faces.fingerprint


def test_300w_parts_that_are_none_or_all_are_refused_at_once(tmp_path):
    for without, words in (
        (["imagenet"], "no part 'imagenet'; its parts are afw, helen/trainset, helen"),
        (["ibug", "helen/testset", "lfpw"], "no training or no test face left"),
        (["afw", "helen/trainset,lfpw/trainset"], "no training or no test face left"),
    ):
        with pytest.raises(ValueError, match=words):
            prepare_public("300w", tmp_path / "set", folder=tmp_path, without=without)
    with pytest.raises(ValueError, match="cofw has no parts to leave out; 300w has"):
        prepare_public("cofw", tmp_path / "set", folder=tmp_path, without=["ibug"])


def test_300w_bad_files_are_counted_and_named_from_the_root(tmp_path):
    root = write_300w(tmp_path / "300w")
    for i in range(7):
        name = root / "helen" / "trainset" / f"{i}_1"
        shutil.copyfile(root / "afw" / "134212_1.pts", name.with_suffix(".pts"))
        name.with_suffix(".jpg").write_bytes(b"half")
    (root / "lfpw" / "testset" / "image_0002.pts").write_text("no points")
    for place in (root, root.parent):
        at = "" if place == root else "300w/"
        names = "; ".join(rf"{at}helen/trainset/{i}_1\.jpg" for i in range(5))
        pattern = (
            rf"7 × picture that is text \({names} and 2 others\); "
            rf"1 × points file without braces \({at}lfpw/testset/image_0002\.pts\)"
        )
        with pytest.raises(FaceSetError, match=pattern):
            prepare_public("300w", tmp_path / "sets" / "set", folder=place, **SMALL)


# --- links -------------------------------------------------------------------------------------


links = pytest.mark.skipif(os.name == "nt", reason="Windows lets only some people make links")


@links
def test_300w_is_read_through_links(tmp_path):
    """Parts on another disk; links that lead in circles, and a second way to the same files."""
    root = write_300w(tmp_path / "300w")
    (tmp_path / "disk2").mkdir()
    shutil.move(root / "helen", tmp_path / "disk2" / "helen")
    shutil.move(root / "lfpw" / "testset", tmp_path / "disk2" / "lfpw_test")
    (root / "helen").symlink_to("../disk2/helen")
    (root / "lfpw" / "testset").symlink_to(tmp_path / "disk2" / "lfpw_test")
    (root / "all").symlink_to(root)
    (root / "itself").symlink_to("itself")
    (root / "afw" / "up").symlink_to("..")
    (root / "nowhere").symlink_to("absent")
    (tmp_path / "link").symlink_to("300w")
    wanted = sorted(f"{part}/{name}" for part, names in FACES_300W.items() for name in names)
    for folder in (root, tmp_path / "link", tmp_path):
        assert sorted(face.id for face in read_300w(folder)) == wanted


@links
@pytest.mark.parametrize("name", ["wflw", "cofw", "youtube-faces"])
def test_other_sets_are_read_through_links(tmp_path, name):
    root = (WRITERS | {"youtube-faces": write_tree})[name](tmp_path / "disk2")
    expected = [load() for load in public.get(name).faces(root)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(root.parent if name == "youtube-faces" else root)
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    found = [load() for load in public.get(name).faces(tmp_path / "data")]
    assert [face.id for face in found] == [face.id for face in expected]
    assert all((a.image == b.image).all() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "text, reason",
    [
        ("version: 1\nn_points: 68\n1 2\n", "without braces"),
        ("{\n1 2\n3 4\n}", "of 2 points instead of 68"),
        ("{\n" + "1 two\n" * 68 + "}", "not a number"),
        ("", "without braces"),
    ],
)
def test_300w_bad_points_file_is_one_bad_sample(tmp_path, text, reason):
    root = write_300w(tmp_path)
    (root / "ibug" / "image_003_1.pts").write_text(text)
    (bad,) = [face for face in read_300w(root) if isinstance(face, BadSample)]
    assert reason in bad.reason and bad.id == "ibug/image_003_1" and bad.where.endswith(".pts")


def test_300w_points_file_without_its_picture(tmp_path):
    root = write_300w(tmp_path)
    (root / "ibug" / "image_003_1.png").unlink()
    (bad,) = [face for face in read_300w(root) if isinstance(face, BadSample)]
    assert "not there" in bad.reason


def test_300w_reads_the_official_form(tmp_path):
    file = tmp_path / "a.pts"
    file.write_text("version: 1\nn_points:  2\n{ 1.5\t2.5 \n\n 3 4 }\n")
    assert ibug_300w.read_pts(file, 2).tolist() == [[0.5, 1.5], [2, 3]]


# --- COFW --------------------------------------------------------------------------------------


def test_cofw_is_upright_and_counts_from_one(tmp_path):
    found = list(read_cofw(write_cofw(tmp_path)))
    images, points, visible = rendered(16, 29)
    assert len(found) == 16 == len({face.id for face in found})
    for i, face in enumerate(found):
        assert face.image.shape == (SIDE - 4, SIDE, 3) and face.image.dtype == np.uint8
        expected = images[i][: SIDE - 4]
        if i == 1:
            expected = np.repeat(expected[..., :1], 3, axis=-1)  # a grey picture
        assert (face.image == expected).all()
        assert face.points == pytest.approx(points[i], abs=1e-9)
        assert (face.visible == visible[i]).all()
        assert face.box == (4, 5, 30, 32)
    assert [face.split for face in found[12:]] == ["test"] * 4
    assert {face.split for face in found[:12]} <= {"train", "validation"}


def test_cofw_point_lies_on_its_pixel(tmp_path):
    write_cofw(tmp_path)
    with h5py.File(tmp_path / "COFW_test_color.mat", "a") as file:
        del file["#refs#/0"]
        file["IsT"][0, 0] = file.create_dataset("#refs#/0", data=one_white_pixel().T).ref
        where = spread(29)
        where[5] = 30, 40
        file["phisT"][:58, 0] = (where + 1).T.ravel()
    first = next(read_cofw(tmp_path / "COFW_test_color.mat"))
    brightest_under_point(tmp_path, first, 5, [30, 40])


def test_cofw_of_16_bits_and_odd_arrays(tmp_path):
    write_cofw(tmp_path)
    images, _, _ = rendered(16, 29)
    with h5py.File(tmp_path / "COFW_test_color.mat", "a") as file:
        for i, array in enumerate(
            (images[12].astype(np.uint16) * 257, images[13] / 255, images[14][..., :2])
        ):
            file["IsT"][0, i] = file.create_dataset(f"odd/{i}", data=array.T).ref
    found = list(read_cofw(tmp_path / "COFW_test_color.mat"))
    for i in (0, 1):
        assert abs(found[i].image.astype(int) - images[12 + i]).max() <= 1
    assert isinstance(found[2], BadSample) and "test/0002: expected a picture" in found[2].where
    assert isinstance(found[3].image, np.ndarray)


def test_cofw_of_another_version_or_damaged_is_named(tmp_path):
    scipy.io.savemat(tmp_path / "old.mat", {"phisT": np.zeros((2, 87))})
    with pytest.raises(ValueError, match=r"Matlab file of version 5; expected version 7\.3"):
        read_cofw(tmp_path / "old.mat")
    whole = (write_cofw(tmp_path) / "COFW_test_color.mat").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"<html>"):
        (tmp_path / "half.mat").write_bytes(content)
        with pytest.raises(ValueError, match=r"half\.mat is damaged or no Matlab file"):
            read_cofw(tmp_path / "half.mat")
    with h5py.File(tmp_path / "other.mat", "w") as file:
        file["x"] = 1
    with pytest.raises(ValueError, match=r"holds x; expected IsTr, phisTr"):
        read_cofw(tmp_path / "other.mat")
    with pytest.raises(FileNotFoundError, match=r"COFW_color\.zip holds"):
        read_cofw(tmp_path / "nowhere.mat")


def test_cofw_of_another_shape_is_named(tmp_path):
    write_cofw(tmp_path)
    with h5py.File(tmp_path / "COFW_test_color.mat", "a") as file:
        del file["phisT"]
        file["phisT"] = np.zeros((58, 4))
    with pytest.raises(ValueError, match=r"phis \(58, 4\).*expected \(87, N\)"):
        read_cofw(tmp_path)


# --- WFLW --------------------------------------------------------------------------------------


def test_wflw_faces_of_one_picture_are_all_kept(tmp_path):
    found = [face() for face in wflw.faces(write_wflw(tmp_path))]
    _, points, _ = rendered(16, 98)
    assert len(found) == 16 == len({face.id for face in found})
    assert [face.id for face in found[:3]] == [
        f"train/0--Event/0_Event_train_of_three.jpg#{k}" for k in (1, 2, 3)
    ]
    for i, face in enumerate(found):
        assert face.points == pytest.approx(points[i], abs=1e-5), "no shift: counted from 0"
        assert face.box == (4, 5, 36, 37)
        column = i if i < 12 else i - 12
        flags = [a for bit, a in enumerate(wflw.ATTRIBUTES) if (column >> bit) & 1]
        assert list(face.subsets) == flags
    assert len({face.split for face in found[:3]}) == 1, "one picture is in one split"
    assert [face.split for face in found[12:]] == ["test"] * 4


def test_wflw_point_lies_on_its_pixel(tmp_path):
    root = write_wflw(tmp_path / "wflw")
    where = spread(98)
    where[5] = 30, 40
    image_dir = root / "WFLW_images"
    Image.fromarray(one_white_pixel()).save(image_dir / "white.png")
    (root / LIST.format("test")).write_text(wflw_line(where, "white.png") + "\n")
    first = next(read_wflw(root / LIST.format("test"), image_dir))
    brightest_under_point(tmp_path, first, 5, [30, 40])


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda line: line.split(" ", 3)[3], "instead of 207"),
        (lambda line: line.replace(line.split()[7], "x", 1), "not a number"),
        (lambda line: line.rsplit(" ", 1)[0] + " ../../evil.jpg", "leads out of the folder"),
        (lambda line: line.rsplit(" ", 1)[0] + " /etc/evil.jpg", "leads out of the folder"),
        (lambda line: line.rsplit(" ", 1)[0] + " nobody.jpg", "not there"),
    ],
)
def test_wflw_bad_line_is_one_bad_sample(tmp_path, change, reason):
    root = write_wflw(tmp_path)
    file = root / LIST.format("train")
    lines = file.read_text().splitlines()
    lines[4] = change(lines[4])
    file.write_text("\n".join(lines))
    (bad,) = [face for face in read_wflw(file, root / "WFLW_images") if isinstance(face, BadSample)]
    assert reason in bad.reason
    assert bad.where in ("list_98pt_rect_attr_train.txt, line 5", "WFLW_images/nobody.jpg")


def test_wflw_other_lists_and_missing_parts_are_named(tmp_path):
    root = write_wflw(tmp_path)
    file = root / LIST.format("train")
    file.write_text("1 2 3\n")
    with pytest.raises(ValueError, match=r"line 1: found 3 columns, expected 207"):
        wflw.faces(root)
    shutil.rmtree(root / "WFLW_images")
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"no list_98pt_rect_attr_train\.txt and no WFLW"):
        wflw.faces(root)


# --- from files to a face set ------------------------------------------------------------------


@pytest.mark.parametrize("name, points", [("300w", 68), ("cofw", 29), ("wflw", 98)])
def test_a_folder_becomes_a_face_set(tmp_path, capsys, monkeypatch, name, points):
    monkeypatch.setattr("kdnotes.data.formats.ibug_300w.split_training", first_is_validation("afw"))
    monkeypatch.setattr(
        "kdnotes.data.formats.cofw.split_training", first_is_validation("train/0000")
    )
    monkeypatch.setattr(
        "kdnotes.data.formats.wflw.split_training", first_is_validation("0--Event/0_E")
    )
    root = WRITERS[name](tmp_path / "files")
    faces = prepare_public(name, tmp_path / "set", folder=root, workers=2, **SMALL)
    assert faces.scheme.n_points == points
    assert set(faces.counts()) == {"train", "validation", "test"}
    printed = capsys.readouterr().out
    assert "licence:" in printed and "please cite:" in printed
    if name == "300w":
        assert "common" in printed and "challenging" in printed
        assert faces.table.loc[faces.table["challenging"], "split"].eq("test").all()
    one = prepare_public(name, tmp_path / "one", folder=root, workers=1, **SMALL)
    assert one.fingerprint == faces.fingerprint, "the number of workers changes nothing"
    if name != "300w":
        by_box = prepare_public(name, tmp_path / "b", folder=root, limit=9, box="dataset", **SMALL)
        assert by_box.meta["box"] == "dataset"


def first_is_validation(start):
    return lambda picture: "validation" if picture.startswith(start) else "train"


def test_several_archives_each_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("kdnotes.data.formats.ibug_300w.split_training", first_is_validation("afw"))
    root = write_300w(tmp_path / "files")
    made = [
        shutil.make_archive(str(tmp_path / part), "zip", root / part)
        for part in ("afw", "helen", "lfpw", "ibug")
    ]
    (tmp_path / "sets").mkdir()
    faces = prepare_public("300w", tmp_path / "sets" / "300w", archive=made, **SMALL)
    assert len(faces) == 14
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["300w"]
    with pytest.raises(ValueError, match=r"comes in afw\.zip, .*found other\.zip: rename"):
        other = shutil.copyfile(made[0], tmp_path / "other.zip")
        prepare_public("300w", tmp_path / "b", archive=[other], **SMALL)


def test_tar_archives_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "kdnotes.data.formats.wflw.split_training", first_is_validation("0--Event/0_E")
    )
    root = write_wflw(tmp_path / "files")
    made = []
    for part in ("WFLW_annotations", "WFLW_images"):
        made.append(tmp_path / f"{part}.tar.gz")
        with tarfile.open(made[-1], "w:gz") as archive:
            archive.add(root / part, part)
    assert len(prepare_public("wflw", tmp_path / "set", archive=made, **SMALL)) == 16


# --- downloads ---------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that is served from 127.0.0.1, and its address; an empty cache."""
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def pack(root, folder, remote):
    """The official file of a data set, made from its small tree."""
    part = remote.name.split(".")[0]
    source = root / part if (root / part).is_dir() else root
    if remote.name.endswith(".zip"):
        shutil.make_archive(str(folder / part), "zip", source)
    else:
        with tarfile.open(folder / remote.name, "w:gz") as archive:
            archive.add(source, part)


@pytest.mark.parametrize("name", ["300w", "cofw", "wflw"])
def test_the_official_files_are_fetched_and_unpacked(tmp_path, server, monkeypatch, name):
    for module, start in (("ibug_300w", "afw"), ("cofw", "train/0000"), ("wflw", "0--Event/0_E")):
        monkeypatch.setattr(
            f"kdnotes.data.formats.{module}.split_training", first_is_validation(start)
        )
    folder, address = server
    root, dataset = WRITERS[name](tmp_path / "files"), public.get(name)
    for remote in dataset.files:
        pack(root, folder, remote)
    files = tuple(
        replace(remote, url=f"{address}/{remote.name}", known_hash=None, n_bytes=0)
        for remote in dataset.files
    )
    (tmp_path / "sets").mkdir()
    out = tmp_path / "sets" / "faces"
    faces = prepare_public(replace(dataset, files=files), out, **SMALL)
    assert len(faces) == len(prepare_public(name, tmp_path / "b", folder=root, **SMALL))
    assert [path.name for path in out.parent.iterdir()] == ["faces"]
    assert set(faces.meta["archive_sha256"]) == {remote.name for remote in dataset.files}


def test_a_wrong_hash_is_told_with_the_way_by_hand(tmp_path, server):
    folder, address = server
    (folder / "COFW_color.zip").write_bytes(b"PK, but another file")
    (remote,) = public.get("cofw").files
    remote = replace(remote, url=f"{address}/COFW_color.zip", n_bytes=0)
    dataset = replace(public.get("cofw"), files=(remote,))
    with pytest.raises(DownloadError, match=r"hash.*by hand from https://data\.caltech\.edu"):
        prepare_public(dataset, tmp_path / "set", **SMALL)
    assert not (tmp_path / "set").exists()


def test_a_part_that_cannot_be_fetched_may_be_left_out(tmp_path, server, monkeypatch):
    monkeypatch.setattr("kdnotes.data.downloads.time.sleep", lambda _: None)
    folder, address = server
    root, dataset = write_300w(tmp_path / "files"), public.get("300w")
    for remote in dataset.files[:3]:
        pack(root, folder, remote)
    files = tuple(replace(f, url=f"{address}/{f.name}", n_bytes=0) for f in dataset.files)
    dataset = replace(dataset, files=files)
    with pytest.raises(
        DownloadError, match=r"ibug\.zip by hand.*, or leave it out with --without ib"
    ):
        prepare_public(dataset, tmp_path / "set", **SMALL)
    monkeypatch.setattr("kdnotes.data.formats.ibug_300w.split_training", first_is_validation("afw"))
    faces = prepare_public(dataset, tmp_path / "set", without=["ibug"], **SMALL)
    assert set(faces.meta["archive_sha256"]) == {"afw.zip", "helen.zip", "lfpw.zip"}


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    root = write_cofw(tmp_path / "files")
    (tmp_path / "sets").mkdir()
    calls = []

    def full(*args):
        calls.append(args)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return stored_crop(*args)

    monkeypatch.setattr("kdnotes.data.faceset_write.stored_crop", full)
    with pytest.raises(OSError, match="No space left"):
        prepare_public("cofw", tmp_path / "sets" / "set", folder=root, **SMALL)
    assert not list((tmp_path / "sets").iterdir())
