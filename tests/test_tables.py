"""Tables of one's own as spreadsheets and labelling tools write them."""

import csv
import io
import json
import unicodedata
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from own_faces import HEADER, drawn, row, write_photos, write_table
from PIL import Image

from kdnotes.commands import app
from kdnotes.data import schemes
from kdnotes.data.crops import Sample
from kdnotes.data.faceset import BadSample, FaceSet, FaceSetError
from kdnotes.data.formats import read_coco, read_csv, split_by_name
from kdnotes.data.prepare import prepare_own
from kdnotes.publish import audit

SMALL = {"size": 32, "progress": False}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """60 photographs, and a folder of six."""
    return write_photos(tmp_path_factory.mktemp("many") / "photos", 60)


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos")


def rows_of(n=6, **columns):
    """Rows of the first faces; each further column is a list of its cells."""
    return [row(i, **{name: cells[i] for name, cells in columns.items()}) for i in range(n)]


def table_of(photos, n=6, **columns):
    return write_table(photos / "points.csv", rows_of(n, **columns), [*HEADER, *columns])


def read_faces(table):
    """The faces of a table, all of which are good."""
    found = list(read_csv(table))
    assert all(isinstance(face, Sample) for face in found), found
    return found


def check_points(found):
    assert len(found) == 6
    for i, face in enumerate(found):
        assert face.points == pytest.approx(drawn(i // 3, i)[1], abs=1e-3)
        assert face.image.shape == (120, 120, 3)


# --- blank rows, blanks, splits ------------------------------------------------------------------


@pytest.mark.parametrize(
    "blank",
    [[""] * 137, [" "] * 137, ["   "], [""] * 140, []],
    ids=["commas", "blanks", "a line of blanks", "more commas", "an empty line"],
)
def test_rows_without_content_are_passed_over(photos, blank):
    rows = rows_of()
    table = write_table(photos / "points.csv", [*rows[:2], blank, *rows[2:], blank, blank])
    check_points(read_faces(table))
    faces = prepare_own(table, photos / "set", **SMALL)
    assert len(faces) == 6 and faces.meta["skipped"] == {}


def test_empty_cells_beyond_the_header_do_no_harm(photos):
    rows = rows_of()
    rows[1] += ["", " ", ""]
    rows[2] += ["more"]
    found = list(read_csv(write_table(photos / "points.csv", rows)))
    assert isinstance(found[1], Sample)
    assert found[2].reason == "row of 138 columns instead of 137"


def test_a_blank_makes_no_second_person(photos):
    names = ["ben", "ben ", " ben", "Renée", unicodedata.normalize("NFD", "Renée"), "Renée\xa0"]
    found = read_faces(table_of(photos, subject=names))
    assert [face.subject for face in found] == ["ben"] * 3 + ["Renée"] * 3
    assert len({face.split for face in found[:3]}) == 1


def test_headers_and_ids_and_files_may_have_blanks_around_them(photos):
    header = [f" {name} " for name in ("File", *HEADER[1:], "ID", "Split")]
    rows = [[f" {r[0]} ", *r[1:], f" face {i} ", "test "] for i, r in enumerate(rows_of())]
    found = read_faces(write_table(photos / "points.csv", rows, header))
    check_points(found)
    assert [face.id for face in found] == [f"face {i}" for i in range(6)]
    assert {face.split for face in found} == {"test"}


@pytest.mark.parametrize(
    "written, split",
    [
        *((text, "train") for text in ("Train", "train ", "TRAINING")),
        *((text, "validation") for text in (" validation", "val", "Valid", "dev", "VAL")),
        *((text, "test") for text in ("TEST", "testing")),
    ],
)
def test_the_usual_spellings_of_a_split_are_understood(photos, written, split):
    (face,) = read_faces(table_of(photos, 1, split=[written]))
    assert face.split == split


@pytest.mark.parametrize("written", ["holdout", "tset", "0"])
def test_another_split_is_refused_at_once_with_the_three_names(photos, written):
    table = table_of(photos, split=["train", written, "val", "test", written, ""])
    (photos / "f0.png").write_bytes(b"")  # nothing is read for it
    pattern = rf"has the split '{written}' \(points\.csv, line 3\); expected train, validation or"
    with pytest.raises(ValueError, match=pattern):
        prepare_own(table, photos / "set", **SMALL)
    content = json.dumps(coco_of(split=["train", written, "val", "test", "", ""]))
    (photos / "a.json").write_text(content)
    with pytest.raises(ValueError, match=rf"has the split '{written}' \(annotation 101\)"):
        read_coco(photos / "a.json", photos)


def test_one_picture_is_one_name_however_it_is_written(photos):
    (photos / "sub").mkdir()
    (photos / "f0.png").rename(photos / "sub" / "é0.png")
    for name in ("sub/é0.png", "./sub/é0.png", "sub//é0.png", "sub\\é0.png", ".\\sub\\é0.png"):
        table = write_table(photos / "points.csv", [row(0, name)])
        (face,) = read_faces(table)
        assert face.split == split_by_name("sub/é0.png"), name
        assert face.id == "sub/é0.png (points.csv, line 2)"
    assert split_by_name("album/00.png") == "test", "a plain name is hashed as it is"


@pytest.mark.filterwarnings("ignore:.*more than one split")
def test_a_person_in_two_splits_is_told(photos):
    table = table_of(
        photos, subject=["ben", "ben ", "a", "a", "b", "b"], split=["train", "val"] * 3
    )
    with pytest.warns(UserWarning, match="3 subjects are in more than one split"):
        faces = prepare_own(table, photos / "set", **SMALL)
    assert any("in more than one split" in text for text in audit.warnings(faces, progress=False))


def test_a_group_of_many_faces_is_no_person(many, tmp_path, capsys):
    """`image_0001`, `image_0002`, … are no person called `image`."""
    subjects = ["image" if i % 6 == 0 else f"p{i // 3}" for i in range(60)]
    faces = prepare_own(table_of(many, 60, subject=subjects), tmp_path / "set", **SMALL)
    words = "10 of 60 faces are of the subject 'image': is that one person?"
    assert f"warning: {words}" in capsys.readouterr().out
    assert any(text.startswith(words) for text in audit.warnings(faces, progress=False))
    plain = prepare_own(
        table_of(many, 60, subject=[f"p{i // 3}" for i in range(60)]), tmp_path / "b", **SMALL
    )
    assert "is that one person" not in capsys.readouterr().out
    assert not any("is that one" in text for text in audit.warnings(plain, progress=False))


# --- separators, encodings, names ----------------------------------------------------------------


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": ";"},
        {"delimiter": "\t"},
        {"delimiter": "|"},
        {"encoding": "utf-16"},
        {"encoding": "utf-16-le"},
        {"encoding": "utf-16-be"},
        {"encoding": "utf-8-sig", "delimiter": ";", "quoting": csv.QUOTE_ALL},
        {"delimiter": "\t", "encoding": "utf-16", "lineterminator": "\r"},
    ],
)
def test_separators_and_encodings_of_spreadsheets(photos, dialect):
    check_points(read_faces(write_table(photos / "points.csv", rows_of(), **dialect)))


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas(photos, delimiter):
    rows = [[name, *(text.replace(".", ",") for text in cells)] for name, *cells in rows_of()]
    check_points(read_faces(write_table(photos / "points.csv", rows, delimiter=delimiter)))


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;\r", "sep=;;;;"])
def test_a_first_line_that_names_the_separator(photos, first):
    rows = rows_of()
    rows[2][1] = "left"
    table = write_table(photos / "points.csv", rows, delimiter=";")
    table.write_text(f"{first}\n{table.read_text()}")
    found = list(read_csv(table))
    assert found[2].where == "points.csv, line 5"
    assert found[3].points == pytest.approx(drawn(1, 3)[1], abs=1e-3)


