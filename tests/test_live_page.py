"""The live page in a real browser: a fake camera shows a rendered person who moves, turns, leaves
and comes back, and where the landmarks are is known in every frame.

Screenshots are kept in `build/screenshots`.
"""

import base64
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from chromium import started
from PIL import Image

from kdnotes import metrics
from kdnotes.asm import ActiveShapeModel, soften
from kdnotes.data import crops, synthetic
from kdnotes.data.synthetic.film import render_film
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.landmarks import all_schemes
from kdnotes.deploy import pictures, predict, serve, site
from kdnotes.deploy.exported import Exported
from kdnotes.models import zoo

SHOTS = Path(__file__).parents[1] / "build" / "screenshots"
DATA = "youtube-faces"
N, WIDTH, HEIGHT, RATE = 60, 400, 300, 10
SECOND = 1000

#: Squares of white or black along the lower edge that number the film's frames.
SQUARE, BITS = 16, 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page. PyTorch takes long to export, so all networks are the student that ships; a long
    test has the real ones."""
    home = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "_exported", lambda name, data, *_: zoo.exported("student-kd", data))
        patch.setattr(pictures, "FRAMES", 14)
        (home / "site" / "book").mkdir(parents=True)
        (home / "site" / "book" / "index.html").write_text("<title>The book</title>")
        notes = site.build(home / "site" / "live", DATA, cache=home / "cache")
    if notes:
        pytest.skip(f"the page would need the network: {notes[0]}")
    return home / "site" / "live"


@pytest.fixture(scope="module")
def origin(folder):
    """Address of the page, in a subfolder of a static server."""
    with serve.server(folder.parent) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(scope="module")
def film():
    """The person before the fake camera, numbered frames."""
    stills = list(render_film(N, WIDTH, HEIGHT, subject=1))
    for i, still in enumerate(stills):
        for bit in range(BITS):
            left, value = SQUARE * bit, 255 * (i >> bit & 1)
            still.image[HEIGHT - SQUARE :, left : left + SQUARE] = value
    return stills


@pytest.fixture(scope="module")
def camera_file(film, tmp_path_factory):
    path = tmp_path_factory.mktemp("camera") / "film.y4m"
    with open(path, "wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT, RATE))
        for still in film:
            y, cb, cr = Image.fromarray(still.image).convert("YCbCr").split()
            half = WIDTH // 2, HEIGHT // 2
            small = [part.resize(half, Image.Resampling.BOX) for part in (cb, cr)]
            # a camera's numbers: 16 is black, 235 white
            y = 16 + np.asarray(y) * (219 / 255)
            small = [128 + (np.asarray(part) - 128.0) * (224 / 255) for part in small]
            planes = [part.round().astype(np.uint8).tobytes() for part in (y, *small)]
            file.write(b"FRAME\n" + b"".join(planes))
    return path


@pytest.fixture(scope="module")
def browser(camera_file):
    more = [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_file}",
        "--enable-precise-memory-info", "--js-flags=--expose-gc",
    ]  # fmt: skip
    with started(*more) as chromium:
        yield chromium


class Visit:
    """A page that was opened; what it said and asked for."""

    def __init__(self, context, url):
        self.page, self.said, self.asked = context.new_page(), [], []
        self.page.on("console", self._say)
        self.page.on("pageerror", lambda e: self.said.append(f"error: {e}"))
        context.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)

    def _say(self, message):
        if "blocked by Playwright" not in message.text:  # the worker, see `visit`
            self.said.append(f"{message.type}: {message.text}")

    def ready(self):
        self.page.wait_for_selector("html[data-ready=yes]", timeout=60 * SECOND)
        return self

    def status(self, words, seconds=30):
        """Waits until the status says so."""
        self.page.wait_for_function(
            "words => document.getElementById('status').textContent.includes(words)",
            arg=words, timeout=seconds * SECOND,
        )  # fmt: skip

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"live-{name}.png", full_page=True)


@pytest.fixture
def visit(browser, origin):
    """Opens the page anew; without a worker, whose copies would outlive a test."""
    contexts = []

    def visit(path="live/", **options):
        how = {"service_workers": "block", "viewport": {"width": 1280, "height": 900}} | options
        contexts.append(browser.new_context(**how))
        return Visit(contexts[-1], f"{origin}/{path}")

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def live(visit):
    """The page, opened anew."""
    return visit().ready()


@pytest.fixture(scope="module")
def opened(browser, origin):
    context = browser.new_context(service_workers="block", viewport={"width": 1280, "height": 900})
    visit = Visit(context, f"{origin}/live/").ready()
    visit.page.click("#stop")
    yield visit
    context.close()


@pytest.fixture
def shared(opened):
    """The page, opened once for the tests that leave it as they found it: nothing runs, and the
    networks are those that are shown first."""
    opened.said.clear()
    opened.page.evaluate("document.getElementById('status').textContent = ''")
    yield opened
    if opened.page.is_enabled("#stop"):
        opened.page.click("#stop")
    opened.page.uncheck("#show-tough")
    opened.page.uncheck("#show-plain")
    opened.page.fill("#precision", "1")


#: Keeps what the page says of each frame: number, landmarks, milliseconds.
KEEP = """([square, bits]) => {
  if (window.kept) {
    kept.length = 0;
    return;
  }
  window.kept = [];
  document.addEventListener("landmarks", ({detail: {frame, faces, took}}) => {
    let number = 0;
    for (let bit = 0; bit < bits; bit++) {
      const x = square * bit + square / 2, y = frame.height - square / 2;
      number += (frame.data[4 * (y * frame.width + x)] > 127) << bit;
    }
    kept.push({number, points: faces.length ? faces[0].student : null, took, faces: faces.length,
               width: frame.width});
  });
}"""


def watched(live, frames, seconds=90):
    """What the page said of so many frames of the camera."""
    if live.page.is_enabled("#stop"):
        live.page.click("#stop")  # else the film's last frames are taken for the camera's
    live.page.evaluate(KEEP, [SQUARE, BITS])
    live.page.click("#camera")
    live.page.wait_for_function("n => kept.length >= n", arg=frames, timeout=seconds * SECOND)
    return live.page.evaluate("kept")


# --- the camera ----------------------------------------------------------------------------------


def test_it_follows_the_face_as_well_as_python_does(live, film):
    live.page.uncheck("#steady")
    seen = watched(live, 100)
    live.shot("camera")
    assert seen[-1]["width"] == WIDTH
    here = np.array([still.here for still in film])
    gone = [s for s in seen if not here[s["number"]] and s["points"] is None]
    ghosts = [s for s in seen if not here[s["number"]] and s["points"]]
    assert len(gone) > len(ghosts), "the person leaves the picture, and the page soon says so"
    back = [s for s in seen[seen.index(gone[-1]) :] if s["points"]]
    assert back or any(s["points"] for s in seen[seen.index(gone[0]) :]), "and is found again"

    net = Exported(zoo.exported("student-kd", DATA))
    python = {
        i: predict.predict(net, still.image, crops.landmarks_box(still.points), looks=2)
        for i, still in enumerate(film)
        if still.here
    }

    def followed(seen):
        """Frames with the whole face, which the page had followed for three frames before, without
        a leap of the film: a busy machine looks at fewer of its frames."""
        fine = [bool(here[s["number"]] and s["points"]) for s in seen]
        steps = np.diff([s["number"] for s in seen], prepend=0) % len(film)
        return [
            s for i, s in enumerate(seen)
            if i >= 3 and all(fine[i - 3 : i + 1]) and max(steps[i - 2 : i + 1]) <= 3
        ]  # fmt: skip

    seen = followed(seen)
    if len({s["number"] for s in seen}) <= 25:
        seen = followed(watched(live, 500))
    numbers = np.array([s["number"] for s in seen])
    assert len(set(numbers)) > 25
    truth = np.stack([film[i].points for i in numbers])
    mine = metrics.nme(np.array([s["points"] for s in seen]), truth, 68)
    theirs = metrics.nme(np.stack([python[i] for i in numbers]), truth, 68)
    print(f"NME page {mine.mean():.2%}, Python {theirs.mean():.2%}, {len(seen)} frames, "
          f"{np.median([s['took'] for s in seen]):.0f} ms a frame")  # fmt: skip
    assert mine.mean() == pytest.approx(theirs.mean(), rel=0.02)
    assert not live.said


def test_nothing_is_asked_of_anybody_else(shared, origin):
    watched(shared, 10)
    assert shared.asked and all(url.startswith((origin, "blob:")) for url in shared.asked)
    assert not shared.said


def test_stop_ends_the_camera(shared):
    watched(shared, 5)
    shared.page.click("#stop")
    shared.status("Stopped")
    n = shared.page.evaluate("kept.length")
    shared.page.wait_for_timeout(500)
    assert shared.page.evaluate("kept.length") == n
    assert shared.page.is_disabled("#stop")


REFUSALS = {
    "NotAllowedError": "The camera was not allowed",
    "NotFoundError": "There is no camera here. Take a photo or the film.",
    "NotReadableError": "used by another program",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_camera_that_does_not_come_is_said(shared, name):
    shared.page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia ="
        " () => Promise.reject(new DOMException('no', name)); }",
        name,
    )
    shared.page.click("#camera")
    shared.status(REFUSALS[name])
    assert shared.page.is_enabled("#film") and shared.page.is_enabled("#file")
    shared.page.click("#film")
    shared.status("Following a face")
    shared.page.evaluate("delete navigator.mediaDevices.getUserMedia")


def test_pages_without_https_say_why_there_is_no_camera(live):
    live.page.evaluate("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    live.page.click("#camera")
    live.status("only to pages from https://")


def test_a_page_in_the_background_rests(shared):
    watched(shared, 5)
    shared.page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"
    )
    shared.page.wait_for_timeout(1000)  # the frame that was begun is shown
    n = shared.page.evaluate("kept.length")
    shared.page.wait_for_timeout(600)
    assert shared.page.evaluate("kept.length") == n
    shared.page.evaluate("delete document.hidden")
    shared.page.wait_for_function("n => kept.length > n", arg=n + 3)


# --- how it opens, and the film ------------------------------------------------------------------


#: Counts how often the camera is asked for, and frames that are shown.
COUNT = """window.asked = window.shown = 0;
document.addEventListener("landmarks", () => window.shown += 1);
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = wanted => { window.asked += 1; return ask(wanted); };"""


@pytest.fixture
def counted(browser, origin):
    """Opens the page, which counts from its first moment on."""
    contexts = []

    def open_page(script="", **options):
        contexts.append(browser.new_context(service_workers="block", **options))
        contexts[-1].add_init_script(COUNT + script)
        return Visit(contexts[-1], f"{origin}/live/").ready()

    yield open_page
    for context in contexts:
        context.close()


def pressed(live):
    """The buttons that are marked as chosen."""
    return live.page.evaluate(
        "[...document.querySelectorAll('[aria-pressed=true], .chosen')]"
        ".map(e => e.id || e.htmlFor || e.firstChild.alt)"
    )


def test_it_opens_with_the_film_and_without_the_camera(counted):
    """The film waits until the page is seen."""
    live = counted(";Object.defineProperty(document, 'hidden', {value: true, configurable: true});")
    live.page.wait_for_timeout(500)
    assert live.page.evaluate("shown") == 0
    live.page.evaluate("delete document.hidden")
    live.status("Following a face")
    assert pressed(live) == ["film"]
    assert live.page.get_attribute("#picture", "aria-label").startswith("Film. ")
    assert live.page.get_attribute("#status", "aria-live") == "off", "rounds of a film are no news"
    assert live.page.evaluate("asked") == 0
    live.page.click("#camera")
    live.page.wait_for_function("document.getElementById('camera').ariaPressed === 'true'")
    assert live.page.evaluate("asked") == 1 and pressed(live) == ["camera"]
    assert live.page.get_attribute("#status", "aria-live") == "polite"


def test_it_stands_still_for_those_who_want_little_motion(counted):
    live = counted(reduced_motion="reduce")
    live.status("The film stands still")
    live.page.wait_for_timeout(400)
    assert live.page.evaluate("shown") == 1 and pressed(live) == []
    assert live.page.is_disabled("#stop")
    live.page.click("#film")
    live.page.wait_for_function("shown > 2")


def test_what_is_looked_at_is_marked(shared, photo):
    assert pressed(shared) == []
    shared.page.click("#samples button:nth-child(2)")
    shared.status("One face")
    assert pressed(shared) == ["rendered face 2"]
    outline = (
        "getComputedStyle(document.querySelector('#samples [aria-pressed=true]')).outlineStyle"
    )
    assert shared.page.evaluate(outline) == "solid"
    shared.page.set_input_files("#file", photo[0])
    shared.status("2 faces")
    assert pressed(shared) == ["file"]
    shared.page.click("#film")
    shared.status("Following a face")
    assert pressed(shared) == ["film"]
    shared.page.click("#stop")
    assert pressed(shared) == []


def points_alone(person, shot, side, rng, frame):
    """Like `render`, without the picture, which takes long."""
    points = all_schemes(Head(person.identity, shot.expression), shot.camera)[68]
    return np.zeros((side, side, 3), np.uint8), {68: frame.units(points)}, {}


def test_the_page_knows_the_true_points_of_its_film(shared):
    code = """async () => {
      const {Film} = await import("./film.js");
      const about = (await (await fetch("student.json")).json()).film;
      const film = await Film.load(about);
      return [...Array(about.frames).keys()].map(i => film.truth(i));
    }"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kdnotes.data.synthetic.film.render", points_alone)
        stills = list(render_film(14, pictures.WIDTH, pictures.HEIGHT, pictures.PERSON))
    found = shared.page.evaluate(code)
    assert [points is not None for points in found] == [still.here for still in stills]
    for points, still in zip(found, stills, strict=True):
        if points:
            assert np.abs(np.array(points) - still.points).max() <= pictures.POINT_STEP / 2


