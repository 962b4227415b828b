import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdnotes.data import crops, schemes
from kdnotes.data.faceset import BadSample, FaceSet, FaceSetError, Sample

TRIANGLE = schemes.Scheme(
    3, (1, 0, 2), {"eyes": (0, 1), "chin": (2,)}, ((0, 1),), ((0,), (1,)), ((0,), (1,))
)


def make_sample(i=0, n_points=68, **changes):
    rng = np.random.default_rng(i)
    image = rng.integers(0, 256, (70, 80, 3), dtype=np.uint8)
    sample = Sample(
        image,
        rng.uniform((10, 10), (70, 60), (n_points, 2)),
        id=f"face {i}",
        subject=f"person {i % 5}",
        split=("train", "validation", "test", "train", "train")[i % 5],
    )
    return replace(sample, **changes)


def write(path, faces=None, **settings):
    faces = (make_sample(i) for i in range(20)) if faces is None else faces
    settings = {"scheme": 68, "size": 24, "progress": False} | settings
    return FaceSet.write(path, faces, **settings)


# --- crops and coordinates -------------------------------------------------------------------


@pytest.mark.parametrize("box", [(20, 30, 21, 21), (12.5, 20.25, 33.5, 40.5), (-3, 33, 77, 12)])
@pytest.mark.parametrize("size", [48, 65, 200])
def test_bright_pixel_lies_under_its_point_and_maps_back(tmp_path, box, size):
    image = np.zeros((64, 64, 3), np.uint8)
    image[40, 30] = 255
    points = np.random.default_rng(0).uniform(5, 60, (68, 2))
    points[7] = (30, 40)
    sample = Sample(image, points, box=box)
    faces = write(tmp_path / "set", [sample], size=size, box="dataset", stored_margin=1.3)
    assert faces.to_source(0, faces.landmarks[0]) == pytest.approx(points, abs=0.01)
    row, column = np.unravel_index(faces.images[0].sum(-1, dtype=int).argmax(), (size, size))
    brightest = (np.array([column, row]) + 0.5) / size - 0.5
    pixel = max(1, size / (max(box[2:]) * 1.3)) / size  # an enlarged pixel is several wide
    assert abs(brightest - faces.landmarks[0, 7]).max() <= 0.5 * pixel + 1e-6


@pytest.mark.parametrize("size", [33, 128])
def test_centre_of_mass_of_a_blob_stays_under_its_point(size):
    y, x = np.mgrid[:90, :100]
    centre = np.array([47.3, 38.8])
    blob = 255 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 4**2))
    image = np.repeat(blob.astype(np.uint8)[..., None], 3, axis=2)
    crop = (44.25, 41.5, 57.5)
    weights = crops.cut(image, crop, size)[..., 0].astype(float)
    grid = (np.arange(size) + 0.5) / size - 0.5
    found = np.array([weights.sum(0) @ grid, weights.sum(1) @ grid]) / weights.sum()
    assert crop[2] * found + crop[:2] == pytest.approx(centre, abs=0.05)


def test_a_circle_stays_round_in_a_box_that_is_not_square(tmp_path):
    y, x = np.mgrid[:240, :200]
    image = np.zeros((240, 200, 3), np.uint8)
    image[(x - 100) ** 2 + (y - 120) ** 2 <= 40**2] = 255
    sample = make_sample(image=image, box=(70, 60, 60, 120))
    faces = write(tmp_path / "set", [sample], size=96, box="dataset", stored_margin=1.0)
    inside = faces.images[0, :, :, 0] > 127
    width, height = inside.any(axis=0).sum(), inside.any(axis=1).sum()
    assert abs(width - height) <= 1
    assert abs(width - 96 * 80 / 120) <= 1


