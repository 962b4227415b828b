"""Photos in, landmarks out: any picture, any box, any number of faces."""

import importlib.util
import json
import os
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn_faces import draw_face
from PIL import Image, ImageDraw

from kdnotes import models
from kdnotes.commands import app
from kdnotes.data import crops, schemes, synthetic
from kdnotes.data.pictures import read_picture
from kdnotes.deploy import detect
from kdnotes.deploy import predict as prediction
from kdnotes.models import inference, zoo


@pytest.fixture(scope="module")
def network(trained_course):
    return trained_course[0].folder / "tough" / "network.safetensors"


@pytest.fixture(scope="module")
def net(network):
    return models.load(network)


@pytest.fixture(scope="module")
def photo():
    """A drawn face in a picture that is not square, and its landmarks' box."""
    image, points = draw_face(3, 1)
    return image[:110, 4:], crops.landmarks_box(points - [4, 0])


@pytest.fixture
def run(capsys, network, tmp_path):
    """`predict` with further arguments; its exit code, what it printed, its error."""

    def run(*args, out=None):
        capsys.readouterr()
        args = ["predict", *args, "--network", network, "--out", out or tmp_path / "out"]
        with pytest.raises(SystemExit) as caught:
            app.main([str(arg) for arg in args])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def comma(box):
    return ",".join(str(value) for value in box)


def result(tmp_path, name):
    return json.loads((tmp_path / "out" / f"{name}_landmarks.json").read_text())


#: How the pixels lie in a file with that EXIF orientation, given the upright picture.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def save_photo(path, image, orientation=1):
    picture = Image.fromarray(image)
    if STORED[orientation] is not None:
        picture = picture.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif)
    return path


# --- one face, its box known ---------------------------------------------------------------------


def test_the_same_points_for_every_orientation(run, net, photo, tmp_path):
    image, box = photo
    paths = [save_photo(tmp_path / f"é {i}.png", image, i) for i in STORED]
    code, out, err = run(*paths, "--box", comma(box))
    assert code == 0, err
    assert len(out.splitlines()) == 8
    expected = prediction.predict(net, image, box)
    for i, path in enumerate(paths, start=1):
        about = result(tmp_path, f"é {i}")
        (face,) = about["faces"]
        assert np.array(face["landmarks"]) == pytest.approx(expected, abs=0.01), i
        assert "upright" in about["unit"] and about["photo"] == path.name
        assert (about["width"], about["height"]) == (116, 110)
        assert face["box"] == pytest.approx(box, abs=0.01)
        with Image.open(tmp_path / "out" / f"é {i}_landmarks.png") as drawn:
            assert drawn.width > 100
    with Image.open(paths[0]) as untouched:
        assert np.array_equal(np.asarray(untouched), image), "the photo itself stays as it was"