def test_errors_are_means_over_frames_that_all_networks_have_answered(shared):
    rng = np.random.default_rng(4)
    truth = rng.normal(200, 50, (4, 68, 2))
    student, tough = truth + rng.normal(0, 3, (2, 4, 68, 2))
    code = """async ([truth, student, tough]) => {
      const {Scores} = await import("./scores.js"), scores = new Scores([36, 45]);
      scores.add(0, truth[0], {student: truth[0]}, "fp32"); // of another student
      [1, 2, 3].forEach(i => scores.add(i, truth[i], {student: student[i]}, "fp16"));
      [2, 3].forEach(i => scores.add(i, truth[i], {tough: tough[i]}, "fp16"));
      return [["student"], ["student", "tough"], [], ["plain"]].map(names => scores.means(names));
    }"""
    one, two, none, other = shared.page.evaluate(
        code, [a.tolist() for a in (truth, student, tough)]
    )
    of_student, of_tough = metrics.nme(student, truth, 68), metrics.nme(tough, truth, 68)
    assert one == {"frames": 3, "errors": [pytest.approx(of_student[1:].mean())]}
    assert two["errors"] == pytest.approx([of_student[2:].mean(), of_tough[2:].mean()])
    assert none == other == {"frames": 0, "errors": []}


def test_each_network_that_is_shown_has_its_error(shared):
    shared.page.click("#film")
    shared.page.check("#show-tough")
    for name in ("student", "tough"):
        shared.page.wait_for_function(
            "id => /^[0-9]+\\.[0-9]{2} %$/.test(document.getElementById(id).textContent)",
            arg=f"error-{name}",
        )
    assert shared.page.inner_text("#error-plain") == ""
    assert "other labels" in shared.page.inner_text("#errors")
    error = float(shared.page.inner_text("#error-student")[:-2])
    assert 1 < error < 12
    shared.page.click("#samples button")
    shared.status("One face")
    assert shared.page.inner_text("#error-student") == "" and not shared.page.is_visible("#errors")
    assert not shared.page.is_visible("#truth") and not shared.said


