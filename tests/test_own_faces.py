"""Your own photographs: CSV and COCO keypoints, and schemes of your own."""

import json

import numpy as np
import pytest
from PIL import Image

from kdnotes.data import schemes
from kdnotes.data.faceset import BadSample, FaceSet
from kdnotes.data.formats import read_coco, read_csv
from kdnotes.data.prepare import prepare_own

TRIANGLE = schemes.Scheme(
    3, (1, 0, 2), {"eyes": (0, 1), "chin": (2,)}, ((0, 1), (1, 2)), ((0,), (1,)), ((0,), (1,))
)
SMALL = {"size": 24, "progress": False}
N = 40


def shape(i):
    return np.array([[10 + i % 5, 12], [30, 12.5], [20, 34 + i % 3]])


@pytest.fixture
def photos(tmp_path):
    """Pictures of noise, and the folder they are in."""
    folder = tmp_path / "photos"
    (folder / "album").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(N):
        pixels = rng.integers(0, 256, (44, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "album" / f"{i:02d}.png")
    return folder


def write_csv(photos, rows, header="file,x0,y0,x1,y1,x2,y2,subject,split,light"):
    path = photos / "points.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    return path


def csv_row(i):
    numbers = ",".join(map(str, shape(i).ravel()))
    return f"album/{i:02d}.png,{numbers},person {i // 4},{'' if i // 4 % 2 else 'train'},dim"


def test_a_csv_file_becomes_a_face_set(photos, tmp_path):
    table = write_csv(photos, [csv_row(i) for i in range(N)])
    faces = prepare_own(table, tmp_path / "set", scheme=TRIANGLE, workers=2, **SMALL)
    assert len(faces) == N and faces.scheme == TRIANGLE and faces.meta["name"] == "points"
    assert faces.to_source(0, faces.landmarks[0]) == pytest.approx(shape(0), abs=1e-3)
    assert set(faces.table["light"]) == {"dim"} and faces.table["subject"][4] == "person 1"
    assert (faces.table["split"][np.arange(N) // 4 % 2 == 0] == "train").all()
    assert FaceSet.open(tmp_path / "set").scheme == TRIANGLE


def test_without_splits_people_are_not_cut_in_two(photos):
    rows = [csv_row(i).replace("train", "") for i in range(N)]
    found = list(read_csv(write_csv(photos, rows)))
    assert len({face.split for face in found}) > 1
    per_person = {}
    for face in found:
        per_person.setdefault(face.subject, set()).add(face.split)
    assert all(len(splits) == 1 for splits in per_person.values())


@pytest.mark.parametrize(
    "header", ["", "name,x0,y0", "file,x,y", "file,x0,y1", "file,y0,x0", "file,x0,y0,x1"]
)
def test_another_header_is_refused(photos, header):
    with pytest.raises(ValueError, match=r"points\.csv, line 1: .*expected file, x0, y0"):
        read_csv(write_csv(photos, ["a,1,2"], header=header))


@pytest.mark.parametrize(
    "row, reason",
    [
        ("album/00.png,1,2,3", "row of 4 columns instead of 10"),
        (csv_row(0).replace("12.5", "left"), "not a number"),
        (csv_row(0).replace("album/", "../"), "leads out of the folder"),
        (csv_row(0).replace("album/", "C:/"), "leads out of the folder"),
        (csv_row(0).replace("00", "99"), "not there"),
    ],
)
def test_a_bad_row_is_one_bad_sample(photos, row, reason):
    found = list(read_csv(write_csv(photos, [csv_row(1), row])))
    assert isinstance(found[1], BadSample) and reason in found[1].reason
    assert found[1].where in ("points.csv, line 3", "album/99.png")


def test_columns_without_a_name_are_left_out(photos, tmp_path):
    """pandas writes one before, a comma at the end of each line makes one after."""
    rows = [f"{i},{csv_row(i)}," for i in range(N)]
    header = ",file,x0,y0,x1,y1,x2,y2,subject,split,light,"
    table = write_csv(photos, rows, header)
    faces = prepare_own(table, tmp_path / "set", scheme=TRIANGLE, **SMALL)
    assert len(FaceSet.open(tmp_path / "set")) == N and faces.meta["attributes"] == ["light"]


def test_a_short_row_without_a_file_is_one_bad_sample(photos):
    table = write_csv(photos, ["1,2", "1,2,3,4,5,6,album/00.png"], "x0,y0,x1,y1,x2,y2,file")
    bad, good = read_csv(table)
    assert "row of 2 columns" in bad.reason and good.points.shape == (3, 2)


def test_a_table_that_is_no_csv_is_refused(photos):
    table = write_csv(photos, ['"' + "x" * 200_000, csv_row(0)])
    with pytest.raises(ValueError, match="not a CSV file"):
        read_csv(table)


def test_a_corrected_table_is_not_mixed_with_the_old_one(photos, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    table = write_csv(photos, [csv_row(i) for i in range(1, N)])
    with monkeypatch.context() as patch:
        patch.setattr("kdnotes.data.faceset_write.assemble", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare_own(table, tmp_path / "set", scheme=TRIANGLE, **SMALL)
    table = write_csv(photos, [csv_row(i) for i in range(N)])
    faces = prepare_own(table, tmp_path / "set", scheme=TRIANGLE, **SMALL)
    assert len(faces) == N and faces.table["id"][0].startswith("album/00.png")


def coco(photos, **changes):
    annotations = []
    for i in range(N):
        flags = np.array([[2], [1 if i == 0 else 2], [2]])
        keypoints = np.hstack([shape(i), flags]).ravel().tolist()
        annotations.append(
            {"id": 100 + i, "image_id": i // 2, "keypoints": keypoints, "bbox": [8, 9, 26, 27]}
        )
    images = [{"id": i, "file_name": f"album/{i:02d}.png"} for i in range(N)]
    content = {"images": images, "annotations": annotations} | changes
    path = photos / "faces.json"
    path.write_text(json.dumps(content))
    return path


def test_coco_keypoints_become_a_face_set(photos, tmp_path):
    path = coco(photos)
    faces = prepare_own(path, tmp_path / "set", scheme=TRIANGLE, box="dataset", **SMALL)
    assert len(faces) == N == faces.table["id"].nunique()
    assert faces.table["id"][0] == "album/00.png#100"
    assert faces.visible[0].tolist() == [True, False, True] and faces.visible[1:].all()
    assert faces.to_source(3, faces.landmarks[3]) == pytest.approx(shape(3), abs=1e-3)


@pytest.mark.parametrize(
    "keypoints, reason",
    [([1, 2], "triples"), (["a"] * 9, "triples"), ([1, 2, 0] * 3, "not labelled")],
)
def test_bad_annotations_are_bad_samples(photos, keypoints, reason):
    good = {"id": 6, "image_id": 1, "keypoints": [1, 2, 2] * 3}
    annotations = [good, {"id": 7, "image_id": 0, "keypoints": keypoints}]
    _, bad = read_coco(coco(photos, annotations=annotations), photos)
    assert reason in bad.reason and bad.where == "annotation 7"


def test_empty_entries_of_an_annotation_are_none(photos):
    entry = {"id": 7, "image_id": 0, "keypoints": [1, 2, 2] * 3}
    entry |= {"bbox": None, "subject": None, "split": None}
    (face,) = read_coco(coco(photos, annotations=[entry]), photos)
    assert face.box is None and face.subject == "" and face.split in ("train", "validation", "test")


@pytest.mark.parametrize("content", ["", "[]", '{"images": []}', '{"images": [1]}'])
def test_other_json_is_refused(photos, content):
    (photos / "faces.json").write_text(content)
    with pytest.raises(ValueError, match="is not a COCO keypoints file"):
        read_coco(photos / "faces.json", photos)


def test_a_scheme_from_a_file(tmp_path):
    path = tmp_path / "triangle.json"
    path.write_text(json.dumps(schemes.to_json(TRIANGLE)))
    assert schemes.get_named(str(path)) == TRIANGLE
    assert schemes.get_named("98") == schemes.SCHEMES[98]
    for name in ("7", "nowhere.json"):
        with pytest.raises(ValueError, match="scheme"):
            schemes.get_named(name)
    path.write_text("[3]")
    with pytest.raises(ValueError, match="--scheme"):
        schemes.get_named(str(path))
    path.write_text('{"points": 3}')
    with pytest.raises(ValueError, match=r"not a scheme .*groups"):
        schemes.get_named(str(path))
    path.write_text(json.dumps(schemes.to_json(TRIANGLE) | {"flip": [1, 2, 0]}))
    with pytest.raises(ValueError, match="identity when applied twice"):
        schemes.get_named(str(path))