def test_agrees_with_the_face_set(small_faces, net):
    """The same face, from its photo by its box and from its stored crop."""
    found = inference.predict(net, small_faces)
    for i in (0, 21):
        image, points = draw_face(i // 4, i % 4)
        expected = small_faces.to_source(i, found[i])
        assert prediction.predict(net, image, crops.landmarks_box(points)) == pytest.approx(
            expected, abs=1.0
        )


def test_the_whole_picture_is_its_middle_square(run, network, tmp_path):
    net = models.load(network)
    net.head.weight.data.zero_()  # only the mean shape is left, which every crop puts somewhere
    image = np.zeros((100, 160, 3), np.uint8)
    mean = net.head.bias.detach().view(68, 2).numpy()
    assert prediction.predict(net, image) == pytest.approx([79.5, 49.5] + 100 * mean, abs=1e-3)
    boxed = prediction.predict(net, image, (20, 30, 40, 20))
    assert boxed == pytest.approx([40, 40] + 52 * mean, abs=1e-3)
    path = save_photo(tmp_path / "a.png", image)
    code, _, _ = run(path, "--whole")
    assert code == 0 and result(tmp_path, "a")["faces"][0]["box"] is None
    code, _, err = run(path, "--whole", "--box", "1,2,3,4")
    assert code == 1 and "--box says where it is" in err


def test_looking_twice_takes_a_wrong_box_back(small_faces, monkeypatch):
    """A network that always answers rightly is asked at the box of its own first answer."""
    image, points = draw_face(0, 0)
    seen = []

    def look(net, image, crop):
        seen.append(crop)
        return points

    monkeypatch.setattr(prediction, "look", look)

    class Net:
        config = models.NetConfig("none", 68)

    x, y, w, h = crops.landmarks_box(points)
    prediction.predict(Net(), image, (x + 9, y - 5, 1.2 * w, h), looks=2)
    assert seen[0] != seen[1]
    assert seen[1] == crops.square_around((x, y, w, h), 1.3)


@pytest.mark.parametrize("box", [(10, 10, 0, 20), (10, 10, -5, 20), (500, 10, 20, 20)])
def test_impossible_boxes_are_refused(run, photo, tmp_path, box):
    path = save_photo(tmp_path / "a.png", photo[0])
    code, out, _ = run(path, "--box", comma(box))
    assert code == 1 and "is no part of the picture of 116 × 110 pixels" in out
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_bad_box_among_good_ones(run, photo, tmp_path):
    """It is named with its photo, the other faces and photos are done."""
    paths = [save_photo(tmp_path / name, photo[0]) for name in ("a.png", "b.png")]
    Image.new("RGB", (30, 20)).save(tmp_path / "small.png")  # no box is a part of it
    boxes = ["--box", comma(photo[1]), "--box", "500,10,20,20", "--box", comma(photo[1])]
    code, out, err = run(paths[0], tmp_path / "small.png", paths[1], *boxes)
    lines = out.splitlines()
    assert code == 1 and not err and len(lines) == 7
    problem = "face 2 of 3 left out: box (500.0, 10.0, 20.0, 20.0) is no part of the picture"
    for path, (first, last) in zip(paths, (lines[:2], lines[5:]), strict=True):
        assert first.startswith(f"{path}: {problem}") and last.startswith(f"{path}: 2 faces →")
        assert len(result(tmp_path, path.stem)["faces"]) == 2
    assert [line.split(" left out")[0] for line in lines[2:5]] == [
        f"{tmp_path / 'small.png'}: face {number} of 3" for number in (1, 2, 3)
    ]
    assert not list((tmp_path / "out").glob("small*"))


@pytest.mark.parametrize("text", ["1,2,3", "1 2 3 4", "a,b,c,d", "1,2,3,4,5"])
def test_a_box_that_is_no_box(run, photo, tmp_path, text):
    code, _, err = run(save_photo(tmp_path / "a.png", photo[0]), "--box", text)
    assert code == 1 and "--box is X,Y,WIDTH,HEIGHT" in err and repr(text) in err


# --- many pictures -------------------------------------------------------------------------------


def test_the_others_are_done_when_one_cannot_be_read(run, photo, tmp_path):
    good = save_photo(tmp_path / "good.png", photo[0])
    text, half = tmp_path / "text.jpg", tmp_path / "half.png"
    text.write_text("no picture")
    half.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    code, out, err = run(text, half, tmp_path / "absent.png", good, "--box", comma(photo[1]))
    assert code == 1 and not err
    lines = out.splitlines()
    assert [line.startswith("skipped: ") for line in lines] == [True, True, True, False]
    for name, line in zip(("text.jpg", "half.png", "absent.png"), lines, strict=False):
        assert name in line
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["good_landmarks.json", "good_landmarks.png"]


#: Bytes that are no UTF-8, as old zip files leave them.
LATIN = os.fsdecode(b"caf\xe9")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are no bytes there")
@pytest.mark.parametrize("name", [LATIN, "顔" * 76, "x" * 228, "x" * 251])
def test_an_odd_name_ends_nothing_but_its_photo(run, photo, tmp_path, name):
    """76 letters of 3 bytes and 228 of one leave room for the results' ending, 251 do not."""
    paths = [save_photo(tmp_path / f"{stem}.png", photo[0]) for stem in ("a", name, "z")]
    code, out, err = run(*paths, "--box", comma(photo[1]))
    fits = len(os.fsencode(name)) < 250
    assert code == (0 if fits else 1) and not err
    assert [line.endswith(".png") for line in out.splitlines()] == [True, fits, True]
    assert fits or out.splitlines()[1].startswith(f"skipped: {paths[1]}: ")
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    expected = [f"{stem}_landmarks.{kind}" for stem in ("a", name, "z")[:: 1 if fits else 2]
                for kind in ("json", "png")]  # fmt: skip
    assert made == sorted(expected), "nothing half-written, no hidden file"
    if fits:
        assert result(tmp_path, name)["photo"] == paths[1].name


def test_a_result_that_cannot_be_written_ends_nothing_but_its_photo(run, photo, tmp_path):
    paths = [save_photo(tmp_path / f"{stem}.png", photo[0]) for stem in "abc"]
    (tmp_path / "out" / "b_landmarks.json" / "in the way").mkdir(parents=True)
    code, out, _ = run(*paths, "--box", comma(photo[1]))
    assert code == 1 and out.splitlines()[1].startswith(f"skipped: {paths[1]}: ")
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["a_landmarks.json", "a_landmarks.png", "b_landmarks.json",
                    "c_landmarks.json", "c_landmarks.png"]  # fmt: skip


@pytest.mark.parametrize("named", [False, True])
def test_a_network_of_a_scheme_of_ones_own(photo, tmp_path, named):
    """Drawn with its lines where it says them, else as dots."""
    scheme = schemes.Scheme(3, (1, 0, 2), {}, ((0, 2), (1, 2)), ((0,), (1,)), ((0,), (1,)))
    about = {"scheme": schemes.to_json(scheme)} if named else {}
    three = np.array([[-0.4, -0.4], [0.4, -0.4], [0.0, 0.4]])
    net = SimpleNamespace(
        config=SimpleNamespace(n_points=3, size=24, crop_margin=1.3, box="landmarks", **about),
        read=lambda crops: three[None],
    )
    path = save_photo(tmp_path / "a.png", np.zeros((100, 100, 3), np.uint8))
    ((well, _),) = prediction.predict_files([path], net, tmp_path / "out", whole=True)
    assert well and len(result(tmp_path, "a")["faces"][0]["landmarks"]) == 3
    with Image.open(tmp_path / "out" / "a_landmarks.png") as drawn:
        between = np.asarray(drawn)[200, 120]  # half-way along the edge from the first to the last
    assert between.any() == named


def test_a_folder_is_its_pictures(run, photo, tmp_path):
    folder = tmp_path / "מתמונות 你好"
    folder.mkdir()
    for name in ("b.png", "a.JPG"):
        save_photo(folder / name, photo[0])
    (folder / "notes.txt").write_text("not a picture")
    code, out, err = run(folder, "--box", comma(photo[1]), out=folder / "out שלום")
    assert code == 0 and len(out.splitlines()) == 2 and out.index("a.JPG") < out.index("b.png")
    assert "passed over: notes.txt is text" in err
    assert (folder / "out שלום" / "a_landmarks.json").exists()
    (tmp_path / "empty").mkdir()
    code, _, err = run(tmp_path / "empty")
    assert code == 1 and "no picture in the folder" in err


def test_results_are_never_written_over_each_other(run, photo, tmp_path):
    paths = [save_photo(tmp_path / name, photo[0]) for name in ("a.png", "a.jpg")]
    code, _, err = run(*paths, "--whole")
    assert code == 1 and "a.png" in err and "a.jpg" in err and "one result" in err
    assert not (tmp_path / "out").exists()


def test_several_boxes_keep_their_order_and_alone_is_as_together(run, net, tmp_path):
    one, two = draw_face(1, 0), draw_face(2, 1)
    image = np.concatenate([one[0], two[0]], axis=1)
    boxes = [crops.landmarks_box(one[1]), crops.landmarks_box(two[1] + [len(one[0]), 0])]
    path = save_photo(tmp_path / "two.png", image)
    for order in ((0, 1), (1, 0)):
        args = [arg for i in order for arg in ("--box", comma(boxes[i]))]
        code, _, _ = run(path, *args)
        assert code == 0
        found = [np.array(face["landmarks"]) for face in result(tmp_path, "two")["faces"]]
        for i, points in zip(order, found, strict=True):
            assert points == pytest.approx(prediction.predict(net, image, boxes[i]), abs=0.01)


def test_without_a_network(capsys, photo, tmp_path):
    path = save_photo(tmp_path / "a.png", photo[0])
    with pytest.raises(SystemExit):
        app.main(["predict", str(path), "--network", str(tmp_path / "absent"), "--out", "x"])
    said = capsys.readouterr().err
    assert "no such file, and those that ship are" in said and "tough --data synthetic" in said


def test_a_network_that_ships_is_asked_for_by_name_and_its_licence_is_said(capsys, photo, tmp_path):
    path = save_photo(tmp_path / "a.png", photo[0])
    args = ["predict", str(path), "--whole", "--out", str(tmp_path / "out")]
    found = {}
    for network in ([], ["--network", "tough"], ["--network", "tough", "--data", "synthetic"]):
        with pytest.raises(SystemExit) as stopped:
            app.main([*args, *network])
        said = capsys.readouterr().out
        assert not stopped.value.code
        name, data = (network[1:2] or ["student-kd"])[0], network[3:] or ["youtube-faces"]
        card = zoo.load(name, data[0]).card
        assert said.startswith(f"{name}, trained on {card['data']['title']}. {card['licence']}\n")
        found[said] = result(tmp_path, "a")["faces"][0]["landmarks"]
    assert len(found) == 3 and len(set(map(str, found.values()))) == 3


def test_the_default_network_may_be_used_for_everything():
    assert zoo.load(*prediction.STUDENT).card["licence"].startswith("The weights are MIT")


def test_a_network_that_says_nothing_of_itself(network):
    assert prediction.about(prediction.load(network)) == ""


# --- kinds of pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "P", "PA", "RGBA", "CMYK", "I;16", "F", "1"])
def test_other_kinds_of_pictures_are_read(photo, tmp_path, mode):
    image = photo[0]
    path = tmp_path / ("a.tif" if mode in ("CMYK", "F") else "a.png")
    grey = np.asarray(Image.fromarray(image).convert("L"))
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(grey.astype(np.float32) / 255)
    elif mode == "PA":
        path = tmp_path / "a.gif"
        picture = Image.fromarray(image).convert("P")
    else:
        picture = Image.fromarray(image).convert(mode)
    picture.save(path)
    found = read_picture(path).pixels
    assert found.shape == image.shape and found.dtype == np.uint8
    if mode in ("RGBA", "CMYK"):
        assert abs(found.astype(int) - image).max() <= 2
    if mode in ("L", "LA", "I;16", "F"):
        assert abs(found.astype(int) - grey[..., None]).max() <= 1


def test_what_is_transparent_becomes_white_and_an_animation_its_first_frame(photo, tmp_path):
    image = Image.fromarray(photo[0]).convert("RGBA")
    image.putalpha(0)
    image.save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png").pixels == 255).all()
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_picture(tmp_path / "a.gif").pixels[0, 0], [255, 0, 0])