# --- the magnifier -------------------------------------------------------------------------------


#: How much of the magnifier's middle line is red.
RED = """() => {
  const glass = document.getElementById("glass"), {width, height} = glass;
  const {data} = glass.getContext("2d").getImageData(0, Math.floor(height / 2), width, 1);
  let n = 0;
  for (let x = 0; x < width; x++) n += data[4 * x] > 128 && data[4 * x + 1] < 128;
  return n;
}"""


def test_the_magnifier_enlarges_what_the_mouse_points_at(shared, tmp_path):
    picture = np.full((300, 400, 3), 255, np.uint8)
    picture[:, 100:110] = [255, 0, 0]
    Image.fromarray(picture).save(tmp_path / "line.png")
    shared.page.set_input_files("#file", tmp_path / "line.png")
    shared.status("No face was found")
    box = shared.page.locator("#picture").bounding_box()
    assert not shared.page.is_visible("#glass")
    shared.page.mouse.move(box["x"] + 0.26 * box["width"], box["y"] + 0.5 * box["height"])
    assert shared.page.is_visible("#glass")
    assert shared.page.evaluate(RED) == pytest.approx(3 * 10 * box["width"] / 400, abs=3)
    shared.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"])
    assert shared.page.evaluate(RED) == 0
    shared.page.mouse.move(5, 5)
    assert not shared.page.is_visible("#glass")