@pytest.mark.parametrize("size", [17, 60, 150])
@pytest.mark.parametrize("centre", [(2.2, 30), (76.5, 30), (40, 1), (40, 68.7), (40, 35)])
def test_a_box_outside_the_picture_equals_the_crop_of_the_padded_picture(centre, size):
    image, side, pad = make_sample().image, 60.5, 120
    padded = Image.fromarray(np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
    left, top = np.array(centre) + pad + 0.5 - side / 2
    box = (left, top, left + side, top + side)
    expected = np.array(padded.resize((size, size), Image.Resampling.BICUBIC, box=box))
    crop = crops.cut(image, (*centre, side), size)
    assert abs(crop.astype(int) - expected).max() <= 1


def test_a_crop_of_whole_pixels_is_the_picture_itself():
    image = make_sample().image
    assert np.array_equal(crops.cut(image, (29.5, 34.5, 20), 20), image[25:45, 20:40])


def test_the_source_of_the_box_changes_the_crop_and_is_named(tmp_path):
    sample = make_sample(box=(5, 5, 50, 40))
    by_points = write(tmp_path / "a", [sample])
    by_box = write(tmp_path / "b", [sample], box="dataset", stored_margin=1.5)
    assert (by_points.meta["box"], by_points.meta["stored_margin"]) == ("landmarks", 2.2)
    assert (by_box.meta["box"], by_box.meta["stored_margin"]) == ("dataset", 1.5)
    assert by_box.crops[0] == pytest.approx([30, 25, 75])
    low, high = sample.points.min(0), sample.points.max(0)
    assert by_points.crops[0] == pytest.approx([*(low + high) / 2, 2.2 * (high - low).max()])
    for faces in (by_points, by_box):
        assert faces.to_source(0, faces.landmarks[0]) == pytest.approx(sample.points, abs=0.01)


def test_a_ready_crop_is_kept_pixel_by_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    points = np.full((68, 2), [3.0, 20.0])
    sample = Sample(image, points, crop=(11.5, 11.5, 24))
    faces = write(tmp_path / "set", [sample])
    assert np.array_equal(faces.images[0], image)
    assert faces.landmarks[0, 0] == pytest.approx([3.5 / 24 - 0.5, 20.5 / 24 - 0.5])
    smaller = write(tmp_path / "smaller", [sample], size=12)
    assert smaller.images.shape == (1, 12, 12, 3)
    assert np.array_equal(smaller.landmarks, faces.landmarks)


@pytest.mark.parametrize("size", [11, 12, 60])
def test_a_ready_crop_is_resized_without_a_shift(size):
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    sample = Sample(image, np.ones((68, 2)), crop=(11.5, 11.5, 24))
    resized = crops.stored_crop(sample, size, 2.2).image.astype(int)
    turned = replace(sample, image=image[::-1, ::-1])
    assert abs(crops.stored_crop(turned, size, 2.2).image[::-1, ::-1] - resized).max() <= 1


@pytest.mark.parametrize("n_points", [29, 68, 98])
@pytest.mark.parametrize("yaw", [-50, 0, 25])
def test_yaw_is_estimated_whatever_the_roll(n_points, yaw):
    scheme = schemes.get(n_points)
    head = np.zeros((n_points, 3))
    head[list(scheme.interocular[0])], head[list(scheme.interocular[1])] = (-50, 0, 0), (50, 0, 0)
    head[crops.NOSE_TIP[n_points]] = 0, 40, 100 * crops.NOSE_DEPTH
    turn, roll = np.radians(yaw), np.radians(17)
    x = head[:, 0] * np.cos(turn) + head[:, 2] * np.sin(turn)
    rotation = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    points = np.stack([x, head[:, 1]], axis=1) @ rotation
    assert crops.estimate_yaw(points, n_points) == pytest.approx(yaw)
    mirrored = (points * [-1, 1])[list(scheme.flip)]
    assert crops.estimate_yaw(mirrored, n_points) == pytest.approx(-yaw)


def test_yaw_is_unknown_where_it_cannot_be_estimated():
    assert np.isnan(crops.estimate_yaw(np.zeros((68, 2)), 68))
    assert np.isnan(crops.estimate_yaw(np.eye(3)[:, :2], TRIANGLE))


# --- what is stored and selected -------------------------------------------------------------


def test_everything_comes_back(tmp_path):
    given = [
        make_sample(
            i,
            id=f"{i:03d}",
            subject="NA" if i % 2 else "None",
            split="train" if i % 2 else "test",
            visible=np.arange(68) != i,
            subsets=("pose",) if i == 1 else (),
            attributes={"yaw": 0.1 * i, "light": "NA", "age": None if i else 30, "hat": i == 2},
        )
        for i in range(4)
    ]
    write(tmp_path / "set", given, name="mine", source="here", extra={"labels": "by hand"})
    faces = FaceSet.open(tmp_path / "set")
    assert len(faces) == 4 and faces.size == 24 and faces.scheme is schemes.get(68)
    assert faces.table["id"].tolist() == ["000", "001", "002", "003"]
    assert faces.table["subject"].tolist() == ["None", "NA", "None", "NA"]
    assert faces.table["pose"].tolist() == [False, True, False, False]
    assert faces.table["yaw"].tolist() == pytest.approx([0.1 * i for i in range(4)])
    assert faces.table["light"].tolist() == ["NA"] * 4
    assert faces.table["age"].isna().tolist() == [False, True, True, True]
    assert faces.table["hat"].dtype == bool
    assert [np.flatnonzero(~row).tolist() for row in faces.visible] == [[0], [1], [2], [3]]
    assert faces.meta["labels"] == "by hand" and faces.meta["name"] == "mine"
    assert faces.images.dtype == np.uint8 and faces.landmarks.dtype == np.float32
    for i, sample in enumerate(given):
        crop = crops.stored_crop(sample, 24, 2.2)
        assert np.array_equal(faces.images[i], crop.image)


def test_splits_and_selections_remember_their_rows(tmp_path):
    faces = write(tmp_path / "set")
    assert list(faces.counts().items()) == [("train", 12), ("validation", 4), ("test", 4)]
    train = faces.split("train")
    assert (train.table["split"] == "train").all() and len(train) == 12
    some = train.select([5, 0, -1])
    assert some.rows.tolist() == train.rows[[5, 0, -1]].tolist()
    for part in (train, some, train.select(np.arange(12) % 2 == 0)):
        for i, row in enumerate(part.rows):
            assert np.array_equal(part.images[i], faces.images[row])
            assert np.array_equal(part.landmarks[i], faces.landmarks[row])
            assert part.table["id"][i] == faces.table["id"][row]
        index = np.array([1, 0])
        assert np.array_equal(part.images[index], faces.images[part.rows[index]])
        source = part.to_source(index, part.landmarks[index])
        expected = faces.to_source(part.rows[index], faces.landmarks[part.rows[index]])
        assert np.array_equal(source, expected)
    assert some.images.shape == (3, 24, 24, 3) and len(some.images) == 3
    assert some.images[1:].shape == (2, 24, 24, 3)
    assert some.fingerprint == faces.fingerprint


@pytest.mark.parametrize("rows", [[], np.zeros(20, bool), np.array([], int)])
def test_no_rows_give_an_empty_face_set(tmp_path, rows):
    empty = write(tmp_path / "set").select(rows)
    assert len(empty) == len(empty.people()) == 0 and empty.counts() == {}
    assert empty.images[:].shape == (0, 24, 24, 3) and empty.landmarks.shape[0] == 0
    assert len(empty.select([])) == len(pickle.loads(pickle.dumps(empty))) == 0
    assert "0 faces" in repr(empty)
    with pytest.raises(FaceSetError, match="no face in the split 'train'; it has nothing"):
        empty.split("train")


def test_pictures_are_mapped_and_not_copied(tmp_path):
    faces = write(tmp_path / "set")
    assert isinstance(faces.images, np.memmap)
    part = faces.split("train").select([1, 2])
    assert part.images.data is faces.images
    sent = pickle.dumps(part)
    assert len(sent) < 2000
    received = pickle.loads(sent)
    assert received.rows.tolist() == part.rows.tolist()
    assert np.array_equal(received.images[[0, 1]], part.images[[0, 1]])


def test_the_fingerprint_follows_pictures_and_landmarks(tmp_path):
    given = [make_sample(i) for i in range(3)]
    first = write(tmp_path / "a", given).fingerprint
    assert write(tmp_path / "b", given).fingerprint == first
    moved = replace(given[1], points=given[1].points + 0.5)
    assert write(tmp_path / "c", [given[0], moved, given[2]]).fingerprint != first
    assert write(tmp_path / "d", given[::-1]).fingerprint != first


def test_a_scheme_of_ones_own_comes_back(tmp_path):
    given = [make_sample(i, n_points=3) for i in range(3)]
    assert write(tmp_path / "set", given, scheme=TRIANGLE).scheme == TRIANGLE


def test_an_unknown_split_is_refused_with_what_there_is(tmp_path):
    faces = write(tmp_path / "set")
    with pytest.raises(FaceSetError, match=r"'val'; it has train 12, validation 4, test 4"):
        faces.split("val")
    with pytest.raises(FaceSetError, match="it has train 12"):
        faces.split("train").split("test")


# --- bad samples -----------------------------------------------------------------------------

NAN = np.full((68, 2), np.nan)
BAD = {
    "not finite": {"points": NAN},
    "points far outside": {"points": make_sample().points + 1e6},
    r"\(67, 2\) landmarks": {"points": make_sample().points[:67]},
    "box without an area": {"points": np.full((68, 2), 30.0)},
    "not an array of uint8": {"image": np.zeros((70, 80, 3), np.float32)},
    "picture of shape": {"image": np.zeros((70, 80), np.uint8)},
    "visibility of shape": {"visible": np.ones(5, bool)},
    "not a square": {"crop": (10, 10, 20)},
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_sample_is_skipped_counted_and_printed(tmp_path, capsys, reason):
    given = [make_sample(i) for i in range(20)]
    given[6] = replace(given[6], **BAD[reason])
    faces = write(tmp_path / "set", given)
    assert len(faces) == 19 and "face 6" not in set(faces.table["id"])
    assert sum(faces.meta["skipped"].values()) == 1
    printed = capsys.readouterr().out
    assert "skipped 1 of 20" in printed and "(face 6)" in printed
    with pytest.raises(FaceSetError, match=reason):
        write(tmp_path / "only", [given[6]])


def test_what_a_reader_could_not_deliver_is_counted(tmp_path, capsys):
    given = [*(make_sample(i) for i in range(60)), *(BadSample(f"b{i}", "dark") for i in range(3))]
    faces = write(tmp_path / "set", given)
    assert faces.meta["skipped"] == {"dark": 3} and len(faces) == 60
    assert "3 × dark (b0; b1; b2)" in capsys.readouterr().out


def test_more_than_one_bad_sample_in_twenty_leaves_nothing(tmp_path):
    given = [BadSample("b0", "dark"), BadSample("b1", "dark"), *(make_sample(i) for i in range(37))]
    with pytest.raises(FaceSetError, match=r"2 of 39 samples are bad, more than 5%: 2 × dark"):
        write(tmp_path / "set", given)
    assert not list(tmp_path.iterdir())
    write(tmp_path / "set", [*given, make_sample(38)])


def test_points_a_little_outside_the_picture_are_fine(tmp_path):
    points = make_sample().points.copy()
    points[3] = (-12, 75)
    faces = write(tmp_path / "set", [make_sample(points=points)])
    assert faces.to_source(0, faces.landmarks[0])[3] == pytest.approx([-12, 75], abs=0.01)


@pytest.mark.parametrize("box", [None, (0, 0, 0, 5), (0, 0, np.nan, 5), (1e6, 0, 5, 5)])
def test_a_useless_box_of_the_data_set_is_bad(box):
    assert crops.find_problem(make_sample(box=box), 68, "dataset")
    assert not crops.find_problem(make_sample(box=box), 68, "landmarks")


@pytest.mark.parametrize(
    "given, settings, message",
    [
        ([], {}, "no face to write"),
        ([make_sample(1), make_sample(1)], {}, "two faces have the id 'face 1'"),
        ([make_sample(0)], {"splits": ("train", "test")}, "'test' would be empty; found train 1"),
        ([make_sample(attributes={"split": 1})], {}, "two columns named"),
        ([make_sample()], {"scheme": 67}, "no scheme has 67 points"),
        ([make_sample()], {"box": "detector"}, "box must be"),
        ([make_sample()], {"stored_margin": 0}, "must be positive"),
    ],
)
def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path, given, settings, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "set", given, **settings)
    assert not list(tmp_path.iterdir())


def test_people_in_two_splits_are_worth_a_warning(tmp_path):
    given = [make_sample(i, subject=f"p{i // 2}") for i in range(4)]
    with pytest.warns(UserWarning, match="2 subjects are in more than one split"):
        write(tmp_path / "set", given)


# --- whole or not there ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_run_leaves_nothing(tmp_path, error):
    def faces():
        yield make_sample()
        raise error

    with pytest.raises((KeyboardInterrupt, OSError)):
        write(tmp_path / "set", faces())
    assert not list(tmp_path.iterdir())


KILLED = """
import sys
sys.path.insert(0, {tests!r})
import itertools
from test_faceset import make_sample, write
write({path!r}, (make_sample(i) for i in itertools.count()))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
def test_a_killed_run_leaves_nothing_that_opens(tmp_path):
    path = tmp_path / "set"
    script = KILLED.format(tests=os.path.dirname(__file__), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 60
        while not any(file.stat().st_size for file in tmp_path.glob(".set.*/images.raw")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert not path.exists()
    for left_behind in tmp_path.iterdir():
        with pytest.raises(FaceSetError):
            FaceSet.open(left_behind)
    assert len(write(path)) == 20


def test_only_a_face_set_is_replaced_and_only_when_asked(tmp_path):
    write(tmp_path / "set")
    with pytest.raises(FileExistsError, match="is there already"):
        write(tmp_path / "set")
    assert len(write(tmp_path / "set", [make_sample()], replace=True)) == 1
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").write_text("mine")
    with pytest.raises(FaceSetError, match="not a face set"):
        write(photos, replace=True)
    assert (photos / "holiday.jpg").exists()
    with pytest.raises(FaceSetError):
        write(tmp_path / "set", [make_sample(points=NAN)], replace=True)
    assert len(FaceSet.open(tmp_path / "set")) == 1


def edit_meta(path, **changes):
    file = path / "meta.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def save_landmarks(path, change):
    landmarks = np.load(path / "landmarks.npy")
    np.save(path / "landmarks.npy", change(landmarks))


def shorten(file, n_bytes):
    file.write_bytes(file.read_bytes()[:-n_bytes])


def lengthen(file, n_bytes):
    file.write_bytes(file.read_bytes() + bytes(n_bytes))


def with_nan(landmarks):
    landmarks[3, 5, 1] = np.nan
    return landmarks


DAMAGE = {
    "has no meta.json": lambda p: (p / "meta.json").unlink(),
    r"meta.json .* cannot be understood": lambda p: shorten(p / "meta.json", 30),
    r"\('kdnotes face set', 99\)": lambda p: edit_meta(p, version=99),
    "meta.json .* missing or wrong": lambda p: edit_meta(p, n_faces="many"),
    "no scheme has 67 points": lambda p: edit_meta(p, scheme=67),
    r"images.raw .* expected 34,560 for 20 faces": lambda p: shorten(p / "images.raw", 1),
    "images.raw .* has 34,563 bytes": lambda p: lengthen(p / "images.raw", 3),
    "images.raw .* has 0 bytes": lambda p: (p / "images.raw").unlink(),
    r"landmarks.npy .* cannot be read": lambda p: shorten(p / "landmarks.npy", 9),
    r"expected \(20, 68, 2\)": lambda p: save_landmarks(p, lambda points: points[:, :29]),
    "face 3 has landmarks that are not finite": lambda p: save_landmarks(p, with_nan),
    "crops.npy .* cannot be read": lambda p: (p / "crops.npy").unlink(),
    "table.csv .* expected 20": lambda p: shorten(p / "table.csv", 40),
    "table.csv .* cannot be read": lambda p: (p / "table.csv").write_bytes(b""),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_a_damaged_face_set_says_what_is_wrong(tmp_path, message):
    write(tmp_path / "set")
    DAMAGE[message](tmp_path / "set")
    with pytest.raises(FaceSetError, match=message) as caught:
        FaceSet.open(tmp_path / "set")
    assert str(tmp_path / "set") in str(caught.value) and "prepare" in str(caught.value)


def test_a_missing_face_set_says_how_to_make_one(tmp_path):
    with pytest.raises(FaceSetError, match=r"no face set at .*nowhere.*data prepare"):
        FaceSet.open(tmp_path / "nowhere")


def test_paths_may_be_written_in_any_script(tmp_path):
    path = tmp_path / "é 你好" / "שלום"
    write(path, [make_sample(id="ж/é.jpg", subject="名")])
    table = FaceSet.open(path).table
    assert (table["id"][0], table["subject"][0]) == ("ж/é.jpg", "名")


def test_shrinking_averages_instead_of_dropping_pixels():
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[:, ::2] = 255
    small = crops.cut(stripes, (59.5, 59.5, 120), 24)
    assert abs(small[2:-2, 2:-2].astype(int) - 127).max() <= 6


ITERATE = """
import sys, time
from pathlib import Path
from kdnotes.data.faceset import FaceSet

def anonymous():
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024

before, start = anonymous(), time.perf_counter()
faces = FaceSet.open(sys.argv[1])
opened = time.perf_counter() - start
total = sum(int(faces.images[range(i, i + 50)][:, ::32].sum()) for i in range(0, len(faces), 50))
print(len(faces), total, round(anonymous() - before), round(opened, 2))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_large_set_is_read_with_little_memory(tmp_path):
    """10,000 faces at 256 pixels: 2 GB of pictures, mapped and not held."""
    n, size = 10_000, 256
    few = write(tmp_path / "set", [make_sample(i) for i in range(4)], size=size)
    folder = tmp_path / "set"
    for name in ("landmarks", "visible", "crops"):
        np.save(folder / f"{name}.npy", np.repeat(getattr(few, name), n // 4, axis=0))
    table = few.table.loc[np.repeat(np.arange(4), n // 4)]
    table.assign(id=np.arange(n)).to_csv(folder / "table.csv", index=False)
    meta = json.loads((folder / "meta.json").read_text()) | {"n_faces": n}
    (folder / "meta.json").write_text(json.dumps(meta))
    os.truncate(folder / "images.raw", n * size * size * 3)  # a file with holes, read as zeros
    done = subprocess.run(
        [sys.executable, "-c", ITERATE, folder], capture_output=True, text=True, check=True
    )
    count, total, megabytes, _ = done.stdout.split()
    assert int(count) == n and int(total) > 0
    assert int(megabytes) < 300
    print(done.stdout)
