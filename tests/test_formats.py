import contextlib
import io

import numpy as np
import pytest
from PIL import Image
from youtube_tree import PEOPLE, TABLES, picture, read_rows, write_rows, write_tree

from kdnotes.data import formats
from kdnotes.data.faceset import BadSample, FaceSet, FaceSetError
from kdnotes.data.formats import read_youtube_faces
from kdnotes.data.pictures import PictureError, read_picture


@pytest.fixture
def data(tmp_path):
    return write_tree(tmp_path / "youtube")


def write(path, data, **settings):
    return FaceSet.write(
        path, read_youtube_faces(data), scheme=68, size=24, progress=False, **settings
    )


def change_row(data, change, row=4, part="training"):
    """Let `change` alter one row of a table, a list of strings."""
    rows = read_rows(data / TABLES[part])
    rows[row] = change(rows[row])
    write_rows(data / TABLES[part], rows)
    return rows[row][0]


def test_points_count_from_zero_and_are_not_shifted(tmp_path, data):
    name = change_row(data, lambda row: [*row[:11], "30.000", "40.000", *row[13:]], row=1)
    image = np.zeros_like(read_picture(data / "training" / name).pixels)
    image[40, 30] = 255
    Image.fromarray(image).save(data / "training" / name, "PNG")
    first = next(iter(read_youtube_faces(data)))
    assert first.id == f"training/{name}"
    assert first.points[5].tolist() == [30, 40]
    FaceSet.write(tmp_path / "set", [first], scheme=68, size=150, progress=False)
    faces = FaceSet.open(tmp_path / "set")
    assert faces.to_source(0, faces.landmarks[0])[5] == pytest.approx([30, 40], abs=0.01)
    row, column = np.unravel_index(faces.images[0].sum(-1, dtype=int).argmax(), (150, 150))
    brightest = (np.array([column, row]) + 0.5) / 150 - 0.5
    found = faces.to_source(0, brightest[None])[0]
    assert found == pytest.approx([30, 40], abs=0.5 * max(1, faces.crops[0, 2] / 150) + 1e-6)


def test_every_row_becomes_a_face_with_its_person_and_split(data):
    faces = list(read_youtube_faces(data))
    assert len(faces) == 44 == len({face.id for face in faces})
    for face in faces:
        part, name = face.id.split("/")
        assert name.startswith(face.subject + "_") and face.subject in PEOPLE
        assert face.split == PEOPLE[face.subject]
        assert face.subsets == (("official_test",) if part == "test" else ())
        assert -90 < face.attributes["yaw"] < 90
    for person in PEOPLE:  # in both official files, in one split
        assert {f.id.split("/")[0] for f in faces if f.subject == person} == {"training", "test"}


def test_pictures_without_a_row_are_left_alone(data):
    assert (data / "test" / "Without_Row_00.jpg").exists()
    assert not any("Without_Row" in face.id for face in read_youtube_faces(data))


@pytest.mark.parametrize("place", ["..", ".", "../.."])
def test_the_data_is_found_from_three_folders(data, place):
    assert len(list(read_youtube_faces(data / place))) == 44


def test_another_folder_is_refused_with_what_was_expected(tmp_path, data):
    with pytest.raises(FileNotFoundError, match=r"training_frames_keypoints\.csv and test_f"):
        read_youtube_faces(data / "training")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_youtube_faces(tmp_path / "nowhere")
    (data / TABLES["test"]).unlink()
    with pytest.raises(FileNotFoundError, match="P1_Facial_Keypoints"):
        read_youtube_faces(data)


@pytest.mark.parametrize("kind", ["RGBA", "RGB", "L", "LA", "P", "CMYK"])
def test_pictures_of_any_kind_become_rgb(data, kind):
    rng = np.random.default_rng(0)
    pixels = np.full((66, 70, 3), (200, 100, 50), np.uint8)
    pixels[:33] = rng.integers(0, 256, 3)
    file = io.BytesIO()
    as_kind = Image.fromarray(pixels).convert(kind, palette=Image.Palette.ADAPTIVE)
    as_kind.save(file, "JPEG" if kind == "CMYK" else "PNG")
    path = data / "training" / "Ada_Example_00.jpg"
    path.write_bytes(file.getvalue())
    image = next(iter(read_youtube_faces(data))).image
    assert image.shape == (66, 70, 3) and image.dtype == np.uint8
    expected = np.array(Image.fromarray(pixels).convert("L" if "L" in kind else "RGB"))
    grey = image.mean(-1) if "L" in kind else image
    assert abs(grey.astype(int) - expected).max() <= 8


ROW_PROBLEMS = {
    "row of 136 columns instead of 137": lambda row: row[:-1],
    "row of 138 columns instead of 137": lambda row: [*row, "3.0"],
    "row of 1 columns": lambda row: row[:1],
    "coordinate that is not a number": lambda row: [*row[:9], "twelve", *row[10:]],
    "file name that is no plain name": lambda row: ["../training/" + row[0], *row[1:]],
    "picture that is not there": lambda row: ["Nobody_00.jpg", *row[1:]],
}