def test_the_magnifier_by_keyboard_and_with_a_finger(shared):
    page, place = shared.page, "document.getElementById('glass').style.left"
    page.click("#samples button")
    shared.status("One face")
    page.focus("#magnify")
    page.keyboard.press("Enter")
    assert page.is_visible("#glass") and page.get_attribute("#magnify", "aria-pressed") == "true"
    shared.shot("magnifier")
    before, scrolled = page.evaluate(place), page.evaluate("scrollY")
    page.keyboard.press("ArrowRight")
    moved = page.evaluate(place)
    assert float(moved[:-2]) > float(before[:-2]) and page.evaluate("scrollY") == scrolled
    page.dispatch_event(
        "#stage", "pointerdown",
        page.evaluate(
            "() => { const r = document.getElementById('picture').getBoundingClientRect();"
            " return {clientX: r.left + r.width / 3, clientY: r.top + r.height / 2,"
            " pointerType: 'touch'}; }"
        ),
    )  # fmt: skip
    assert float(page.evaluate(place)[:-2]) < float(moved[:-2])
    page.focus("#magnify")
    page.keyboard.press("Enter")
    assert not page.is_visible("#glass")


# --- photos --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """Two rendered faces side by side, larger than the page shows them; and their landmarks."""
    path, side = tmp_path_factory.mktemp("photo") / "zwei Gesichter ü.png", 720
    faces = [synthetic.render_face(i, side) for i in (144, 152)]
    picture = np.concatenate([image for image, *_ in faces], axis=1)
    Image.fromarray(picture).save(path)
    points = [(marks[68] + 0.5) * side + [i * side, 0] for i, (_, marks, *_) in enumerate(faces)]
    return path, np.stack(points)