def test_arrays_of_any_layout(net, photo):
    """The same points for the same picture, however it lies in memory."""
    image, box = photo
    expected = prediction.predict(net, image, box)
    bgr = np.ascontiguousarray(image[:, :, ::-1])
    wide = np.zeros((2 * len(image), 2 * image.shape[1], 3), np.uint8)
    wide[::2, ::2] = image
    alike = {
        "negative stride": bgr[:, :, ::-1],
        "every second pixel": wide[::2, ::2],
        "Fortran order": np.asfortranarray(image),
        "float": image / 255.0,
        "16 bits": image.astype(np.uint16) * 257,
        "alpha": np.concatenate([image, image[..., :1]], axis=2),
    }
    for name, array in alike.items():
        assert prediction.predict(net, array, box) == pytest.approx(expected, abs=0.1), name
    grey = image.mean(axis=2).round().astype(np.uint8)
    one = prediction.predict(net, grey, box)
    assert prediction.predict(net, grey[..., None], box) == pytest.approx(one)
    for bad, words in (
        (image[None], "found \\(1, 110"),
        (image[..., :2], "found \\(110, 116, 2\\)"),
        (image.astype(float), "between 0 and 1"),
        (np.full((9, 9), np.nan), "between 0 and 1"),
        (image.astype(np.int64) - 300, "0 to 65535"),
        (image.astype(complex), "found complex128"),
        (np.zeros((0, 5, 3), np.uint8), "found \\(0, 5, 3\\)"),
    ):
        with pytest.raises(ValueError, match=words):
            prediction.predict(net, bad, box)


