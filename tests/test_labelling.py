"""Landmarks placed in Chromium: mouse, keyboard, zoom, two tabs, a reload, a scheme by clicking."""

import json
import re
import threading

import numpy as np
import pytest
from chromium import settle, started
from PIL import Image

from kdnotes.data import schemes
from kdnotes.data.schemes import Scheme
from kdnotes.own import pages
from kdnotes.own.serve import Server
from kdnotes.own.steps import Project

N = 19
SCHEME = Scheme(N, edges=((0, 1), (1, 2)), names=tuple(f"bone {i}" for i in range(N)))
WIDTH, HEIGHT = 520, 640


@pytest.fixture
def project(tmp_path):
    (tmp_path / "x-rays").mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        grey = np.linspace(0, 200, WIDTH)[None] + rng.normal(0, 9, (HEIGHT, WIDTH))
        picture = np.clip(grey, 0, 255).astype(np.uint8)
        Image.fromarray(picture).convert("RGB").save(tmp_path / "x-rays" / f"{i + 1}.png")
    project = Project.of(tmp_path / "x-rays")
    project.folder.mkdir()
    return project


@pytest.fixture
def server(project):
    project.scheme_file.write_text(json.dumps(schemes.to_json(SCHEME)))
    with Server(project) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def browser():
    with started() as chromium:
        yield chromium


@pytest.fixture
def tab(browser):
    """Opens pages of a server; whatever a console says fails the test."""
    said, contexts = [], []

    def open_tab(server, scale=1, **options):
        viewport = {"width": 1100, "height": 900}
        contexts.append(
            browser.new_context(viewport=viewport, device_scale_factor=scale, **options)
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "console",
            lambda m: (
                m.type == "error" and not re.search("409|50[07]", m.text) and said.append(m.text)
            ),
        )
        page.goto(server.address)
        page.locator(".status").wait_for()
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert said == []


def view_of(page):
    """The place of the picture's corner on the page, and screen pixels per picture pixel.

    The page is drawn a frame after it has said what it shows: a click before that would miss.
    """
    picture, box = page.locator("svg.stage image"), None
    while (drawn := picture.bounding_box()) != box:
        box = drawn
        page.wait_for_timeout(50)
    return np.array([box["x"], box["y"]]), box["width"] / WIDTH


def click(page, x, y):
    """Clicks on a place of the picture, counted from the middle of its first pixel; returns where
    the mouse was."""
    corner, size = view_of(page)
    place = np.round(corner + (np.array([x, y]) + 0.5) * size)  # a mouse points at whole pixels
    page.mouse.click(*place)
    return (place - corner) / size - 0.5


def until(page, condition):
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("not within five seconds")


@pytest.mark.parametrize("scale", [1, 2])
def test_nineteen_points_by_mouse_one_moved_by_keyboard(project, server, tab, scale):
    page = tab(server, scale)
    grid = np.array([(60 + 100 * i, 50 + 130 * j) for i in range(5) for j in range(4)])[:N]
    wanted = grid + np.random.default_rng(1).uniform(-20, 20, (N, 2))
    clicked = np.array([click(page, x, y) for x, y in wanted])
    until(page, lambda: project.labels().complete() == ["1.png"])
    points = project.labels().get("1.png").points
    assert np.abs(points - clicked).max() < 0.02 and np.abs(points - wanted).max() <= 0.55
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    until(page, lambda: (project.labels().get("1.png").points != points).any())
    until(
        page, lambda: np.allclose(project.labels().get("1.png").points[-1] - points[-1], [1, -10])
    )
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    until(page, lambda: np.array_equal(project.labels().get("1.png").points, points))


def test_zoomed_four_times_a_click_is_where_it_is(project, server, tab):
    page = tab(server, 2)
    page.locator("svg.stage").hover()
    corner, before = view_of(page)
    page.mouse.move(*(corner + before * np.array([300, 320])))
    for _ in range(40):
        if view_of(page)[1] > 4:
            break
        page.mouse.wheel(0, -60)
        settle(page)
    size = view_of(page)[1]
    assert size > 4
    for i, (x, y) in enumerate([(290, 310), (305.3, 331.7), (312, 318)]):
        at = click(page, x, y)
        until(page, lambda i=i: project.labels().get("1.png").placed[i])
        found = project.labels().get("1.png").points[i]
        assert np.abs(found - at).max() < 0.02 and np.abs(found - [x, y]).max() <= 0.5 / size + 0.01


def test_a_point_is_dragged_hidden_and_removed(project, server, tab):
    page = tab(server)
    click(page, 100, 120)
    until(page, lambda: project.labels().get("1.png").placed[0])
    corner, size = view_of(page)
    page.mouse.move(*(corner + (np.array([100, 120]) + 0.5) * size))
    page.mouse.down()
    page.mouse.move(*(corner + (np.array([150, 160]) + 0.5) * size), steps=5)
    page.mouse.up()
    until(page, lambda: project.labels().get("1.png").points[0, 0] > 140)
    moved = project.labels().get("1.png")
    assert np.abs(moved.points[0] - [150, 160]).max() <= 1 and moved.placed.sum() == 1
    page.keyboard.press("h")
    until(page, lambda: project.labels().get("1.png").hidden[0])
    page.keyboard.press("Delete")
    until(page, lambda: not project.labels().get("1.png").placed.any())