def near(live, photo, act):
    """The faces that the page finds lie where they are."""
    live.page.evaluate(
        """() => { document.addEventListener("landmarks", ({detail}) => {
            window.last = [detail.frame.width, detail.faces.map(f => f.student)]; }); }"""
    )
    act()
    live.status("2 faces")
    width, faces = live.page.evaluate("last")
    faces = sorted(faces, key=lambda points: points[30][0])
    scale = 1440 / width
    assert metrics.nme(np.array(faces) * scale, photo[1], 68).max() < 0.15


def test_a_photo_with_two_faces(shared, photo):
    near(shared, photo, lambda: shared.page.set_input_files("#file", photo[0]))
    shared.shot("photo")
    shared.page.evaluate(
        """() => document.addEventListener("landmarks", ({detail: {faces}}) => {
            window.names = Object.keys(faces[0]).join(); })"""
    )
    shared.page.check("#show-tough")
    shared.page.check("#show-plain")
    shared.page.wait_for_function("window.names === 'student,plain,tough'")
    assert not shared.said


def test_a_photo_that_is_dropped(shared, photo):
    content = base64.b64encode(photo[0].read_bytes()).decode()
    drop = """content => {
      const data = new DataTransfer(), bytes = Uint8Array.from(atob(content), c => c.charCodeAt());
      data.items.add(new File([bytes], "photo.png", {type: "image/png"}));
      for (const kind of ["dragover", "drop"]) {
        document.getElementById("stage").dispatchEvent(
          new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
      }
    }"""
    near(shared, photo, lambda: shared.page.evaluate(drop, content))


def test_what_is_no_picture_is_said(shared, tmp_path):
    (tmp_path / "text.png").write_text("text")
    shared.page.set_input_files("#file", tmp_path / "text.png")
    shared.status("not a picture that the browser can read")
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "empty.png")
    shared.page.set_input_files("#file", tmp_path / "empty.png")
    shared.status("No face was found in this photo")


def test_every_sample_shows_its_face(shared):
    buttons = shared.page.query_selector_all("#samples button")
    assert len(buttons) == len(pictures.SAMPLES)
    for i, button in enumerate(buttons):
        shared.page.evaluate("document.getElementById('status').textContent = ''")
        button.click()
        shared.status("One face")
        assert f"rendered face {i + 1}" in button.inner_html()
        shared.page.wait_for_timeout(50)


def test_the_slider_changes_the_student(shared):
    shared.page.click("#samples button")
    shared.status("One face")
    shared.page.evaluate(
        "document.addEventListener('landmarks', () => window.reads = (window.reads ?? 0) + 1)"
    )
    for value, (bits, file) in enumerate({"32": "fp32", "16": "fp16", "8": "int8"}.items()):
        shared.page.fill("#precision", str(value))
        shared.page.wait_for_function("n => window.reads > n", arg=value)
        assert shared.page.inner_text("#precision-name").startswith(bits)
        assert any(url.endswith(f"student-{file}.onnx") for url in shared.asked)


@pytest.mark.parametrize("later", ["#film", "#camera", "#samples button"])
def test_what_is_begun_later_has_the_page(live, photo, later):
    """A photo is still waiting for a network when something else is chosen."""

    def slowly(route):
        live.page.wait_for_timeout(800)
        route.continue_()

    live.page.set_input_files("#file", photo[0])
    live.status("2 faces")
    live.page.route("**/student-int8.onnx", slowly)
    live.page.fill("#precision", "2")
    live.page.click(later)
    live.page.wait_for_timeout(1500)
    assert "went wrong" not in live.page.inner_text("#status")
    assert "2 faces" not in live.page.inner_text("#status")
    assert not live.said


