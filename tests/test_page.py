"""What is told of a network: groups of faces, moved crops, costs, and the page of all of it."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from small_networks import Student

from kdnotes import metrics, models, plots
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.evaluation import breakdown, cost, jitter, page, report
from kdnotes.models import inference
from kdnotes.views import STILL


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Eight faces of four people of which everything is known: turn, tone, a subset, visibility."""
    random = np.random.default_rng(0)
    samples = []
    for i in range(8):
        points = random.uniform(20, 80, (68, 2))
        visible = np.ones(68, bool)
        visible[: 17 * (i % 2)] = False
        samples.append(
            Sample(
                np.full((100, 100, 3), 100, np.uint8), points, visible=visible, id=str(i),
                subject=f"p{i // 2}", split="validation", subsets=("blur",) if i < 2 else (),
                attributes={"yaw": [-5.0, 20, 40, -60][i // 2], "skin_tone": 1 + i},
            )
        )  # fmt: skip
    path = tmp_path_factory.mktemp("known") / "faces"
    return FaceSet.write(path, samples, scheme=68, size=48, progress=False)


def test_groups_hold_the_faces_that_belong_there(known):
    found = {
        key: np.flatnonzero(inside).tolist() for key, inside in breakdown.groups(known).items()
    }
    assert found == {
        ("all", "all"): [0, 1, 2, 3, 4, 5, 6, 7],
        ("turn", "0–15°"): [0, 1], ("turn", "15–30°"): [2, 3],
        ("turn", "30–45°"): [4, 5], ("turn", "over 45°"): [6, 7],
        ("skin tone", "1–3 (light)"): [0, 1, 2], ("skin tone", "4–6"): [3, 4, 5],
        ("skin tone", "7–10 (deep)"): [6, 7],
        ("subset", "blur"): [0, 1],
    }  # fmt: skip


def test_errors_of_groups_are_those_of_their_faces(known):
    pred = known.landmarks + np.random.default_rng(1).normal(0, 0.02, known.landmarks.shape)
    errors = metrics.nme(pred, known.landmarks, 68)
    table = breakdown.table(pred, known).set_index(["by", "group"])
    assert table.loc[("all", "all"), "nme"] == pytest.approx(errors.mean())
    tones = table.loc[("skin tone", "4–6")]
    assert tones["nme"] == pytest.approx(errors[3:6].mean()) and tones["faces"] == 3
    assert tones["low"] <= tones["nme"] <= tones["high"]
    assert np.isnan(table.loc[("turn", "over 45°"), "low"])  # one person: nobody else to draw
    visible = metrics.nme(pred, known.landmarks, 68, visible=known.visible)
    hidden = metrics.nme(pred[1::2], known.landmarks[1::2], 68, visible=~known.visible[1::2])
    assert table.loc[("points", "visible"), "nme"] == pytest.approx(visible.mean())
    assert table.loc[("points", "hidden"), "nme"] == pytest.approx(hidden.mean())
    assert table.loc[("points", "hidden"), "faces"] == 4
    by_box = breakdown.table(pred, known, "box")["nme"]
    assert not np.allclose(by_box, table["nme"])


def test_a_network_that_does_not_look_errs_by_how_far_it_is_moved(small_faces):
    net = Student()  # all points in the middle of what it sees
    assert np.allclose(inference.predict(net, small_faces), 0)
    moved = replace(STILL, shift=0.1)
    found = inference.predict(net, small_faces, moved=moved, seed=1)
    zoom = small_faces.meta["stored_margin"] / net.config.crop_margin
    assert 0.05 < np.abs(found).max() * zoom <= 0.1
    again = inference.predict(net, small_faces.select([7]), moved=moved, seed=1)
    assert np.allclose(again[0], found[7], atol=1e-6)  # company does not matter
    curve = jitter.curve(net, small_faces.split("test"))
    shifts = curve[curve["kind"] == "shift"]
    assert list(shifts["level"]) == list(jitter.SHIFTS)
    still = metrics.nme(0 * small_faces.split("test").landmarks,
                        small_faces.split("test").landmarks, 68).mean()  # fmt: skip
    assert shifts["nme"].iloc[0] == pytest.approx(still, rel=1e-4)
    assert shifts["nme"].iloc[-1] > shifts["nme"].iloc[0]


def test_multiply_adds_by_hand():
    net = models.create("mobilenetv3_small_050", 68, size=128)
    larger = models.create("mobilenetv3_small_050", 68, size=256)
    assert 3.5 < cost.macs(larger) / cost.macs(net) < 4.5  # four times as many pixels
    head = net.head.in_features * net.head.out_features
    without = torch.nn.Sequential(net.backbone)
    without.config = net.config
    assert cost.macs(net) - cost.macs(without) == head


def test_costs_of_several_networks():
    nets = {
        n: models.create("mobilenetv3_small_050", 68, size=s) for n, s in (("a", 32), ("b", 96))
    }
    threads = torch.get_num_threads()
    found = cost.costs(nets)
    assert torch.get_num_threads() == threads
    assert found["a"]["parameters"] == found["b"]["parameters"] and found["b"]["pixels"] == 96
    assert found["a"]["bytes"] == 2 * models.count_parameters(nets["a"])
    assert 0 < found["a"]["milliseconds"] < 1000


def test_networks_stay_where_they_are(monkeypatch):
    """A copy of each is moved to the CPU and measured."""
    net, moved = models.create("mobilenetv3_small_050", 68, size=32).train(), []
    monkeypatch.setattr(models.LandmarkNet, "cpu", lambda self: moved.append(self) or self)
    cost.costs({"a": net})
    assert len(moved) == 1 and moved[0] is not net
    assert moved[0].head.weight.data_ptr() != net.head.weight.data_ptr()
    assert net.training and not moved[0].training


def test_the_page_holds_every_number_and_figure(trained_course, tmp_path):
    course, results = trained_course
    faces = course.split("validation")
    files = {"student": "student-kd-paper-seed0", "tough": "tough"}
    nets = {name: models.load(course.folder / file / "network") for name, file in files.items()}
    built = page.build(nets, faces, "validation", progress=False)
    path = page.write(built, tmp_path / "page")
    text = path.read_text("utf-8")
    numbers = json.loads((path.parent / "report.json").read_text("utf-8"))
    rows = {(r["network"], r["split"]): r["nme"] for r in results["scores"]}
    assert numbers["scores"]["student"]["nme"] == pytest.approx(rows["KD student", "validation"])
    assert f"{100 * rows['Tough teacher', 'validation']:.2f}" in text
    assert len(numbers["points"]) == 68 and numbers["cost"]["tough"]["macs"] > 0
    pictures = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', text)
    assert {file for file, _ in pictures} == {f"{name}.png" for name in built.figures}
    for file, _ in pictures:
        assert (path.parent / file).read_bytes().startswith(b"\x89PNG")
    assert "drawn" in text and "by person" in text and "inter-ocular" in text
    page.write(built, tmp_path / "page")  # once more: replaced


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """Four faces of one person, no point of which is visible."""
    random = np.random.default_rng(1)
    samples = (
        Sample(
            np.full((100, 100, 3), 90, np.uint8), random.uniform(20, 80, (68, 2)), id=str(i),
            visible=np.zeros(68, bool), subject="p", split="validation",
        )
        for i in range(4)
    )  # fmt: skip
    path = tmp_path_factory.mktemp("lonely") / "faces"
    return FaceSet.write(path, samples, scheme=68, size=48, progress=False)


def test_groups_of_points_without_a_face_are_left_out(lonely, known):
    def groups(faces):
        table = breakdown.table(faces.landmarks + 0.01, faces)
        return set(table.loc[table["by"] == "points", "group"])

    assert groups(lonely) == {"hidden"} and groups(known) == {"visible", "hidden"}
    shown = known.select([0, 2, 4, 6])  # nothing is hidden: no row at all
    assert groups(shown) == set()


def test_an_interval_that_does_not_exist_is_a_dash_and_null(lonely, tmp_path, monkeypatch):
    """One person says nothing of others. NaN is no JSON: browsers refuse the whole file."""

    def refuse(name):
        raise ValueError(name)

    curve = pd.DataFrame({"kind": ["shift", "scale"], "level": [0.0, 0.0], "nme": [0.1, 0.1]})
    price = {"network": "x", "pixels": 24, "parameters": 1, "macs": 1, "bytes": 1}
    monkeypatch.setattr(jitter, "curve", lambda net, faces: curve)
    monkeypatch.setattr(cost, "costs", lambda nets: {"student": price | {"milliseconds": 1.0}})
    built = page.build({"student": Student()}, lonely, "validation", progress=False)
    path = page.write(built, tmp_path / "page")
    numbers = json.loads((path.parent / "report.json").read_text("utf-8"), parse_constant=refuse)
    assert numbers["scores"]["student"]["low"] is None
    assert {row["high"] for row in numbers["groups"]} == {None}
    text = path.read_text("utf-8").lower()
    assert ">–<" in text and "nan" not in text
    scores = [{"network": "x", "split": "validation", **numbers["scores"]["student"]}]
    assert report.table({"scores": scores}).loc["x", "95 % interval"] == "–", "read again"


def test_the_worst_landmark_is_the_largest_disc():
    errors = np.full(68, 0.02)
    errors[30] = 0.08
    shape = np.random.default_rng(0).uniform(-1, 1, (68, 2))
    figure = plots.point_errors(shape, errors, 68)
    discs = figure.axes[0].collections[0]
    assert discs.get_sizes().argmax() == 30 and discs.get_array().argmax() == 30
    assert figure.axes[0].yaxis_inverted()
