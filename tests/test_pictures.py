"""One reader for pictures: what a network sees at use is what it saw in training."""

import io
import json
import struct
import sys
import types
import zlib

import numpy as np
import pytest
from own_faces import drawn, grey, row, write_table
from PIL import Image, ImageFile

from kdnotes.commands import app
from kdnotes.data import crops, pictures
from kdnotes.data.faceset import BadSample, FaceSetError
from kdnotes.data.formats import read_csv
from kdnotes.data.pictures import PictureError, read_picture
from kdnotes.data.prepare import prepare_own
from kdnotes.deploy import predict as prediction

SMALL = {"size": 64, "progress": False}


def prepared(folder, name, points, **options):
    """The crop of a picture with these points, by way of a table."""
    table = write_table(folder / f"{name}.csv", [row(0, name, points=points)])
    faces = prepare_own(table, folder / f"{name}.set", **SMALL, **options)
    return faces, faces.images[0].astype(int)


def expected_crop(image, points):
    image = np.ascontiguousarray(np.broadcast_to(np.atleast_3d(image), (*image.shape[:2], 3)))
    return crops.stored_crop(crops.Sample(image, points), 64, 2.2).image.astype(int)


# --- kinds of pictures ---------------------------------------------------------------------------

KINDS = {
    "8 bits.png": lambda face: Image.fromarray(face),
    "16 bits.png": lambda face: Image.fromarray(face.astype(np.uint16) * 257),
    "16 bits.tif": lambda face: Image.fromarray(face.astype(np.uint16) * 257),
    "big endian.tif": lambda face: Image.fromarray((face.astype(np.uint16) * 257).astype(">u2")),
    "16 bits.pgm": lambda face: Image.fromarray(face.astype(np.int32) * 257),
    "16 bits in 32.tif": lambda face: Image.fromarray(face.astype(np.int32) * 257),
    "odd 16 bits.png": lambda face: Image.fromarray(face.astype(np.uint16) * 256 + 128),
    "8 bits in 16.tif": lambda face: Image.fromarray(face.astype(np.uint16)),
    "8 bits in 32.tif": lambda face: Image.fromarray(face.astype(np.int32)),
    "float.tif": lambda face: Image.fromarray(face.astype(np.float32) / 255),
    "palette.png": lambda face: Image.fromarray(face).convert("P"),
    "palette.gif": lambda face: Image.fromarray(face).convert("P"),
    "alpha.png": lambda face: Image.fromarray(face).convert("LA"),
    "colours.webp": lambda face: Image.fromarray(face).convert("RGB"),
    "cmyk.tif": lambda face: Image.fromarray(face).convert("CMYK"),
}