def test_what_is_transparent_is_white_as_in_python(shared, tmp_path):
    Image.new("RGB", (64, 64), "black").save(tmp_path / "black.png")
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    for name, value in (("black", 0), ("clear", 255)):
        shared.page.set_input_files("#file", tmp_path / f"{name}.png")
        shared.page.wait_for_function(
            "value => document.getElementById('picture').getContext('2d')"
            ".getImageData(5, 5, 1, 1).data[0] === value",
            arg=value,
        )


# --- the same numbers as in Python ---------------------------------------------------------------


@pytest.mark.parametrize("place", [(50.3, 40.2, 61.7), (3.0, 100.0, 90.0), (60.0, 60.0, 20.0)])
def test_crops_are_those_of_python(shared, place):
    """Shrunk, reaching outside, enlarged."""
    image = np.random.default_rng(0).integers(0, 256, (110, 130, 3), np.uint8)
    code = """async ([pixels, [cx, cy, side]]) => {
      const {cut} = await import("./geometry.js"), data = new Uint8ClampedArray(4 * 130 * 110);
      pixels.forEach((value, i) => data[4 * Math.floor(i / 3) + i % 3] = value);
      return [...cut({data, width: 130, height: 110}, {cx, cy, side}, 32)];
    }"""
    found = shared.page.evaluate(code, [image.flatten().tolist(), place])
    expected = crops.cut(image, place, 32).flatten().astype(int)
    assert np.abs(np.array(found) - expected).max() <= 1


def test_strangeness_is_how_far_the_shape_model_moves_a_face(shared):
    about = Exported(zoo.exported("student-kd", DATA)).about["shapes"]
    model = ActiveShapeModel(n_std=about["n_std"])
    model.mean_shape_, model.n_features_in_ = np.array(about["mean"]), 136
    model.components_ = np.array(about["components"])
    model.explained_variance_ = np.array(about["variances"])
    model.n_components_ = len(model.components_)
    rng = np.random.default_rng(1)
    faces = model.mean_shape_.reshape(1, 68, 2) + rng.normal(0, 0.05, (5, 68, 2))
    beyond = 6 * np.sqrt(model.explained_variance_[0]) * model.components_[0]  # to be clamped
    faces[:2] += beyond.reshape(68, 2)
    expected = metrics.nme(soften(model, faces), faces, 68)
    code = """async faces => {
      const {strangeness} = await import("./faces.js");
      const {rules} = await (await fetch("student.json")).json();
      const pixels = p => [200 + 80 * p[0], 100 + 80 * p[1]], crop = {cx: 200, cy: 100, side: 80};
      return faces.map(f => strangeness(f.map(pixels), crop, rules.shapes, rules.eyes));
    }"""
    assert shared.page.evaluate(code, faces.tolist()) == pytest.approx(expected, rel=1e-5)


def test_the_one_euro_filter_is_the_published_one(shared):
    """Against the formulas of its authors, written down once more."""
    rng = np.random.default_rng(2)
    values, seconds, (calm, lively, slope) = rng.normal(size=20).cumsum(), 0.03, (1.5, 6.0, 1.0)

    def share(cutoff):
        tau = 1 / (2 * np.pi * cutoff)
        return 1 / (1 + tau / seconds)

    kept, speed = [values[0]], 0.0
    for value in values[1:]:
        speed += share(slope) * ((value - kept[-1]) / seconds - speed)
        kept.append(kept[-1] + share(calm + lively * abs(speed)) * (value - kept[-1]))
    code = """async ([values, seconds]) => {
      const {OneEuro} = await import("./steady.js"), filter = new OneEuro();
      return values.map(value => filter.filter([[value, -value]], seconds, 1)[0]);
    }"""
    found = shared.page.evaluate(code, [values.tolist(), seconds])
    assert np.array(found) == pytest.approx(np.stack([kept, -np.array(kept)], axis=1))


def test_the_filter_calms_a_still_face_and_follows_a_fast_one(shared):
    rng = np.random.default_rng(3)
    still = rng.normal(0, 0.01, 200)
    moving = np.where(np.arange(200) < 100, 0.0, 1.0)  # one eye distance within a frame
    code = """async values => {
      const {OneEuro} = await import("./steady.js"), filter = new OneEuro();
      return values.map(value => filter.filter([[value, 0]], 1 / 30, 1)[0][0]);
    }"""
    calm = np.array(shared.page.evaluate(code, still.tolist()))
    assert np.diff(calm).std() < 0.4 * np.diff(still).std()
    follows = np.array(shared.page.evaluate(code, moving.tolist()))
    assert follows[103] > 0.9, "a tenth of a second later it is there"


# --- what can be wrong ---------------------------------------------------------------------------