# --- finding faces -------------------------------------------------------------------------------

detector = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="needs the extra export"
)


@pytest.fixture(scope="module")
def faces():
    """Near-frontal rendered faces `(160, 160, 3)`, and their landmarks in pixels."""
    images, landmarks, _, about = synthetic.render_faces(60, 160, seed=5)
    frontal = (about["yaw"].abs() < 15) & (about["pitch"].abs() < 10) & (about["roll"].abs() < 8)
    rows = np.flatnonzero(frontal & ~about["occlusion"])
    return [(images[row], 160 * (landmarks[row] + 0.5) - 0.5) for row in rows]


@detector
def test_boxes_lie_about_the_landmarks(faces):
    hits, ratios = 0, []
    for image, points in faces:
        x, y, w, h = crops.landmarks_box(points)
        for left, top, width, height in detect.find_faces(image)[:1]:
            near = abs(left + width / 2 - x - w / 2) < 0.25 * w
            near &= abs(top + height / 2 - y - h / 2) < 0.25 * h
            hits += near
            ratios.append(max(width, height) / max(w, h))
    assert len(faces) >= 8 and hits >= 0.8 * len(faces)
    assert 0.8 < np.median(ratios) < 1.25


@detector
def test_large_pictures_are_searched_small_and_boxes_fit_the_original(faces):
    image, points = faces[0]
    large = np.asarray(Image.fromarray(image).resize((1920, 1920)))
    ((x, y, w, h),) = detect.find_faces(large)
    middle = 12 * (points.min(axis=0) + points.max(axis=0)) / 2
    assert [x + w / 2, y + h / 2] == pytest.approx(middle, abs=1.5 * float(np.ptp(points[:, 0])))