def test_windows_letters_are_read_and_told(photos, capsys):
    (photos / "f0.png").rename(photos / "é0.png")
    table = write_table(
        photos / "points.csv", [row(0, "é0.png"), *rows_of()[1:]], encoding="cp1252"
    )
    check_points(read_faces(table))
    faces = prepare_own(table, photos / "set", **SMALL)
    assert faces.table["id"][0].startswith("é0.png")
    assert faces.meta["notes"] == ["points.csv is no UTF-8, so it was read as Windows-1252"]
    assert faces.meta["notes"][0] in capsys.readouterr().out


@pytest.mark.parametrize(
    "content, words",
    [
        (b"file,x0\n\x81\x8d\x8f.png,1\n", "no text in UTF-8, UTF-16 or Windows-1252"),
        (b"\xff\xfef\0i\0l\0e", "no text in UTF-8"),
        ("zip", "is a workbook of a spreadsheet program; save it as CSV"),
        (b"file x0 y0 x1 y1\na.png 1 2 3 4\n", "'file x0 y0 x1 y1' and no comma, semicolon, tab"),
        (
            ",".join(["face", *HEADER[1:]]).encode(),
            "found the columns face, x0, y0, x1, y1, x2 and",
        ),
        (b"", "found nothing and no comma"),
        (b"file,x0,y0,note,note\n", "two columns are called 'note'"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_short_sentence(tmp_path, content, words):
    table = tmp_path / "points.csv"
    if content == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
        content = file.getvalue()
    table.write_bytes(content + b"" if words != "no text in UTF-8" else content + b"\0\xd8")
    with pytest.raises(ValueError) as caught:
        read_csv(table)
    message = str(caught.value)
    assert words in message and "points.csv" in message
    assert len(message) - len(str(tmp_path)) < 250 and "\0" not in message and "�" not in message


def test_accents_and_slashes_are_found_however_a_system_writes_them(photos):
    (photos / "Fotos é").mkdir()
    decomposed = unicodedata.normalize("NFD", "é0.png")
    (photos / "f0.png").rename(photos / "Fotos é" / decomposed)
    for name in (
        "Fotos é/é0.png",
        unicodedata.normalize("NFD", "Fotos é/é0.png"),
        "Fotos é\\é0.png",
    ):
        check_points(read_faces(write_table(photos / "a.csv", [row(0, name), *rows_of()[1:]])))
        content = coco_of()
        content["images"][0]["file_name"] = name
        (photos / "a.json").write_text(json.dumps(content))
        found = list(read_coco(photos / "a.json", photos))
        check_points(found)
        assert found[0].id == "Fotos é/é0.png"


@pytest.mark.parametrize(
    "name, nearest",
    [
        ("F0.PNG", "f0.png"),
        ("f0.jpeg", "f0.png"),
        ("album/f0.png", "f0.png"),
        ("sub/Größe 1.png", "Groesse 1.png"),
        ("Ã¤nne2.png", "änne2.png"),
        ("f9.png", None),
        ("nobody.png", None),
    ],
)
def test_a_missing_picture_is_named_with_the_one_that_is_nearly_it(photos, name, nearest):
    (photos / "sub").mkdir()
    (photos / "f1.png").rename(photos / "sub" / "Groesse 1.png")
    (photos / "f2.png").rename(photos / "änne2.png")
    if (photos / name).is_file():
        pytest.skip("this system takes small and capital letters for the same")
    (bad,) = read_csv(write_table(photos / "points.csv", [row(0, name)]))
    assert bad.reason == "picture that is not there"
    assert bad.where == name + (f": there is {nearest}" if nearest else "")


def test_many_bad_rows_are_counted_and_five_named_before_any_picture_is_read(many, monkeypatch):
    rows = rows_of(60)
    for i in range(3, 15):
        rows[i][0] = f"album/f{i}.jpg"
    table = write_table(many / "bad.csv", rows)
    monkeypatch.setattr(
        "kdnotes.data.formats.reading.read_picture", lambda *_, **__: pytest.fail("read")
    )
    names = r"album/f3\.jpg: there is f3\.png; .*album/f7\.jpg: there is f7\.png and 7 others"
    pattern = rf"12 of 60 samples are bad, .*12 × picture that is not there \({names}\)\. Nothing"
    with pytest.raises(FaceSetError, match=pattern):
        prepare_own(table, many.parent / "bad.set", **SMALL)
    assert not (many.parent / "bad.set").exists()


def test_a_name_of_odd_letters_is_one_face(many, tmp_path, capsys):
    """A file name that is no Unicode, as old archives hold it."""
    good, name = list(read_csv(table_of(many, 40))), "caf\udce9"
    odd = replace(good[0], id=name, split=split_by_name(name))
    bad = BadSample("bad", "dark", name)
    faces = FaceSet.write(tmp_path / "set", [*good, odd, bad], scheme=68, size=32, progress=False)
    assert faces.table["id"].iloc[-1] == "caf\\udce9"
    assert "1 × dark (caf\\udce9)" in capsys.readouterr().out


def test_pictures_may_lie_in_another_folder_than_the_table(photos, tmp_path):
    table = table_of(photos)
    table = table.rename(tmp_path / "points.csv")
    check_points(list(read_csv(table, photos)))
    assert len(prepare_own(table, tmp_path / "set", images=photos, **SMALL)) == 6


def test_an_id_used_twice_is_told_before_any_picture_is_read(photos):
    table = table_of(photos, id=["a", "b", "a ", "", "", "b"])
    with pytest.raises(ValueError, match=r"several faces with one id: a, b; rename them"):
        read_csv(table)


# --- number of points ----------------------------------------------------------------------------


@pytest.mark.parametrize("n_points", [29, 68, 98])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_scheme_is_that_of_as_many_points(tmp_path, photos, n_points, kind, capsys):
    points = np.random.default_rng(0).uniform(30, 90, (n_points, 2))
    table = photos / f"points.{kind}"
    if kind == "csv":
        header = ["file", *(f"{axis}{i}" for i in range(n_points) for axis in "xy")]
        write_table(table, [row(0, points=points)], header)
    else:
        content = coco_of(1)
        content["annotations"][0]["keypoints"] = np.insert(points, 2, 2, axis=1).ravel().tolist()
        table.write_text(json.dumps(content))
    run("--table", table, "--out", tmp_path / "set", "--size", "32")
    assert FaceSet.open(tmp_path / "set").scheme == schemes.SCHEMES[n_points]


def run(*args):
    """`data prepare csv`; its exit code."""
    with pytest.raises(SystemExit) as caught:
        app.main(["data", "prepare", "csv", *map(str, args)])
    return caught.value.code


def test_other_numbers_of_points_need_a_scheme(tmp_path, photos, capsys):
    points = np.random.default_rng(0).uniform(30, 90, (19, 2))
    header = ["file", *(f"{axis}{i}" for i in range(19) for axis in "xy")]
    table = write_table(photos / "points.csv", [row(i, points=points) for i in range(6)], header)
    assert run("--table", table, "--out", tmp_path / "set") == 1
    words = capsys.readouterr().err
    assert "has 19 points, and the built-in schemes have 29, 68, 98; describe yours" in words
    assert run("--table", table, "--out", tmp_path / "set", "--scheme", "68") == 1
    assert "points.csv has 19 points, the scheme 68" in capsys.readouterr().err
    own_scheme = {"n_points": 19, "flip": list(range(19)), "groups": {}, "edges": []}
    own_scheme |= {"interocular": [[0], [1]], "interpupil": [[0], [1]]}
    (tmp_path / "heads.json").write_text(json.dumps(own_scheme))
    given = ("--scheme", tmp_path / "heads.json", "--size", "32")
    assert not run("--table", table, "--out", tmp_path / "set", *given)
    assert FaceSet.open(tmp_path / "set").scheme.n_points == 19


# --- points of another picture -------------------------------------------------------------------


def test_a_picture_of_half_the_size_is_reported_by_name(many, tmp_path):
    for folder, n, small in (("one", 6, [2]), ("all", 60, range(60))):
        photos = write_photos(tmp_path / folder, n)
        for i in small:
            with Image.open(photos / f"f{i}.png") as picture:
                half = picture.resize((60, 60))
            half.save(photos / f"f{i}.png")
        count = rf"{len(small)} × points far outside the picture, or more than half of them"
        first = rf"f{small[0]}\.png \(points\.csv, line {small[0] + 2}\)"
        with pytest.raises(FaceSetError, match=rf"{count} \({first}"):
            prepare_own(table_of(photos, n), tmp_path / f"{folder}.set", **SMALL)


@pytest.mark.parametrize("n_outside, accepted", [(5, True), (34, True), (35, False)])
def test_some_points_outside_the_picture_are_accepted(photos, tmp_path, n_outside, accepted):
    points = drawn(0, 0)[1].copy()
    points[:n_outside, 0] = -2.4  # two pixels left of the first, which begins at -0.5
    table = write_table(photos / "a.csv", [row(0, points=points)])
    if accepted:
        assert len(prepare_own(table, tmp_path / "set", **SMALL)) == 1
    else:
        with pytest.raises(FaceSetError, match="or more than half of them"):
            prepare_own(table, tmp_path / "set", **SMALL)


# --- COCO ----------------------------------------------------------------------------------------


def coco_of(n=6, flag=2, split=None, **entry):
    """A COCO file of the first faces, with further entries of each annotation."""
    annotations = []
    for i in range(n):
        points = drawn(i // 3, i)[1].round(3)
        flags = [[flag[i % len(flag)] if isinstance(flag, list) else flag]] * 68
        keypoints = [
            value for x, f in zip(points.tolist(), flags, strict=True) for value in (*x, *f)
        ]
        annotations.append(
            {"id": 100 + i, "image_id": i, "category_id": 1, "keypoints": keypoints}
            | ({"split": split[i]} if split else {})
            | entry
        )
    return {
        "images": [{"id": i, "file_name": f"f{i}.png"} for i in range(n)],
        "categories": [{"id": 1, "name": "face"}, {"id": 2, "name": "person"}],
        "annotations": annotations,
    }


def prepare_coco(photos, content, **options):
    path = photos / "faces.json"
    path.write_text(json.dumps(content))
    return prepare_own(path, photos / "set", replace=(photos / "set").exists(), **SMALL, **options)


@pytest.mark.parametrize("flag", [[0.37, 0.97], 1, True, 2, [1, 2], 0.01])
def test_a_flag_above_0_is_labelled_and_hidden_points_are_told(photos, capsys, flag):
    faces = prepare_coco(photos, coco_of(flag=flag))
    assert len(faces) == 6
    flags = flag if isinstance(flag, list) else [flag]
    expected = [flags[i % len(flags)] == 2 for i in range(6)]
    assert faces.visible.all(axis=1).tolist() == expected
    hidden = "no keypoint has the flag 2, visible: all points count as hidden"
    assert (hidden in capsys.readouterr().out) == (2 not in flags)
    told = [text for text in audit.warnings(faces, progress=False) if "count as hidden" in text]
    assert bool(told) == (2 not in flags)


OTHERS = {
    "crowds": {"iscrowd": 1, "keypoints": [0] * 204},
    "crowds ": {"iscrowd": True},
    "boxes without keypoints": {"category_id": 2, "bbox": [1, 2, 3, 4]},
    "boxes without keypoints ": {"keypoints": [], "num_keypoints": 0},
    "boxes without keypoints  ": {"keypoints": [0] * 204, "num_keypoints": 0},
    "annotations of 17 points": {"category_id": 2, "keypoints": [5, 6, 2] * 17},
    "annotations of 17 points ": {"keypoints": [5, 6, 1] * 17},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_face_is_passed_over_and_counted(photos, capsys, kind):
    content = coco_of()
    extra = [{"id": 7 + i, "image_id": i, "category_id": 1} | OTHERS[kind] for i in range(3)]
    content["annotations"] = extra + content["annotations"]
    faces = prepare_coco(photos, content)
    assert faces.table["id"].tolist() == [f"f{i}.png" for i in range(6)]
    assert faces.meta["skipped"] == {}
    note = f"passed over: 3 {kind.strip()}"
    assert faces.meta["notes"] == [note] and f"note: {note}" in capsys.readouterr().out


def test_a_category_is_chosen_by_its_name(photos):
    content = coco_of()
    for entry in content["annotations"][:3]:
        entry["category_id"] = "2"  # the same faces, drawn by somebody else
    assert len(prepare_coco(photos, content)) == 6
    faces = prepare_coco(photos, content, category="face")
    assert faces.table["id"].tolist() == ["f3.png", "f4.png", "f5.png"]
    assert faces.meta["notes"] == ["passed over: 3 annotations of other categories"]
    with pytest.raises(
        ValueError, match=r"no annotation of the category 'dog'; found face, person"
    ):
        prepare_coco(photos, content, category="dog")
    with pytest.raises(ValueError, match=r"chosen in a COCO file; points\.csv is none"):
        prepare_own(table_of(photos), photos / "b", category="face", **SMALL)


def test_faces_of_two_schemes_need_a_choice(photos):
    content = coco_of()
    for entry in content["annotations"][:2]:
        entry |= {"keypoints": entry["keypoints"][: 29 * 3], "category_id": 2}
    with pytest.raises(ValueError, match=r"faces of 29 and of 68 points; choose .*--category"):
        prepare_coco(photos, content)
    assert len(prepare_coco(photos, content, scheme=29)) == 2
    assert len(prepare_coco(photos, content, category="face")) == 4
    for entry in content["annotations"]:
        entry["keypoints"] = [0] * 9
    with pytest.raises(ValueError, match="has no annotation with keypoints"):
        prepare_coco(photos, content)


def test_a_bad_face_of_the_scheme_is_still_bad(photos):
    content = coco_of()
    content["annotations"][1]["keypoints"][5] = 0
    pattern = r"1 of 6 samples are bad.*keypoint that is not labelled \(annotation 101\)"
    with pytest.raises(FaceSetError, match=pattern):
        prepare_coco(photos, content)


@pytest.mark.parametrize("write", [str, float, lambda i: f" {i} "])
def test_ids_are_the_same_as_text_and_as_numbers(photos, write):
    content = coco_of()
    for entry in content["annotations"]:
        entry["image_id"] = write(entry["image_id"])
    faces = prepare_coco(photos, content)
    assert faces.table["id"].tolist() == [f"f{i}.png" for i in range(6)]
    assert abs(faces.to_source(2, faces.landmarks[2]) - drawn(0, 2)[1]).max() < 1e-2


@pytest.mark.parametrize("image_id", [99, "99", None])
def test_a_picture_that_is_not_listed_is_the_reason(photos, image_id):
    content = coco_of()
    content["annotations"][1]["image_id"] = image_id
    (photos / "faces.json").write_text(json.dumps(content))
    bad = list(read_coco(photos / "faces.json", photos))[1]
    assert isinstance(bad, BadSample) and bad.reason == "annotation without a picture"
    assert bad.where == f"annotation 101: no picture with the id {image_id!r} in images"


def test_ids_used_twice_are_the_reason(photos):
    content = coco_of()
    content["images"][1]["id"] = "0"
    with pytest.raises(
        ValueError, match=r"two pictures with the id 0 in images, f0.png and f1.png"
    ):
        prepare_coco(photos, content)
    content = coco_of()
    for entry in content["annotations"][:2]:
        entry |= {"id": 5, "image_id": 0}
    with pytest.raises(ValueError, match=r"several faces with one id: f0\.png#5"):
        prepare_coco(photos, content)


def test_odd_entries_of_one_annotation_are_no_end(photos):
    content = coco_of(bbox=["left", 2, 3, 4], subject=7, split=None)
    del content["annotations"][0]["id"], content["categories"]
    content["annotations"][1]["keypoints"] = [
        content["annotations"][1]["keypoints"][i : i + 3] for i in range(0, 204, 3)
    ]
    faces = prepare_coco(photos, content)
    assert len(faces) == 6 and set(faces.table["subject"]) == {"7"}
    path = photos / "faces.json"
    path.write_bytes(json.dumps(content).encode("utf-16"))
    assert len(list(read_coco(path, photos))) == 6
