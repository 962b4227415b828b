"""The networks that ship: how they are trained, centred and put into the zoo."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from kdnotes import training
from kdnotes.commands import app
from kdnotes.course import recipes
from kdnotes.models import inference, zoo
from kdnotes.research import long_run, studies

TINY = {"network": "mobilenetv3_small_050", "learning_rate": 2e-3}


@pytest.fixture
def short(monkeypatch, tmp_path):
    """One epoch each, networks that learn nothing, an empty zoo."""
    nets = {
        name: replace(how, epochs=1, size=32 if how.size < 128 else 40, n_views=2, **TINY)
        for name, how in long_run.PHOTOGRAPHS.items()
    }
    monkeypatch.setattr(long_run, "PHOTOGRAPHS", nets)
    monkeypatch.setattr(long_run, "FIRST", replace(long_run.FIRST, epochs=1, size=32, **TINY))
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "index.json").write_text("{}")
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path))
    return tmp_path


def course_of(faces):
    return recipes.open_course("quick", faces.path, progress=False)


@pytest.mark.parametrize("nets", [long_run.PHOTOGRAPHS, long_run.HAND_MADE, long_run.EMBEDDED])
def test_students_differ_in_the_loss_alone_and_teachers_see_more(nets):
    assert replace(nets["student-kd"], loss="l1") == nets["student-plain"]
    assert nets["tough"].size == nets["tolerant"].size > nets["student-kd"].size
    assert nets["tough"].network == nets["tolerant"].network != nets["student-kd"].network
    for how in nets.values():
        if how.start:
            start = (long_run.PHOTOGRAPHS if how.start_data else nets)[how.start]
            assert start.network == how.network
    assert [name for name, how in nets.items() if how.targets == "soft"] == ["tolerant"]


def test_the_side_of_the_labels_is_measured(short, small_faces, monkeypatch):
    course = course_of(small_faces)
    before = long_run.shift_of_labels(course)
    moved = small_faces.split("train")
    moved.landmarks = moved.landmarks + np.float32([0.03, 0.02])
    splits = {"train": moved, "validation": small_faces.split("validation")}
    monkeypatch.setattr(recipes.Course, "split", lambda self, name: splits[name])
    after = long_run.shift_of_labels(replace(course, folder=short / "moved"))
    assert before[1] == after[1] == 0
    assert after[0] - before[0] == pytest.approx(0.03, abs=0.004)


def test_rendered_labels_lie_to_no_side(short, small_faces):
    course = course_of(small_faces)
    course.faces.meta = course.faces.meta | {"name": "synthetic", "rendered": True}
    assert not long_run.shift_of_labels(course).any() and not (short / "long-run").exists()


def test_a_shift_goes_into_the_bias(short, small_faces):
    course = course_of(small_faces)
    net = recipes.new_network(course, "mobilenetv3_small_050", 32).eval()
    faces = course.split("validation")
    before = inference.predict(net, faces)
    after = inference.predict(long_run.shifted(net, np.array([0.02, -0.01]), course.zoom), faces)
    assert np.allclose(after - before, [0.02, -0.01], atol=1e-5)


def test_a_network_is_trained_shipped_and_goes_on_from_what_ships(
    short, small_faces, capsys, monkeypatch
):
    with pytest.raises(SystemExit) as stopped:
        app.main(["long-run", "tough", "--data", str(small_faces.path), "--ship"])
    assert not stopped.value.code
    assert "tough--drawn.safetensors" in capsys.readouterr().out
    card = zoo.load("tough", "drawn").card
    assert {"data", "labels", "split", "command", "seed", "scores", "use", "licence"} <= set(card)
    assert set(card["scores"]) == {"train", "validation", "test"}
    json.dumps(card)
    course = course_of(small_faces)
    net, _ = long_run.train(course, "tough")
    shift = long_run.shift_of_labels(course)
    as_shipped = zoo.load("tough", "drawn").head.bias
    added = as_shipped.detach().view(-1, 2) - net.head.bias.detach().view(-1, 2)
    assert added.numpy() == pytest.approx(np.tile(shift * course.zoom, (68, 1)), abs=1e-3)

    elsewhere = replace(course, folder=short / "elsewhere")
    trained, fit = [], long_run._fit

    def noted(course, name, *more):
        trained.append(name)
        return fit(course, name, *more)

    monkeypatch.setattr(long_run, "_fit", noted)
    long_run.train(elsewhere, "student-kd")
    assert "tough" not in trained and {"tolerant", "student-kd"} <= set(trained)
    long_run.ship(elsewhere, "tolerant")
    scores = zoo.load("tolerant", "drawn").card["scores"]
    assert "validation, against soft landmarks" in scores
    assert torch.isfinite(zoo.load("tolerant", "drawn").head.bias).all()


def test_an_unknown_long_run_is_named(short, small_faces, capsys):
    with pytest.raises(SystemExit):
        app.main(["long-run", "studnet", "--data", str(small_faces.path)])
    assert "student-kd" in capsys.readouterr().err


def test_a_plan_starts_with_a_network_that_ships(short, small_faces, monkeypatch):
    course = course_of(small_faces)
    course.faces.meta = course.faces.meta | {"name": "300w"}
    assert long_run.plan(course, "tough") == long_run.HAND_MADE["tough"]
    asked, net = [], recipes.new_network(course, "mobilenetv3_small_050", 32, head="heatmap")
    net.card = {"labels_moved_by": [0.01, -0.02], "data": {"stored_margin": 2.6}}
    monkeypatch.setattr(zoo, "load", lambda *network: asked.append(network) or net)
    start = long_run._start(course, long_run.HAND_MADE["student-kd"])
    assert asked == [("student-plain", zoo.PHOTOGRAPHS)]
    assert start.head.bias.view(-1, 2)[0].tolist() == pytest.approx([0.02, -0.04])


def test_another_network_is_nothing_to_start_with(small_faces, tmp_path):
    course = course_of(small_faces)
    start = recipes.new_network(course, "mobilenetv3_small_050", 32)
    config = training.TrainConfig("l1", 1)
    with pytest.raises(ValueError, match=r"with a linear head; expected .* with a heatmap head"):
        studies.train(
            course, "mobilenetv3_small_050", 32, config, tmp_path, head="heatmap", start=start
        )


@pytest.mark.parametrize(
    ("data", "weights"),
    [("MIT", "MIT, like"), ("CC BY 4.0", "MIT, like"), ("academic use", "for research only"),
     ("research use only, no redistribution", "for research only"), ("", "for research only")],
)  # fmt: skip
def test_the_licence_of_weights_follows_that_of_the_faces(data, weights):
    text = long_run.licence(SimpleNamespace(rendered=False, meta={"licence": data}))
    assert text.startswith(f"The weights are {weights}") and (data or "not known") in text


def test_weights_from_rendered_faces_are_free():
    text = long_run.licence(SimpleNamespace(rendered=True, meta={}))
    assert text.startswith("The weights are MIT") and "rendered" in text