@pytest.fixture
def broken(folder, origin):
    """A copy of the page beside it, to be broken; its name."""
    copy = folder.parent / "broken"
    shutil.copytree(folder, copy)
    yield copy
    shutil.rmtree(copy)


@pytest.mark.parametrize(
    "name", ["student-fp16.onnx", "detector.onnx", "ort-wasm-simd-threaded.wasm"]
)
def test_a_wrong_or_missing_file_is_said(visit, broken, name):
    content = bytearray((broken / name).read_bytes())
    content[len(content) // 2] ^= 1
    (broken / name).write_bytes(content)
    visit("broken/").status(f"{name} is not the file that this page was built with (wrong hash)")
    (broken / name).unlink()
    visit("broken/").status(f"{name} is missing (404)")


def test_a_page_without_its_list_says_so(visit, broken):
    (broken / "student.json").unlink()
    visit("broken/").status("student.json is missing: build the page again")


def test_a_browser_without_simd_is_told(browser, origin):
    context = browser.new_context(service_workers="block")
    context.add_init_script("WebAssembly.validate = () => false;")
    Visit(context, f"{origin}/live/").status("lacks WebAssembly with SIMD")
    context.close()


def test_it_works_without_a_network_after_the_first_visit(visit):
    live = visit(service_workers="allow").ready()
    live.page.wait_for_function("navigator.serviceWorker.controller", timeout=60 * SECOND)
    live.page.context.set_offline(True)
    live.page.reload()
    live.ready()
    live.page.click("#samples button")
    live.status("One face")


# --- for everybody -------------------------------------------------------------------------------


def test_by_keyboard_alone(live):
    page = live.page
    page.click("#stop")
    page.evaluate("document.activeElement.blur()")
    page.focus("#course")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "camera"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    live.status("Following a face")
    assert page.get_attribute("#picture", "aria-label").startswith("Film. ")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    outline = page.evaluate("getComputedStyle(document.querySelector('.button')).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    live.status("Stopped")


CONTRAST = """() => {
  const light = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = e => {
    const c = getComputedStyle(e).backgroundColor;
    return c.startsWith("rgba(0, 0, 0, 0") && e.parentElement ? ground(e.parentElement) : c;
  };
  const found = {};
  for (const e of document.querySelectorAll("h1, p, a, label, legend, button:enabled, span")) {
    if (!e.textContent.trim()) continue;
    const [a, b] = [getComputedStyle(e).color, ground(e)].map(light);
    found[`${e.tagName} ${e.id || e.className} ${e.textContent.trim().slice(0, 20)}`] =
      (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(visit, scheme):
    live = visit(color_scheme=scheme).ready()
    contrast = live.page.evaluate(CONTRAST)
    assert len(contrast) > 20 and any(what.startswith("A course") for what in contrast)
    assert {what: ratio for what, ratio in contrast.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits(visit, width):
    live = visit(viewport={"width": width, "height": 800}).ready()
    live.status("Following a face")
    live.page.wait_for_function("!document.getElementById('errors').hidden")
    live.shot(str(width))
    assert live.page.evaluate("document.documentElement.scrollWidth") <= width
    box = live.page.query_selector("#overlay").bounding_box()
    assert box == live.page.query_selector("#picture").bounding_box(), "landmarks lie on the face"
    stage, controls = (live.page.locator(name).bounding_box() for name in ("#stage", "#controls"))
    if width > 1000:  # side by side, nothing to scroll
        assert controls["x"] >= stage["x"] + stage["width"]
        assert max(box["y"] + box["height"] for box in (stage, controls)) <= 800
    else:
        assert controls["y"] >= stage["y"] + stage["height"] and stage["width"] > 0.9 * width


# --- building ------------------------------------------------------------------------------------


def test_the_page_is_complete_and_says_what_it_is_made_of(folder):
    about = json.loads((folder / "student.json").read_text("utf-8"))
    kinds = [(net["name"], net["precision"]) for net in about["networks"]]
    assert kinds == [("student", "fp32"), ("student", "fp16"), ("student", "int8"),
                     ("plain", "fp16"), ("tough", "fp16")]  # fmt: skip
    assert "student-fp16.onnx" in about["offline"] and "tough-fp16.onnx" not in about["offline"]
    for name in about["offline"]:
        assert (folder / name).is_file()
    assert "@BUILD@" not in (folder / "sw.js").read_text("utf-8")
    assert about["networks"][1]["bytes"] < 5e6 and "MIT" in about["text"]
    assert about["film"]["points"]["url"] in about["offline"]


def test_it_leads_back_to_the_course(shared, folder, tmp_path):
    shared.page.focus("#course")
    link = shared.page.locator("#course")
    assert link.get_attribute("href") == "../book/index.html"
    assert (folder / link.get_attribute("href")).resolve().is_file()
    assert site._course(tmp_path / "page").startswith("https://")


def test_without_npm_a_public_server_gives_the_runtime(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(site, "_networks", lambda *_: iter(
        [("student", "fp16", zoo.exported("student-kd", DATA))]))  # fmt: skip
    monkeypatch.setattr(pictures, "film", lambda _: [folder / "icon.svg"] * 2)
    monkeypatch.setattr(pictures, "samples", lambda _: [])
    monkeypatch.setattr(site.shutil, "which", lambda _: None)
    (note,) = site.build(tmp_path / "page", DATA, cache=tmp_path / "cache")
    assert note == "the page takes onnxruntime-web from a public server, since npm is not here"
    about = json.loads((tmp_path / "page" / "student.json").read_text("utf-8"))
    lock = json.loads((site.WEB / "package-lock.json").read_text("utf-8"))
    version = lock["packages"]["node_modules/onnxruntime-web"]["version"]
    for kind, (name, sha256) in site.RUNTIME.items():
        url = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{version}/dist/{name}"
        assert about["runtime"][kind] == {"url": url, "sha256": sha256}
        assert url in about["offline"] and not (tmp_path / "page" / name).exists()


def test_the_lock_file_names_no_registry():
    lock = (site.WEB / "package-lock.json").read_text("utf-8")
    assert "resolved" not in lock and "integrity" in lock


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not empty and holds no live page"):
        site.build(tmp_path / "mine", DATA, cache=tmp_path / "cache")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


# --- minutes -------------------------------------------------------------------------------------


#: Median milliseconds of each step of a frame.
COST = """async names => {
  const {cut} = await import("./geometry.js"), found = {};
  const ort = await import("./ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = 1;
  const measure = async (name, act) => {
    const times = [];
    for (let i = 0; i < 50; i++) {
      const began = performance.now();
      await act();
      times.push(performance.now() - began);
    }
    found[name] = times.sort((a, b) => a - b)[25];
  };
  const frame = {data: new Uint8ClampedArray(4 * 640 * 480), width: 640, height: 480};
  for (const side of [150, 400]) {
    await measure(`crop of ${side} px`, () => cut(frame, {cx: 320, cy: 240, side}, 112));
  }
  for (const [name, input, size] of names) {
    const session = await ort.InferenceSession.create(name, {executionProviders: ["wasm"]});
    const pixels = cut(frame, {cx: 320, cy: 240, side: 250}, size);
    await measure(`${name} at ${size} px`, () =>
      session.run({[input]: new ort.Tensor("uint8", pixels, [1, size, size, 3])}));
  }
  return found;
}"""


@pytest.mark.long
def test_the_whole_page_and_what_a_frame_costs(browser, tmp_path):
    """With the real networks in all precisions; prints the times that notebook 07 names."""
    assert site.build(tmp_path / "page", DATA, cache=tmp_path / "cache") == []
    with serve.server(tmp_path / "page") as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        context = browser.new_context(service_workers="block")
        live = Visit(context, f"http://127.0.0.1:{running.server_port}/").ready()
        about = json.loads((tmp_path / "page" / "student.json").read_text("utf-8"))
        nets = [[net["url"], "crops", net["size"]] for net in about["networks"]]
        taken = live.page.evaluate(COST, [*nets, ["detector.onnx", "pixels", 160]])
        print(f"Chromium {browser.version}:", {name: f"{ms:.1f} ms" for name, ms in taken.items()})
        live.page.check("#show-tough")
        live.page.check("#show-plain")
        for value in range(3):
            live.page.fill("#precision", str(value))
            live.page.click("#samples button")
            live.status("One face")
        assert not live.said
        context.close()
        running.shutdown()


#: Megabytes after the garbage is gone; what the current frame holds comes and goes.
HEAP = """async () => {
  await new Promise(resolve => setTimeout(resolve, 60));
  gc();
  return performance.memory.usedJSHeapSize / 1e6;
}"""


@pytest.mark.long
def test_memory_stays_flat_over_a_thousand_frames(live):
    live.page.evaluate("window.n = 0; document.addEventListener('landmarks', () => window.n += 1)")
    live.page.click("#camera")
    heap = []
    for n in (200, 600, 1200):
        live.page.wait_for_function("n => window.n >= n", arg=n, timeout=300 * SECOND)
        heap.append(min(live.page.evaluate(HEAP) for _ in range(15)))
    print("MB after 200, 600, 1200 frames:", [f"{mb:.1f}" for mb in heap],
          live.page.inner_text("#numbers"))  # fmt: skip
    assert heap[2] - heap[0] < 5
