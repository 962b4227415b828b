"""The live figures: what they hand to a notebook and to a page, and their modules."""

import base64
import copy
import io
import json
import re
from pathlib import Path

import live_samples
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from traitlets import TraitError

import kdnotes
from kdnotes.course import recipes
from kdnotes.data.schemes import Scheme
from kdnotes.plots import live
from kdnotes.research import learning

LIVE = Path(kdnotes.__file__).parent / "plots" / "live"
SHARED = {"stage", "standin", "kd", "shapes", "picture"}
#: Of `kdnotes.own`, see test_labelling.
OTHERS = {"labelling", "scheme"}
MODULES = sorted(path.stem for path in LIVE.glob("*.js") if path.stem not in SHARED | OTHERS)


@pytest.fixture(scope="module")
def figures():
    return live_samples.make()


@pytest.fixture(params=MODULES)
def figure(request, figures):
    return figures[request.param]


def test_there_are_seven():
    assert len(MODULES) == 7


def test_a_notebook_gets_widget_still_and_state(figure):
    data, metadata = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("L")
    assert np.ptp(np.asarray(picture, dtype=int)) > 100 and picture.width >= 300
    assert metadata["image/png"]["alt"] == data["text/plain"] == figure.alt
    assert 40 < len(figure.alt) < 300
    assert json.loads(data[live.MIME]) == {"module": figure.module, "state": figure.state()}


def test_the_still_shows_the_state(figure):
    """Another state, another picture."""
    changed = {
        "coordinate": {"tough": -0.8}, "plane": {"tough_x": -0.1}, "seeds": {"draw": 7},
        "modes": {"face": "face 1"}, "face": {"position": 0.1}, "failures": {"rank": 0},
        "temperature": {"temperature": 9},
    }[figure.module]  # fmt: skip
    before, said = pixels_of(figure), figure.says()
    kept = {name: getattr(figure, name) for name in changed}
    for values in (changed, kept):
        for name, value in values.items():
            setattr(figure, name, value)
        if values is changed:
            assert not np.array_equal(before, pixels_of(figure))
            assert figure.module in ("coordinate", "plane") or figure.says() != said


def pixels_of(figure):
    canvas = FigureCanvasAgg(figure.still())
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_bundles_need_no_other_file_and_define_no_name_twice(figure):
    source = live.bundle(figure.module)
    assert not re.search(r"^\s*import\b|\bimport\s*\(|https?://(?!www\.w3\.org/)", source, re.M)
    assert re.search(r"^export default \{ render \};$", source, re.M)
    script = live.page(figure.module, {}, "here")
    defined = re.findall(r"^(?:function|class|const|let) (\w+)", script, re.M)
    assert len(defined) == len(set(defined)) > 10
    assert len(source) < 30_000


def test_a_page_is_whole_and_cannot_be_closed_by_its_state():
    state = {"name": "</script><b>", "other": "<!--<script>", "x": 1}
    page = live.page("temperature", state, "here")
    assert page.count("</script>") == page.count("<script") == 1 and "<!--" not in page
    assert page.count('id="here"') == 1
    assert "import " not in page and "export " not in page


def test_faces_of_any_scheme():
    """One without an eye and a mouth has no enlarged parts; an eye may be a single point."""
    shapes = {name: np.zeros((5, 2)) for name in ("mean", "hard", "tough", "tolerant")}
    figure = live.FaceLearns(np.zeros((8, 8, 3), np.uint8), shapes, Scheme(5))
    assert figure.insets == [] and figure.still()
    assert "0.00 %" in figure.says()
    one_eyed = Scheme(5, groups={"eye_left": (0,), "mouth": (1, 2, 3, 4)})
    assert live.FaceLearns(figure.pixels, shapes, one_eyed).insets == [[0], [1, 2, 3, 4]]


def test_the_released_setting_is_there_for_those_who_know_it():
    for make in (live.OneCoordinate, live.Plane):
        assert set(make().state()["settings"]) == {"PAPER"}
        assert set(make(released=True).state()["settings"]) == {"PAPER", "RELEASED"}


def test_what_is_no_finite_number_is_refused():
    figure = live.OneCoordinate()
    with pytest.raises(TraitError, match="finite"):
        figure.pred = float("nan")
    assert figure.pred == 0.6
    shapes = {name: np.zeros((68, 2)) for name in ("mean", "hard", "tough", "tolerant")}
    with pytest.raises(ValueError, match="one shape"):
        live.FaceLearns(
            np.zeros((8, 8, 3), np.uint8), shapes, Scheme(68), {"KD": np.zeros((1, 68, 2))}
        )


def test_a_photograph_is_not_kept(small_faces, tmp_path):
    """The study of how a face is learnt takes rendered faces alone."""
    faces = copy.copy(small_faces)
    faces.meta = faces.meta | {"rendered": False}
    course = recipes.Course(None, faces, tmp_path)
    with pytest.raises(ValueError, match="shows people"):
        learning.run(course)
