"""The benchmark: it times what it says, and its ratios are those of the rounds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kdnotes import models, training
from kdnotes.course import profiles
from kdnotes.evaluation import cost
from kdnotes.research import bench, steps, teacher_search, view_count
from kdnotes.training.schedule import Average

STEP = "step, teachers' landmarks stored"


def test_ratios_are_taken_within_each_round():
    """A machine that is twice as slow in one round changes no ratio."""
    slow = np.array([1.0, 2.0, 1.0])
    times = {"student alone": 0.8 * slow, STEP: slow, "naive loop": np.array([3.0, 6.0, 5.0])}
    result = bench.Result(times, {"batch": 10})
    assert result.ratio(STEP, "student alone") == pytest.approx((0.8, 0.8, 0.8))
    assert result.ratio(STEP, "naive loop") == pytest.approx((3.0, 3.0, 5.0))
    assert result.rate(STEP) == 10.0


def test_works_are_interleaved():
    order = []
    works = {name: lambda name=name: order.append(name) for name in "abc"}
    times = cost.interleave(works, 2)
    assert "".join(order) == "abcabcabc", "one round to warm up, then two"
    assert all(found.shape == (2,) and (found > 0).all() for found in times.values())


@pytest.fixture(scope="module")
def result():
    return bench.run(profiles.get("tiny"), batch=4, repeats=2, progress=False)


def test_everything_is_timed(result):
    assert all(found.shape == (2,) and (found > 0).all() for found in result.times.values())
    found = json.loads(json.dumps(result.json()))
    assert found["profile"] == "tiny" and found["batch"] == 4 and found["threads"] >= 1
    assert found["seconds"].keys() == result.times.keys()
    text = result.text()
    for name in result.times:
        assert name in text
    for words in ("of the student alone", "times asking", "naive loop:", "2 rounds", "batch 4"):
        assert words in text
    assert "paper's schedule" not in text


def test_a_switch_changes_its_own_step_alone(tmp_path, monkeypatch):
    setting = steps.Setting(profiles.get("tiny"), 4, tmp_path, progress=False)
    clipped, averaged, layouts = [], [], []
    monkeypatch.setattr(training.step, "clip", lambda net, norm: clipped.append(norm))
    monkeypatch.setattr(Average, "update", lambda self, step: averaged.append(step))
    descend = training.descend

    def listen(net, batch, *args, **options):
        weight = net.backbone.conv_stem.weight
        layouts.append(weight.is_contiguous(memory_format=torch.channels_last))
        return descend(net, batch, *args, **options)

    monkeypatch.setattr(steps.training, "descend", listen)
    for switch, expected in (
        ({}, (1, 1, True)),
        ({"clip": None}, (0, 1, True)),
        ({"average": False}, (1, 0, True)),
        ({"channels_last": False}, (1, 1, False)),
    ):
        for found in (clipped, averaged, layouts):
            found.clear()
        setting.step(setting.cache, **switch)()
        assert (len(clipped), len(averaged), *layouts) == expected, switch
    assert not any(p.grad is not None for p in setting.net.parameters()), "each has its own student"
    dtypes = []

    def listen_to_type(net, batch, *args, **options):
        net.backbone.conv_stem.register_forward_hook(
            lambda module, args, out: dtypes.append(out.dtype)
        )
        return descend(net, batch, *args, **options)

    monkeypatch.setattr(steps.training, "descend", listen_to_type)
    for switch in (False, True):
        setting.step(setting.cache, other_precision=switch)()
    assert len(set(dtypes)) == 2 and torch.float32 in dtypes


def test_training_memory_is_what_a_backward_pass_keeps():
    """Of one convolution and one linear layer: their inputs, and what ReLU keeps, the output."""

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.config = models.NetConfig("none", 1, size=8)
            self.conv = torch.nn.Conv2d(3, 4, 3, bias=False)
            self.head = torch.nn.Linear(4 * 36, 2)

        def forward(self, images):
            return self.head(self.conv(images).relu().flatten(1))

    numbers = 5 * (3 * 4 * 9 + 2 * 145)
    for batch in (1, 10):
        expected = 4 * (numbers + batch * (3 * 64 + 4 * 36))
        assert bench.training_memory(Plain(), batch) == expected
    small, large = (
        bench.training_memory(net, 8) - bench.training_memory(net, 0)
        for net in (models.create("mobilenetv3_small_050", 68, size=size) for size in (64, 128))
    )
    assert large == pytest.approx(4 * small, rel=0.2), "four times the pixels"
    with pytest.raises(ValueError, match="a frozen network keeps nothing"):
        bench.training_memory(models.freeze(Plain()), 8)


def test_every_arm_of_the_experiments_can_be_trained(trained_course, tmp_path, monkeypatch):
    """On drawn faces, in the profile tiny; the figures that the course shows are long runs."""
    course = replace(trained_course[0], folder=tmp_path / "runs")
    monkeypatch.setattr(view_count, "ARMS", (1, 0))
    found = view_count.run(course, seeds=(0,))
    assert [row["n_views"] for row in found["rows"]] == [1, 0]
    assert all(0 < row["nme"] < 1 and row["training"] > 0 for row in found["rows"])
    small = {"network": "mobilenetv3_small_050", "size": 32, "epochs": 1}
    arms = {"a": teacher_search.Arm(**small), "b": teacher_search.Arm(**small, embedded_first=True)}
    monkeypatch.setattr(teacher_search, "ARMS", arms)
    monkeypatch.setattr(teacher_search.recipes, "embedded_faces", lambda profile: course.faces)
    found = teacher_search.run(course, tmp_path / "search", ("a", "b"))
    assert [row["arm"] for row in found["rows"]] == ["a", "b"]
    one, two = found["rows"]
    assert one["validation"] != two["validation"] and one["gain"] == 0
    assert two["gain"] == pytest.approx(1 - two["validation"] / one["validation"])
    again = teacher_search.run(course, tmp_path / "search", ("a", "b"))
    for one, two in zip(again["rows"], found["rows"], strict=True):
        assert one["seconds"] == two["seconds"], "what was trained before is found again"
        assert one["validation"] == pytest.approx(two["validation"], rel=1e-5)
    changed = {"a": teacher_search.Arm(**small | {"epochs": 2})}
    monkeypatch.setattr(teacher_search, "ARMS", changed)
    with pytest.raises(ValueError, match="another config"):
        teacher_search.run(course, tmp_path / "search", ("a",))