@pytest.mark.parametrize("name", KINDS)
def test_training_and_use_see_the_same_grey_levels(tmp_path, name):
    face, points = grey()
    picture = KINDS[name](face)
    picture.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    pixels = read_picture(tmp_path / name).pixels
    assert pixels.shape == (140, 120, 3) and pixels.dtype == np.uint8
    assert abs(pixels.astype(int) - face[..., None]).max() <= 1
    _, crop = prepared(tmp_path, name, points)
    assert abs(crop - expected_crop(face, points)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white_in_training_too(tmp_path, mode):
    image, points = drawn(0, 0)
    clear = Image.fromarray(image).convert("RGBA")
    alpha = np.full(image.shape[:2], 255, np.uint8)
    alpha[:, 60:] = 0
    clear.putalpha(Image.fromarray(alpha))
    clear.convert(mode).save(tmp_path / "a.png")
    seen = read_picture(tmp_path / "a.png").pixels
    assert (seen[:, 60:] == 255).all() and not (seen[:, :60] == 255).all()
    _, crop = prepared(tmp_path, "a.png", points)
    assert abs(crop - expected_crop(seen, points)).max() <= 1


def test_numbers_that_are_no_grey_levels_are_refused_by_name(tmp_path):
    face, points = grey()
    wide = face.astype(np.int32) * 70_000
    Image.fromarray(wide).save(tmp_path / "wide.tif")
    Image.fromarray(face.astype(np.float32)).save(tmp_path / "float.tif")
    for name, words in (("wide.tif", "0 to 65535"), ("float.tif", "between 0 and 1")):
        with pytest.raises(FaceSetError, match=rf"no grey levels or colours \({name}: .*{words}"):
            prepared(tmp_path, name, points)


# --- orientation ---------------------------------------------------------------------------------

#: How the pixels lie in a file with that EXIF orientation, given the upright picture.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def save_turned(path, image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if path.suffix == ".webp" else {}
    Image.fromarray(image).transpose(STORED[orientation]).save(path, exif=exif, **options)
    return path


def as_stored(points, shape, orientation):
    """Points of the upright picture where they lie in the file."""
    marked = np.full((len(points), *shape), False)
    for layer, (x, y) in zip(marked, points.round().astype(int), strict=True):
        layer[y, x] = True
    turned = [Image.fromarray(layer).transpose(STORED[orientation]) for layer in marked]
    return np.array([np.argwhere(np.asarray(layer))[0][::-1] for layer in turned], dtype=float)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_points_of_a_table_are_those_of_the_upright_picture(tmp_path, capsys, suffix, orientation):
    face, points = grey()
    name = f"a{suffix}"
    save_turned(tmp_path / name, face, orientation)
    faces, crop = prepared(tmp_path, name, points)
    assert abs(crop - expected_crop(face, points)).max() <= 1
    assert faces.to_source(0, faces.landmarks[0]) == pytest.approx(points, abs=1e-2)
    (note,) = faces.meta["notes"]
    assert note.startswith("1 × picture turned upright") and name in note
    assert note in capsys.readouterr().out


@pytest.mark.parametrize("suffix, orientation", [(".png", 6), (".png", 3), (".tif", 8)])
def test_a_table_may_hold_points_of_pictures_as_stored(tmp_path, suffix, orientation):
    face, points = grey()
    points = points.round()
    name = f"a{suffix}"
    save_turned(tmp_path / name, face, orientation)
    stored = as_stored(points, face.shape, orientation)
    faces, crop = prepared(tmp_path, name, stored, pixels="stored")
    pixels = np.asarray(Image.fromarray(face).transpose(STORED[orientation]))
    assert abs(crop - expected_crop(pixels, stored)).max() <= 1
    assert faces.meta["notes"] == [] and faces.meta["pixels"] == "stored"
    with pytest.raises(ValueError, match='"upright" or "stored", found \'turned\''):
        prepare_own(tmp_path / "points.csv", tmp_path / "b", pixels="turned")


@pytest.mark.parametrize("pixels", ["upright", "stored"])
def test_keypoints_of_coco_are_read_the_same_way(tmp_path, pixels):
    face, points = grey()
    points = points.round()
    save_turned(tmp_path / "a.png", face, 6)
    if pixels == "stored":
        points = as_stored(points, face.shape, 6)
        face = np.asarray(Image.fromarray(face).transpose(STORED[6]))
    entry = {"id": 1, "image_id": 1, "keypoints": np.insert(points, 2, 2, axis=1).tolist()}
    content = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": [entry]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    faces = prepare_own(tmp_path / "a.json", tmp_path / "set", pixels=pixels, **SMALL)
    assert abs(faces.images[0].astype(int) - expected_crop(face, points)).max() <= 1


class Stub:
    """A network that answers with the landmarks of `drawn(0, 0)`, wherever it looks."""

    class config:
        n_points, size, crop_margin = 68, 32, 1.3

    def __init__(self, points, box):
        cx, cy, side = crops.square_around(box, 1.3)
        self.answer = (points - [cx, cy]) / side

    def read(self, crops):
        return np.repeat(self.answer[None], len(crops), axis=0).astype(np.float32)


def test_predictions_may_be_fed_back_as_a_table(tmp_path):
    face, points = grey()
    path = save_turned(tmp_path / "a.png", face, 6)
    box = crops.landmarks_box(points)
    ((good, line),) = prediction.predict_files([path], Stub(points, box), tmp_path, [box])
    assert good, line
    answer = json.loads((tmp_path / "a_landmarks.json").read_text())
    assert "upright" in answer["unit"]
    found = np.array(answer["faces"][0]["landmarks"])
    assert found == pytest.approx(points, abs=0.02)
    _, crop = prepared(tmp_path, "a.png", found)
    assert abs(crop - expected_crop(face, points)).max() <= 2


def exif_with(*entries, orientation=6):
    """An EXIF block of an orientation and further entries: tag, type, count, four bytes or more."""
    entries = sorted([(0x0112, 3, 1, struct.pack("<HH", orientation, 0)), *entries])
    after = 8 + 2 + 12 * len(entries) + 4
    directory, data = struct.pack("<H", len(entries)), b""
    for tag, kind, count, content in entries:
        if len(content) > 4:
            content, data = struct.pack("<I", after + len(data)), data + content
        directory += struct.pack("<HHI", tag, kind, count) + content
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + bytes(4) + data


DAMAGED = {
    "negative width": exif_with((0x0100, 9, 1, struct.pack("<i", -5))),
    "text that is a fraction": exif_with((0x010F, 5, 1, struct.pack("<II", 1, 3))),
    "fraction of nothing": exif_with((0x011A, 10, 1, struct.pack("<ii", -1, 0))),
    "offset beyond the end": exif_with((0x010F, 2, 900, struct.pack("<I", 10**9))),
    "unknown type": exif_with((0x9999, 77, 3, b"\0\0\0\0")),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_the_orientation_is_read_whatever_else_the_exif_block_holds(tmp_path, damage):
    face, points = grey()
    path = tmp_path / "a.jpg"
    Image.fromarray(face).transpose(STORED[6]).save(path, quality=95, exif=DAMAGED[damage])
    assert abs(read_picture(path).pixels.astype(int) - face[..., None]).mean() < 2
    _, crop = prepared(tmp_path, "a.jpg", points)
    assert abs(crop - expected_crop(face, points)).mean() < 3


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif\0\0", b"Exif\0\0II*\0", exif_with(orientation=9), exif_with()[:20], b"?" * 99],
)
def test_a_block_without_an_orientation_turns_nothing(tmp_path, exif):
    face, _ = grey()
    Image.fromarray(face).save(tmp_path / "a.jpg", quality=95, exif=exif)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.orientation == 1 and picture.pixels.shape == (140, 120, 3)


# --- what is no picture --------------------------------------------------------------------------

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
OTHERS = {
    "is HEIC": HEIC,
    "is AVIF": b"\0\0\0\x18ftypavix\0\0\0\0mif1avifmiaf" + bytes(50),
    "is a video": b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(50),
    "is empty": b"",
    "is text": "Notizen: drei Gesichter, Größe 12".encode(),
    "is a web page": b"\n<!DOCTYPE html><html>Too many requests",
    "is a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
    "is no picture of a known kind": bytes(range(256)),
    "does not decode": b"\xff\xd8\xff\xe0 half a picture",
}


def large_png(width, height):
    """A PNG that says it has that many pixels of one bit."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


@pytest.mark.parametrize("name", ["a.jpg", "sub/IMG_1.HEIC"])
@pytest.mark.parametrize("fault", OTHERS)
def test_a_file_is_what_it_holds_whatever_its_name(tmp_path, monkeypatch, fault, name):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    pictures._reads_heic.cache_clear()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(OTHERS[fault])
    with pytest.raises(PictureError, match=f"{path.name} {fault}") as caught:
        read_picture(path)
    assert fault != "is HEIC" or "export it as JPEG, or pip install pillow-heif" in str(
        caught.value
    )
    (bad,) = read_csv(write_table(tmp_path / "points.csv", [row(0, name)]))
    assert isinstance(bad, BadSample) and bad.reason.startswith(f"picture that {fault}")
    assert bad.where.startswith(name)


def test_a_photo_of_any_name_is_read(tmp_path):
    face, points = grey()
    Image.fromarray(face).save(tmp_path / "IMG_1.HEIC", "JPEG", quality=95)
    _, crop = prepared(tmp_path, "IMG_1.HEIC", points)
    assert abs(crop - expected_crop(face, points)).mean() < 3


def test_heic_is_read_where_pillow_heif_is_installed(tmp_path, monkeypatch):
    class Opened(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self):
            self._size, self._mode = (3, 2), "RGB"
            self.tile = [("raw", (0, 0, 3, 2), 0, ("RGB", 0, 1))]

    def register():
        Image.register_open("HEIF", Opened, lambda start: start[4:12] == b"ftypheic")

    heif = types.SimpleNamespace(register_heif_opener=register)
    monkeypatch.setitem(sys.modules, "pillow_heif", heif)
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    monkeypatch.setattr(Image, "OPEN", {**Image.OPEN})
    pictures._reads_heic.cache_clear()
    (tmp_path / "a.heic").write_bytes(HEIC)
    assert read_picture(tmp_path / "a.heic").pixels.shape == (2, 3, 3)
    pictures._reads_heic.cache_clear()


def test_too_large_is_said_with_both_numbers(tmp_path):
    (tmp_path / "big.png").write_bytes(large_png(14_000, 13_000))
    numbers = "182,000,000 pixels, at most 178,956,970"
    with pytest.raises(PictureError, match=rf"big\.png is too large \({numbers}\)"):
        read_picture(tmp_path / "big.png")
    table = write_table(tmp_path / "points.csv", [row(0, "big.png")])
    with pytest.raises(FaceSetError, match=rf"picture that is too large \(big\.png: {numbers}\)"):
        prepare_own(table, tmp_path / "set", **SMALL)


@pytest.mark.filterwarnings("ignore")
def test_noise_never_stops_the_reader(tmp_path):
    """Damaged bytes of several formats: a picture, or an error that says so."""
    face, _ = grey()
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "TIFF", "GIF", "WEBP", "BMP"):
        file = io.BytesIO()
        Image.fromarray(face).save(file, kind)
        for _ in range(40):
            broken = np.frombuffer(file.getvalue(), np.uint8).copy()
            broken[rng.integers(0, 200, 6)] = rng.integers(0, 256, 6)
            (tmp_path / "a").write_bytes(broken.tobytes())
            try:
                assert read_picture(tmp_path / "a").pixels.dtype == np.uint8
            except PictureError as error:
                assert error.fault


# --- folders -------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """`predict` with a stub for a network: its exit code, what it printed, its error."""
    points = grey()[1]
    box = crops.landmarks_box(points)
    monkeypatch.setattr(prediction, "load", lambda *_: Stub(points, box))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    pictures._reads_heic.cache_clear()
    comma = ",".join(map(str, box))

    def run(*paths):
        args = ["predict", *map(str, paths), "--box", comma, "--out", str(tmp_path / "out")]
        with pytest.raises(SystemExit) as caught:
            app.main(args)
        printed = capsys.readouterr()
        return caught.value.code, printed.out.splitlines(), printed.err

    return run


def test_in_a_folder_content_decides_and_odd_files_are_told(run, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    face, _ = grey()
    for name in ("IMG_1.HEIC", "b.jpg", "no suffix", "z.dat"):
        Image.fromarray(face).save(folder / name, "JPEG")
    (folder / "IMG_2.HEIC").write_bytes(HEIC)
    (folder / "c.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("three faces")
    (folder / "points.csv").write_text("file,x0\n")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    code, lines, err = run(folder)
    assert code == 1 and len(lines) == 6
    done = [line for line in lines if "1 face" in line]
    assert len(done) == 4
    skipped = [line for line in lines if line.startswith("skipped: ")]
    assert len(skipped) == 2
    assert any("IMG_2.HEIC is HEIC (iPhone): export it as JPEG" in line for line in skipped)
    assert any("c.jpg is empty" in line for line in skipped)
    assert "passed over: notes.txt is text, points.csv is text" in err
    assert "DS_Store" not in err and "Thumbs" not in err


def test_only_odd_files_are_no_pictures(run, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("three faces")
    code, lines, err = run(tmp_path / "photos")
    assert code == 1 and not lines
    assert "notes.txt is text" in err and "no picture in the folder" in err


@pytest.mark.parametrize("damage", DAMAGED)
def test_one_odd_photo_never_ends_a_batch(run, tmp_path, damage):
    face, _ = grey()
    for name in "abc":
        picture = Image.fromarray(face)
        options = {}
        if name == "b":
            picture, options = picture.transpose(STORED[6]), {"exif": DAMAGED[damage]}
        picture.save(tmp_path / f"{name}.jpg", **options)
    code, lines, err = run(*(tmp_path / f"{name}.jpg" for name in "abc"))
    assert code == 0 and len(lines) == 3 and not err
    answer = json.loads((tmp_path / "out" / "b_landmarks.json").read_text())
    assert (answer["width"], answer["height"]) == (120, 140)
