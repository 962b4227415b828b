"""The arithmetic of the live figures: JavaScript and Python say the same numbers."""

import base64
import json
import shutil
import subprocess
from dataclasses import asdict

import numpy as np
import pytest
import torch
from scipy import stats

from kdnotes import asm, losses
from kdnotes.data import schemes
from kdnotes.plots import live

SETTINGS = {"PAPER": losses.PAPER, "RELEASED": losses.RELEASED}
TERMS = ("total", "main", "tough", "tolerant")
#: A stand-in for the widget whose state is the data.
MODEL = "({get: name => x[name]})"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def in_node(module, expression, data):
    """The value of a JavaScript expression; `m` is a module of the live figures, `x` the data."""
    source = base64.b64encode(live.bundle(module).encode()).decode()
    script = (
        f"import * as m from 'data:text/javascript;base64,{source}';"
        "import fs from 'node:fs';"
        "const x = JSON.parse(fs.readFileSync(0, 'utf8'));"
        f"process.stdout.write(JSON.stringify({expression}));"
    )
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, input=json.dumps(data), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def equal(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def in_python(cases, settings):
    pred, target, tough, tolerant = torch.tensor(cases, dtype=torch.float64).T[..., None]
    terms = losses.kd_loss(pred, target, tough, tolerant, settings=settings, reduction="none")
    slopes = losses.kd_loss_grad(pred, target, tough, tolerant, settings=settings, reduction="none")
    found = {}
    for name, how in (("tough", settings.tough), ("tolerant", settings.tolerant)):
        teacher = {"tough": tough, "tolerant": tolerant}[name]
        regions = losses.region(
            pred, target, teacher, beta=how.beta, low_influence=how.low_influence
        )
        found[name] = regions[:, 0].tolist()
    return (
        np.stack([getattr(terms, name)[:, 0] for name in TERMS], axis=1),
        np.stack([getattr(slopes, name)[:, 0] for name in TERMS], axis=1),
        found,
    )


def compare(cases, settings):
    data = {"cases": np.asarray(cases).tolist(), "settings": asdict(settings)}
    found = in_node("kd", "x.cases.map(c => m.kdLoss(...c, x.settings))", data)
    values, slopes, regions = in_python(cases, settings)
    for key, expected in (("terms", values), ("slopes", slopes)):
        js = [[case[key][name] for name in TERMS] for case in found]
        equal(js, expected)
    for name in ("tough", "tolerant"):
        assert [case["regions"][name] for case in found] == regions[name]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_loss_of_one_coordinate(name):
    """Random places; none is at a jump."""
    compare(np.random.default_rng(0).uniform(-1.5, 1.5, (2000, 4)), SETTINGS[name])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_border_with_numbers_that_are_exact(name):
    """u = 0, b, t, τ and their neighbours, t = 0 too; β is a power of two, so b is exact."""
    settings = SETTINGS[name].assisting(beta=0.25)
    grid = [-1.0, -0.5, -0.25, -0.125, 0.0, 0.125, 0.25, 0.5, 0.75, 1.0]
    cases = [(p, g, a, b) for p in grid for g in (0.0, 0.25) for a in grid for b in grid[::3]]
    compare(cases, settings)


def test_numbers_are_written_alike():
    """Halves are rounded up, and minus is a real minus sign."""
    values = [
        12.5,
        -0.5,
        -0.004,
        0.004,
        1.005,
        -2.5,
        0.0,
        *np.random.default_rng(0).normal(size=50),
    ]
    for digits in range(4):
        found = in_node(
            "stage", f"x.map(v => [m.number(v, {digits}), m.number(v, {digits}, true)])", values
        )
        assert found == [[live.number(v, digits), live.number(v, digits, True)] for v in values]
    assert [live.number(v, 0) for v in values[:3]] == ["13", "−1", "0"]


@pytest.mark.parametrize("name", SETTINGS)
def test_one_coordinate_with_changed_constants(name):
    figure = live.OneCoordinate(released=True)
    figure.setting = name
    rng, states, expected = np.random.default_rng(1), [], []
    for _ in range(50):
        for trait in ("pred", "target", "tough", "tolerant"):
            setattr(figure, trait, rng.uniform(-1, 1))
        for trait in ("alpha_positive", "alpha_negative", "beta", "main_weight"):
            setattr(figure, trait, rng.uniform(0.1, 2))
        states.append(figure.state())
        expected.append(figure.says())
    here = "m.words(m.lossHere({get: name => s[name]}))"
    found = in_node("coordinate", f"x.map(s => {here})", states)
    assert [text.split(". Tough")[0] for text in found] == expected


@pytest.mark.parametrize("name", SETTINGS)
def test_the_pull_in_the_plane_and_mirrored_teachers(name):
    figure = live.Plane(released=True)
    figure.setting = name
    for trait in ("pred_x", "pred_y", "tough_x", "tough_y", "tolerant_x", "tolerant_y"):
        setattr(figure, trait, float(np.random.default_rng(ord(trait[-1])).uniform(-0.6, 0.6)))
    places = "...['tough', 'tolerant'].map(n => [x[n + '_x'], x[n + '_y']])"
    settings = "x.settings[x.setting]"
    pull = f"m.pull([x.pred_x, x.pred_y], {places}, {settings})"
    equal(in_node("plane", pull, figure.state()), figure.pull()[0])
    assert in_node("plane", f"m.changeByMirror({places}, {settings})", figure.state()) == 0


@pytest.mark.parametrize("released", [False, True])
def test_the_race(released):
    """All trails, against the gradients of `losses`."""
    figure = live.Plane(released=released)
    found = in_node("plane", f"m.race({MODEL})", figure.state())
    start, tough, tolerant = (
        torch.tensor([[getattr(figure, f"{name}_{axis}") for axis in "xy"]], dtype=torch.float64)
        for name in ("pred", "tough", "tolerant")
    )
    truth = torch.zeros_like(start)

    def slope_of(loss, target):
        def slope(p):
            p = p.clone().requires_grad_()
            return torch.autograd.grad(loss(p, target, reduction="none").sum(), p)[0]

        return slope

    def kd(settings):
        return lambda p: (
            losses.kd_loss_grad(
                p, truth, tough, tolerant, settings=settings, reduction="none"
            ).total
        )

    slopes = {
        "L2": slope_of(losses.l2, truth),
        "L1": slope_of(losses.l1, truth),
        "KD-Loss, PAPER": kd(losses.PAPER),
        "L1 to the Tough teacher": slope_of(losses.l1, tough),
    }
    if released:
        slopes["KD-Loss, RELEASED"] = kd(losses.RELEASED)
    assert set(found) == set(slopes) == set(figure.race())
    for name, way in figure.race().items():  # what the still shows
        equal(found[name], way)
    rate = np.linalg.norm(np.subtract(*found["L1"][:2])) / np.sqrt(2)
    for name, slope in slopes.items():
        p = start.clone()
        for place in found[name][:40]:
            equal(place, p[0])
            p = p - rate * slope(p)


@pytest.fixture(scope="module")
def shapes():
    """Faces and a model of them."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(6, 136)) * np.geomspace(0.1, 0.01, 6)[:, None]
    faces = rng.normal(size=136) * 0.2 + rng.normal(size=(60, 6)) @ basis
    return faces, asm.fit_shapes(faces.reshape(-1, 68, 2), 68, variance=0.97)


def written(model):
    return {"mean": model.mean_shape_.tolist(), "components": model.components_.tolist(),
            "variances": model.explained_variance_.tolist(), "n_std": model.n_std}  # fmt: skip


def test_the_shape_model(shapes):
    faces, model = shapes
    faces = np.concatenate([faces[:5], 4 * faces[5:10]])  # the last are at the wall
    data = {"model": written(model), "faces": faces.tolist()}
    equal(
        in_node("shapes", "x.faces.map(f => m.coefficients(x.model, f))", data),
        model.coefficients(faces),
    )
    equal(in_node("shapes", "x.faces.map(f => m.soften(x.model, f))", data), model.transform(faces))
    b = np.random.default_rng(1).normal(size=model.n_components_)
    equal(in_node("shapes", "m.shape(x.model, x.b)", data | {"b": b.tolist()}), model.shape(b))


def test_a_dragged_landmark(shapes):
    """Near by it arrives, and the change is the likeliest that brings it there; far off it stops at
    the wall."""
    _, model = shapes
    data = {"model": written(model), "b": [0.0] * model.n_components_}
    near = model.mean_shape_.reshape(-1, 2)[30] + [0.004, -0.003]
    drag = f"m.dragged(x.model, x.b, 30, {near[0]}, {near[1]}, 0)"
    b = np.array(in_node("shapes", drag, data))
    equal(model.shape(b).reshape(-1, 2)[30], near)
    rows = model.components_[:, 60:62].T * np.sqrt(model.explained_variance_)  # (2, k), whitened
    least = np.linalg.lstsq(rows, near - model.mean_shape_.reshape(-1, 2)[30], rcond=None)[0]
    equal(b, least * np.sqrt(model.explained_variance_))
    far = np.array(in_node("shapes", "m.dragged(x.model, x.b, 30, 50, 50)", data))
    walls = model.n_std * np.sqrt(model.explained_variance_)
    assert (np.abs(far) <= walls + 1e-12).all() and np.isclose(np.abs(far), walls).any()


def test_the_figure_of_the_shape_model(shapes):
    faces, model = shapes
    figure = live.ShapeModes(model, schemes.get(68), {"face 1": faces[0].reshape(68, 2)})
    figure.share = "80 %"
    for face in ("none", "face 1"):
        figure.face = face
        figure.b = np.random.default_rng(2).normal(size=model.n_components_).tolist()
        found = in_node("modes", f"m.used({MODEL})", figure.state())
        np.testing.assert_allclose(found, figure.used(), rtol=0, atol=1e-6)  # digits that travel
        assert (np.array(found)[figure.counts["80 %"] :] == 0).all()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("teacher", ["tough", "tolerant"])
def test_a_face_that_learns(setting, teacher):
    rng = np.random.default_rng(3)
    names = ("mean", "hard", "tough", "tolerant")
    figure = live.FaceLearns(
        np.zeros((8, 8, 3), np.uint8), {name: rng.normal(size=(68, 2)) for name in names},
        schemes.get(68), {"KD": rng.normal(size=(5, 68, 2))}, released=True,
    )  # fmt: skip
    figure.setting, figure.teacher = setting, teacher
    for figure.way, figure.position in (("mean shape to truth", 0.3), ("KD", 0.6), ("KD", 1.0)):
        found = in_node("face", f"m.state({MODEL})", figure.state())
        pred = figure.prediction()
        equal(np.reshape(found["pred"], (-1, 2)), pred)
        hard, tough, tolerant = (
            torch.tensor(getattr(figure, name), dtype=torch.float64).reshape(-1, 2)
            for name in names[1:]
        )
        slope = losses.kd_loss_grad(
            torch.tensor(pred), hard, tough, tolerant, settings=SETTINGS[setting], reduction="none"
        ).total
        equal(np.reshape(found["pull"], (-1, 2)), -slope)
        shares = figure.shares()
        counts = np.bincount(found["regions"], minlength=4)
        equal(
            counts[[losses.NONE, losses.POSITIVE, losses.NEGATIVE, losses.LOW]] / 136,
            [*shares.values()],
        )


def test_soft_classes_and_their_entropy():
    logits, temperature = np.random.default_rng(4).normal(size=10) * 5, 2.5
    data = {"z": logits.tolist()}
    expected = torch.softmax(torch.tensor(logits) / temperature, 0).numpy()
    equal(in_node("temperature", f"m.softened(x.z, {temperature})", data), expected)
    found = in_node("temperature", f"m.entropy(m.softened(x.z, {temperature}))", data)
    equal(found, stats.entropy(expected, base=2))


@pytest.mark.parametrize("method", ["range of the seeds", "Student's t"])
def test_experiments_and_their_intervals(method):
    figure = live.SeedsAndPeople({"seed_sd": 2.0, "person_sd": 12.0}, n_seeds=3, n_people=7)
    figure.method, figure.drawn, figure.draw = method, 50, 4_000_000_000
    found = in_node("seeds", f"m.repetitions({MODEL})", figure.state())
    equal(
        [one["ends"][1:] for one in found],
        [figure.interval(*drawn) for drawn in figure.experiments()],
    )
    held = sum(low <= figure.truth <= high for _, low, high in (one["ends"] for one in found))
    assert held == figure.held()
    everybody = np.concatenate([seeds for seeds, _ in figure.experiments()])
    assert abs(everybody.mean() - figure.truth) < 4 * 2 / np.sqrt(len(everybody))
    assert 1.6 < everybody.std() < 2.4