def test_a_click_too_many_moves_nothing(project, server, tab):
    """Once all are placed, points are dragged: a stray click is no correction."""
    page = tab(server)
    places = [(60 + 100 * (i % 4), 60 + 100 * (i // 4)) for i in range(N)]
    for place in places:
        click(page, *place)
    until(page, lambda: project.labels().get("1.png").complete)
    before = project.labels().table.read_bytes()
    click(page, 480, 600)
    page.get_by_text("All are placed.").wait_for()
    page.wait_for_timeout(300)
    assert project.labels().table.read_bytes() == before


def test_a_reload_loses_nothing_and_pictures_follow(project, server, tab):
    page = tab(server)
    for i in range(4):
        click(page, 60 + 40 * i, 80 + 50 * i)
    until(page, lambda: project.labels().get("1.png").placed.sum() == 4)
    page.reload()
    page.locator(".status").wait_for()
    assert "1.png: 4 of 19 placed. Next: bone 4." in page.locator(".status").inner_text()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("2.png: 0 of 19 placed").wait_for()
    click(page, 200, 200)
    until(page, lambda: project.labels().get("2.png").placed[0])
    page.get_by_role("button", name="Previous").click()
    page.get_by_text("1.png: 4 of 19 placed").wait_for()


def test_a_second_tab_overwrites_nothing(project, server, tab):
    first, second = tab(server), tab(server)
    click(first, 100, 100)
    until(first, lambda: project.labels().get("1.png").placed[0])
    click(second, 300, 300)
    second.get_by_text("have been changed elsewhere in the meantime").wait_for()
    assert np.abs(project.labels().get("1.png").points[0] - 100).max() < 1
    assert "1 of 19 placed" in second.locator(".status").inner_text()
    click(second, 200, 220)  # the next point: nothing stands in its way any more
    until(second, lambda: project.labels().get("1.png").placed.sum() == 2)


def test_undo_stays_with_its_picture(project, server, tab):
    """Also where names have blanks: what was undone never reaches another picture."""
    for i in (1, 2, 3):
        (project.images / f"{i}.png").rename(project.images / f"x ray {i}.png")
    with Server(project) as again:
        threading.Thread(target=again.serve_forever, daemon=True).start()
        page = tab(again)
        click(page, 100, 100)
        until(page, lambda: project.labels().get("x ray 1.png").placed[0])
        page.get_by_role("button", name="Next").click()
        page.locator(".status", has_text="x ray 2.png").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.locator("svg.stage").click(button="right", position={"x": 200, "y": 200})
        click(page, 300, 300)
        until(page, lambda: project.labels().get("x ray 2.png").placed[0])
        assert project.labels().get("x ray 2.png").placed.sum() == 1
        assert project.labels().get("x ray 1.png").placed.sum() == 1
        again.shutdown()


def test_a_page_turn_that_fails_ends_no_saving(project, server, tab, monkeypatch):
    page = tab(server)
    click(page, 100, 100)
    until(page, lambda: project.labels().get("1.png").placed[0])
    real = server.state

    def failing(index):
        raise OSError("the disk is gone")

    monkeypatch.setattr(server, "state", failing)
    page.get_by_role("button", name="Next").click()
    page.locator(".problem", has_text="the disk is gone").wait_for()
    click(page, 200, 200)
    until(page, lambda: project.labels().get("1.png").placed[1])
    monkeypatch.setattr(server, "state", real)
    page.locator(".status", has_text="2.png").wait_for(timeout=10_000)


def test_what_cannot_be_saved_is_tried_again(project, server, tab, monkeypatch):
    page = tab(server)
    real = type(project.labels()).save

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(project.labels()), "save", full)
    click(page, 100, 100)
    page.get_by_text("not saved yet: [Errno 28] No space left on device").wait_for()
    monkeypatch.setattr(type(project.labels()), "save", real)
    until(page, lambda: project.labels().get("1.png").placed[0])
    until(page, lambda: not page.locator(".problem").inner_text())


def test_a_guess_is_confirmed_or_corrected(project, server, tab):
    guess = np.linspace([60, 60], [400, 500], N)
    unsure = np.arange(N) == 3
    server.guess = lambda image: (guess, unsure)
    page = tab(server)
    assert page.get_by_role("button", name="Confirm all").get_attribute("title")
    page.get_by_text("Mouse and keys").click()
    assert page.get_by_text("Page Down, Page Up").is_visible()
    assert "0 of 19 placed, 19 guessed" in page.locator(".status").inner_text()
    assert not (project.folder / "labels.csv").exists(), "a guess is no label"
    assert page.get_by_role("button", name="bone 3, guessed, unsure").count() == 1
    click(page, *guess[3])
    corner, size = view_of(page)
    page.mouse.move(*(corner + (guess[3] + 0.5) * size))
    page.mouse.down()
    page.mouse.move(*(corner + (guess[3] + [30.5, 0.5]) * size), steps=4)
    page.mouse.up()
    until(page, lambda: project.labels().get("1.png").placed.sum() == 1)
    page.get_by_role("button", name="Confirm all").click()
    until(page, lambda: project.labels().complete() == ["1.png"])
    points = project.labels().get("1.png").points
    assert abs(points[3, 0] - guess[3, 0] - 30) < 1.5
    np.testing.assert_allclose(np.delete(points, 3, 0), np.delete(guess, 3, 0), atol=0.01)


def test_a_scheme_is_made_by_clicking(project, tab):
    with Server(project) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = tab(server)
        places = {
            "nose": (260, 300),
            "left ear": (60, 280),
            "right ear": (470, 290),
            "chin": (250, 600),
        }
        for x, y in places.values():
            click(page, x, y)
        for i, name in enumerate(places):
            page.get_by_label(f"name of point {i + 1}").fill(name)
            page.get_by_label(f"name of point {i + 1}").press("Tab")
        for step, pairs in (("lines", [("nose", "chin")]), ("mirror", [("left ear", "right ear")]),
                            ("distance", [("left ear", "right ear")])):  # fmt: skip
            page.get_by_label("what to do").select_option(step)
            for pair in pairs:
                for name in pair:
                    click(page, *places[name])
        assert "mirrored pairs: 1" in page.locator(".status").inner_text()
        page.get_by_role("button", name="Save the scheme").click()
        page.get_by_text("2.png: 0 of 4 placed. Next: nose. Pictures done: 1.").wait_for()
        server.shutdown()
    scheme = project.scheme()
    assert scheme.names == tuple(places) and scheme.edges == ((0, 3),)
    assert scheme.flip == (0, 2, 1, 3) and scheme.pair == ((1,), (2,))
    points = project.labels().get("1.png").points
    assert np.abs(points - list(places.values())).max() <= 1, "its points are the picture's label"


def test_a_page_of_its_own_needs_nothing(project, browser, tmp_path):
    """Opened from the disk: pictures are chosen, labels survive a reload and are downloaded."""
    file = tmp_path / "label.html"
    file.write_text(pages.labelling_page(SCHEME, "Label: x-rays"), encoding="utf-8")
    context, said = browser.new_context(viewport={"width": 1100, "height": 900}), []
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda m: m.type == "error" and said.append(m.text))
    page.on(
        "request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or said.append(r.url)
    )
    (project.images / "4.png").write_bytes(b"no picture")
    pictures = sorted(project.images.iterdir())
    for visit in range(2):
        page.goto(file.as_uri())
        page.get_by_label("pictures to label").set_input_files(pictures)
        page.get_by_text(f"1.png: {3 * visit} of 19 placed").wait_for()
        clicked = [click(page, 50 + 40 * (i + 3 * visit), 90) for i in range(3)]
        page.get_by_text(f"1.png: {3 * visit + 3} of 19 placed").wait_for()
    for number in (2, 3, 4):
        page.get_by_role("button", name="Next").click()
        page.get_by_text(f"{number}.png: 0 of 19 placed").wait_for()
    page.wait_for_timeout(300)  # a figure tells its model of a change a little later
    assert page.get_by_text("4.png does not open as a picture.").is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the labels").click()
    download.value.save_as(project.folder / "labels.csv")
    project.scheme_file.write_text(json.dumps(schemes.to_json(SCHEME)))
    found = project.labels().get("1.png")
    assert found.placed.sum() == 6
    np.testing.assert_allclose(found.points[3:6], clicked, atol=0.02)
    context.close()
    assert said == []


def test_a_full_storage_loses_nothing(project, browser, tmp_path):
    """What the browser cannot store stays on the page, and comes with the download."""
    file = tmp_path / "label.html"
    file.write_text(pages.labelling_page(SCHEME, "Label: x-rays"), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.goto(file.as_uri())
    page.get_by_label("pictures to label").set_input_files(sorted(project.images.iterdir()))
    page.get_by_text("1.png: 0 of 19 placed").wait_for()
    click(page, 60, 90)
    page.get_by_text("1.png: 1 of 19 placed").wait_for()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw Error('no room'); }; }")
    click(page, 160, 90)
    page.get_by_text("not stored in this browser: no room").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("2.png: 0 of 19 placed").wait_for()
    click(page, 60, 90)
    page.get_by_text("2.png: 1 of 19 placed").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the labels").click()
    download.value.save_as(project.folder / "labels.csv")
    project.scheme_file.write_text(json.dumps(schemes.to_json(SCHEME)))
    assert [project.labels().get(f"{i}.png").placed.sum() for i in (1, 2)] == [2, 1]
    context.close()
