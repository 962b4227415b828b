"""What each precision costs: the numbers are what they say, the page of results agrees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from kdnotes import metrics, models
from kdnotes.evaluation import cost, report
from kdnotes.research import on_device

pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")

NAME = "on-device-youtube-faces"
PAGE = report.results_page(Path(__file__).parents[1])


def test_drift_is_measured_in_eye_distances():
    expected = np.random.default_rng(0).normal(size=(3, 68, 2))
    eyes = np.linalg.norm(expected[:, 36] - expected[:, 45], axis=-1)
    found = expected.copy()
    found[1, 5] += np.array([0.3, 0.4]) * eyes[1]
    moved = on_device.drift(found, expected, 68)
    assert moved["most"] == pytest.approx(0.5) and moved["drift"] == pytest.approx(0.5 / (3 * 68))
    assert moved["drift95"] == 0


def test_ways_take_turns_and_threads_are_given_back():
    threads, order = torch.get_num_threads(), []
    taken = cost.taking_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 8 and set(taken) == {"a", "b"}
    assert torch.get_num_threads() == threads


@pytest.mark.long
def test_a_network_measured_is_the_network_itself(small_faces, tmp_path):
    net = models.create("mobilenetv2_050", 68, size=32).eval()
    rows = {row["runs as"]: row for row in on_device.of_network(net, small_faces, tmp_path)}
    assert list(rows) == ["PyTorch", "fp32", "fp16", "int8"]
    validation = small_faces.split("validation")
    seen = on_device.plain_crops(validation, net.config)
    zoom = validation.zoom(net.config.crop_margin)
    errors = metrics.nme(net.read(seen) / zoom, validation.landmarks, 68)
    assert rows["PyTorch"]["nme"] == pytest.approx(errors.mean())
    assert rows["fp32"]["drift"] < 1e-5 < rows["int8"]["drift"]
    blocks = on_device.sensitivity(net, small_faces, tmp_path)
    assert {"conv_stem", "head"} < set(blocks) and all(b["most"] > 0 for b in blocks.values())


def test_the_page_of_results_shows_the_stored_ones():
    found, text = report.read(report.stored(NAME)), PAGE.read_text("utf-8")
    assert report.insert(text, NAME, on_device.section(found)) == text


def test_what_ships_is_small_exact_and_fast():
    """Of the stored measurement: its goals."""
    rows = report.read(report.stored(NAME))["networks"]["student-kd"]["rows"]
    rows = {row["runs as"]: row for row in rows}
    assert rows["fp16"]["bytes"] < 5e6
    assert abs(rows["fp16"]["nme"] - rows["PyTorch"]["nme"]) < 0.0002
    assert rows["PyTorch"]["milliseconds"] > 3 * rows["fp16"]["milliseconds"]
