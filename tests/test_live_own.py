"""The live page of a network of one's own, whose landmarks no face detector knows: the whole
picture is looked at, or a box that is drawn by hand."""

import functools
import json
import threading

import numpy as np
import pytest
import torch
from chromium import started
from PIL import Image

from kdnotes import models
from kdnotes.data.schemes import Scheme
from kdnotes.deploy import predict, serve, site

WIDTH, HEIGHT = 300, 200
SCHEME = Scheme(4, names=("tip", "heel", "left edge", "right edge"), edges=((0, 1),))


def network(tmp_path, box):
    torch.manual_seed(0)
    net = models.create(
        "mobilenetv2_050", SCHEME, size=64, crop_margin=1.0 if box == "picture" else 1.6,
        head="heatmap", box=box,
    )  # fmt: skip
    wide = [-0.3, -0.2, 0.3, -0.3, 0.2, 0.3, -0.3, 0.3]  # its landmarks' box is no point
    net.head.bias += torch.tensor(wide)
    return models.freeze(net), models.save(net, tmp_path / f"leaf-{box}", card={"name": "leaf"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def built(home):
    """Builds the page of a network once; returns the network and the folder. Exports take long."""
    pytest.importorskip("onnxscript", reason="needs the extra export")

    @functools.cache
    def build(box):
        net, path = network(home, box)
        notes = site.build(home / "site" / box, network=path, cache=home / "cache")
        if notes:
            pytest.skip(f"the page would need the network: {notes[0]}")
        return net, home / "site" / box

    return build


@pytest.fixture(scope="module")
def origin(home):
    (home / "site").mkdir(exist_ok=True)
    with serve.server(home / "site") as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "leaf.png"
    rng = np.random.default_rng(1)
    small = Image.fromarray(rng.integers(0, 256, (10, 15, 3), np.uint8))
    small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module")
def browser():
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with started(*flags) as chromium:
        yield chromium


@pytest.fixture
def opened(browser, origin, built):
    contexts = []

    def open_page(box):
        built(box)
        contexts.append(browser.new_context(service_workers="block"))
        page = contexts[-1].new_page()
        page.goto(f"{origin}/{box}/")
        page.wait_for_selector("html[data-ready=yes]")
        page.evaluate(
            """() => document.addEventListener("landmarks", ({detail: {faces}}) => {
                window.seen = (window.seen ?? 0) + 1; window.last = faces[0].student; })"""
        )
        return page

    yield open_page
    for context in contexts:
        context.close()


def answer(page, act):
    """The landmarks that are drawn after `act`."""
    page.evaluate("window.seen = 0")
    act()
    page.wait_for_function("window.seen > 0")
    return np.array(page.evaluate("last"))


def drag(page, box):
    """Draws a box, pixels of the picture, with the mouse; a box without a size is a click."""
    stage = page.locator("#overlay").bounding_box()
    scale = stage["width"] / WIDTH
    x, y, width, height = np.array(box) * scale + [stage["x"], stage["y"], 0, 0]
    page.mouse.move(x, y)
    page.mouse.down()
    if width:
        page.mouse.move(x + width / 2, y + height / 2)
        page.mouse.move(x + width, y + height)
    page.mouse.up()


def test_whole_pictures_and_boxes_drawn_by_hand(built, opened, picture):
    net, image = built("picture")[0], np.asarray(Image.open(picture))
    page = opened("picture")
    whole = answer(page, lambda: page.set_input_files("#file", picture))
    assert np.abs(whole - predict.predict(net, image)).max() < 0.5
    assert "whole picture" in page.inner_text("#status")
    box = (60, 40, 90, 80)
    drawn = answer(page, lambda: drag(page, box))
    expected = predict.predict(net, image, (box[0] - 0.5, box[1] - 0.5, *box[2:]))
    assert np.abs(drawn - expected).max() < 1.5, "the mouse moves in whole pixels of the screen"
    assert np.abs(drawn - whole).max() > 3
    assert "your box" in page.inner_text("#status")
    again = answer(page, lambda: drag(page, (5, 5, 0, 0)))
    np.testing.assert_allclose(again, whole, atol=1e-6)
    answer(page, lambda: drag(page, box))
    other = answer(page, lambda: page.set_input_files("#file", picture))
    np.testing.assert_allclose(other, whole, atol=1e-6, err_msg="a box belongs to its picture")


@pytest.mark.long
def test_a_network_of_landmarks_boxes_looks_twice(built, opened, picture):
    net, image = built("landmarks")[0], np.asarray(Image.open(picture))
    page = opened("landmarks")
    whole = answer(page, lambda: page.set_input_files("#file", picture))
    assert np.abs(whole - predict.predict(net, image, looks=2)).max() < 1.5, "16 bits, twice"
    box = (100, 30, 120, 120)
    drawn = answer(page, lambda: drag(page, box))
    expected = predict.predict(net, image, (box[0] - 0.5, box[1] - 0.5, *box[2:]), looks=2)
    assert np.abs(drawn - expected).max() < 1.5


def test_what_it_says_and_offers(opened, picture):
    """Its own words, no film, and names beside the points."""
    page = opened("picture")
    assert page.title() == page.inner_text("h1") == "leaf, live"
    assert "finds 4 landmarks" in page.inner_text("header")
    assert not page.is_visible("#film") and not page.is_visible("#rendered")
    assert not page.is_visible("text=Tough teacher")
    assert page.inner_text("#status") == "Ready: start the camera, or take a photo."
    assert page.evaluate("window.seen") is None and page.is_disabled("#stop"), "nothing runs"
    answer(page, lambda: page.set_input_files("#file", picture))
    drawn = "() => document.getElementById('overlay').toDataURL()"
    before = page.evaluate(drawn)
    answer(page, lambda: page.check("#show-names"))
    assert page.evaluate(drawn) != before
    page.hover("#picture", force=True)
    assert not page.is_visible("#glass"), "the mouse draws boxes"
    page.click("#magnify")
    assert page.is_visible("#glass")


def test_a_camera(opened):
    page = opened("picture")
    page.click("#camera")
    page.wait_for_function("window.seen > 5")
    assert "whole picture" in page.inner_text("#status")
    page.click("#stop")


def test_offline_files_are_those_that_it_needs(built):
    folder = built("picture")[1]
    about = json.loads((folder / "student.json").read_text("utf-8"))
    assert about["detector"] is None and about["film"] is None and not about["samples"]
    assert set(about["offline"]) == {"student-fp16.onnx", *site.RUNTIME["module"][:1],
                                     *site.RUNTIME["wasm"][:1]}  # fmt: skip
    worker = (folder / "sw.js").read_text("utf-8")
    assert all(f'"{name}"' in worker for name in site.MODULES) and "@" not in worker


def test_what_is_no_network_is_said(tmp_path):
    (tmp_path / "wrong.onnx").write_text("leaf")
    with pytest.raises(ValueError, match="damaged or no network"):
        site.build(tmp_path / "page", network=tmp_path / "wrong.onnx", cache=tmp_path / "cache")
    assert not (tmp_path / "page").exists()