@detector
def test_the_largest_face_comes_first(run, faces, tmp_path):
    large, small = faces[0][0], np.asarray(Image.fromarray(faces[1][0]).resize((90, 90)))
    image = np.full((260, 420, 3), 90, np.uint8)
    image[50:140, 20:110] = small
    image[60:220, 200:360] = large
    code, out, _ = run(save_photo(tmp_path / "two.png", image))
    found = result(tmp_path, "two")["faces"]
    assert code == 0 and f"{len(found)} faces" in out and len(found) >= 2
    assert found[0]["box"][2] > found[1]["box"][2] and found[0]["box"][0] > 150


@detector
def test_no_face_is_an_empty_list(run, faces, tmp_path):
    text = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(text).text((20, 20), "no face, only words\n" * 8, fill="black")
    text.save(tmp_path / "text.png")
    Image.new("RGB", (200, 100), "grey").save(tmp_path / "grey.png")
    Image.new("RGB", (8, 8), "grey").save(tmp_path / "tiny.png")
    good = save_photo(tmp_path / "good.png", faces[0][0])
    names = ("text", "grey", "tiny")
    code, out, err = run(*(tmp_path / f"{name}.png" for name in names), good)
    assert code == 1 and not err and out.count("no face found") == 3
    expected = result(tmp_path, "good")
    assert len(expected["faces"]) >= 1
    for name in names:
        about = result(tmp_path, name)
        assert about["faces"] == [] and about.keys() == expected.keys()
        assert (tmp_path / "out" / f"{name}_landmarks.png").exists()


def test_without_onnxruntime_it_is_said_what_to_do(run, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_detector", detect._detector.__wrapped__)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = save_photo(tmp_path / "a.png", photo[0])
    code, out, err = run(path)
    assert code == 1 and not out
    assert re.search(r"onnxruntime, which is not here: pip install onnxruntime, .* --box", err)
    assert run(path, "--box", comma(photo[1]))[0] == 0


def test_nothing_is_computed_for_a_gradient(net, photo):
    with torch.enable_grad():
        assert isinstance(prediction.predict(net, *photo), np.ndarray)