@pytest.mark.parametrize("reason", ROW_PROBLEMS)
def test_a_bad_row_is_one_bad_sample_with_its_place(tmp_path, capsys, data, reason):
    name = change_row(data, ROW_PROBLEMS[reason])
    (bad,) = [face for face in read_youtube_faces(data) if isinstance(face, BadSample)]
    assert reason in bad.reason and bad.id == f"training/{name}"
    assert bad.where in ("training_frames_keypoints.csv, line 5", "training/Nobody_00.jpg")
    faces = write(tmp_path / "set", data)
    assert len(faces) == 43 and list(faces.meta["skipped"].values()) == [1]
    assert bad.where in capsys.readouterr().out


@pytest.mark.parametrize("value", ["nan", "inf", "1000000"])
def test_impossible_coordinates_are_skipped_and_counted(tmp_path, data, value):
    change_row(data, lambda row: [*row[:9], value, *row[10:]])
    faces = write(tmp_path / "set", data)
    assert len(faces) == 43 and sum(faces.meta["skipped"].values()) == 1


def half(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    "damage, fault",
    [
        (half, "does not decode"),
        (lambda _: b"", "is empty"),
        (lambda _: b"<html>too many requests", "is a web page"),
    ],
)
def test_a_picture_that_cannot_be_read_is_skipped_and_counted(tmp_path, data, damage, fault):
    path = data / "test" / "Ida_Example_00.jpg"
    path.write_bytes(damage(path.read_bytes()))
    faces = write(tmp_path / "set", data)
    assert faces.meta["skipped"] == {f"picture that {fault}": 1}


def test_damaged_bytes_never_stop_the_reader(tmp_path):
    rng = np.random.default_rng(0)
    good = picture(rng, 40, 40)
    path = tmp_path / "a.jpg"
    for _ in range(150):
        broken = np.frombuffer(good, np.uint8).copy()
        broken[rng.integers(8, len(good), 5)] = rng.integers(0, 256, 5)
        path.write_bytes(broken.tobytes())
        with contextlib.suppress(PictureError):
            assert read_picture(path).pixels.ndim == 3


def test_many_missing_pictures_are_an_error(tmp_path, data):
    for file in (data / "test").iterdir():
        file.unlink()
    with pytest.raises(FaceSetError, match=r"4 of 44 samples are bad.*4 × picture that is not"):
        write(tmp_path / "set", data)
    assert [path.name for path in tmp_path.iterdir()] == ["youtube"]


@pytest.mark.parametrize("content", ["", "<html>\n", ",0,1,2\nA_00.jpg,1,2,3\n"])
def test_another_table_is_refused_with_its_place(data, content):
    (data / TABLES["test"]).write_text(content)
    with pytest.raises(ValueError, match=r"test_frames_keypoints.csv, line 1: found .* 137"):
        read_youtube_faces(data)


def test_blank_lines_and_a_byte_order_mark_are_nothing_special(data):
    table = data / TABLES["test"]
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes() + b"\r\n\r\n")
    assert len(list(read_youtube_faces(data))) == 44


def test_a_table_in_another_encoding_loses_only_the_row_it_spoils(tmp_path, data):
    table = data / TABLES["training"]
    table.write_bytes(table.read_bytes().replace(b"Ada_Example_03", b"Ad\xe9_Example_03"))
    assert write(tmp_path / "set", data).meta["skipped"] == {"picture that is not there": 1}


def test_one_picture_in_two_rows_is_an_error(tmp_path, data):
    rows = read_rows(data / TABLES["training"])
    write_rows(data / TABLES["training"], [*rows, rows[3]])
    with pytest.raises(FaceSetError, match=r"two faces have the id 'training/Ada_Example_02\.jpg"):
        write(tmp_path / "set", data)


def test_the_official_files_of_the_real_data_are_split_as_everywhere(youtube_archive):
    """The split is a function of the names; the counts are those that every figure rests on."""
    import csv
    import re
    import zipfile

    persons = []
    with zipfile.ZipFile(youtube_archive) as archive:
        for name in archive.namelist():
            if name.endswith(".csv"):
                lines = io.TextIOWrapper(archive.open(name), newline="")
                rows = list(csv.reader(lines))[1:]
                persons += [re.sub(r"_\d+\.jpg$", "", row[0]) for row in rows]
    splits = [formats.split_by_name(person) for person in persons]
    assert [splits.count(s) for s in ("train", "validation", "test")] == [3084, 446, 702]
    people = [formats.split_by_name(person) for person in set(persons)]
    assert [people.count(s) for s in ("train", "validation", "test")] == [254, 36, 57]
