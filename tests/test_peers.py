"""Peers: the measure, the boxes and what is said of a peer that is not there. The peers themselves
run where they are installed."""

import importlib.util
import json
import shutil
import subprocess

import numpy as np
import pytest
from drawn_faces import draw_face
from youtube_tree import write_tree

from kdnotes import metrics, models
from kdnotes.commands import app
from kdnotes.deploy.exported import Exported
from kdnotes.research import peers
from kdnotes.research.peers import dlib_peer, face_api
from kdnotes.research.peers.common import Answers, Unavailable


@pytest.fixture(scope="module")
def photos():
    drawn = [draw_face(person, 0) for person in range(6)]
    return peers.Photos([image for image, _ in drawn], np.stack([points for _, points in drawn]))


def test_a_constant_shift_is_taken_out(photos):
    """Answers that lie 3 % of the box beside the landmarks, whatever the size of the face."""
    sides = np.ptp(photos.points, axis=1).max(axis=-1)
    beside = photos.points + np.array([0.03, -0.01]) * sides[:, None, None]
    found = peers.row("x", "y", 7, lambda p: Answers(beside, 1.5), photos, photos)
    assert found["shift"] == pytest.approx([0.03, -0.01], abs=1e-5)
    assert found["nme"] == pytest.approx(metrics.nme(beside, photos.points, 68).mean())
    assert found["nme_without_shift"] < 1e-5 < found["nme"]
    assert found["bytes"] == 7 and found["milliseconds"] == 1.5


def test_the_shift_is_fitted_on_validation(photos):
    other = peers.Photos(photos.images[:3], photos.points[:3])
    moved = {id(photos): photos.points + 2.0, id(other): other.points}
    found = peers.row("x", "y", 7, lambda p: Answers(moved[id(p)], 1.0), photos, other)
    assert found["nme"] == 0 < found["nme_without_shift"]


def test_the_nearest_box_is_taken_and_a_missed_face_gets_the_landmarks_square(photos):
    square = photos.square_boxes()
    assert all(w == h for _, _, w, h in square)
    near = [(x + 1, y - 1, w, h) for x, y, w, h in square]
    far = (-500.0, 0.0, 10.0, 10.0)
    found = [[far, box] for box in near]
    found[2] = [far]
    assert photos.nearest(found) == [*near[:2], square[2], *near[3:]]


def test_ours_is_what_predict_says(photos):
    net = models.create("mobilenetv3_small_050", 68, size=32).eval()
    boxes = photos.landmarks_boxes()
    timed = peers.runtime(net)
    there = all(map(importlib.util.find_spec, ("onnx", "onnxscript", "onnxruntime")))
    assert isinstance(timed, Exported) if there else timed is net
    found = peers.ours(timed, photos.images, boxes, 2)
    expected = peers.predict(net, photos.images[3], boxes[3], looks=2)
    assert found.points[3] == pytest.approx(expected, abs=0.01) and found.milliseconds > 0


def test_what_is_not_there_is_said(photos, monkeypatch, tmp_path):
    monkeypatch.setattr(dlib_peer.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"pip install .*kdnotes\[peers\]"):
        dlib_peer.size()
    monkeypatch.setattr(face_api.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="needs node and npm"):
        face_api.install(tmp_path)
    net = models.create("mobilenetv3_small_050", 68, size=32).eval()
    monkeypatch.setattr(peers.Photos, "detector_boxes", peers.Photos.square_boxes)
    nets = [peers.Ours("ours", net, 5)]
    rows, missing = peers.compare(photos, photos, nets, tmp_path)
    assert [row["who"] for row in rows] == ["ours", "ours, looking twice", "ours, looking twice"]
    assert len(missing) == 2
    text = peers.table({"rows": rows}).to_string()
    assert "ours, looking twice" in text and "ms a face" in text


def test_who_was_trained_on_the_pictures_is_named(photos, monkeypatch, tmp_path):
    def unavailable(folder):
        raise Unavailable("no face-api")

    monkeypatch.setattr(face_api, "install", unavailable)
    monkeypatch.setattr(dlib_peer, "size", lambda: 7)
    monkeypatch.setattr(peers.Photos, "own_boxes", peers.Photos.square_boxes)
    monkeypatch.setattr(peers.Photos, "detector_boxes", peers.Photos.square_boxes)
    monkeypatch.setattr(dlib_peer, "predict", lambda *_: Answers(photos.points, 1.0))
    for seen, name in (((), "dlib"), (("dlib",), "dlib, trained on these pictures")):
        rows, _ = peers.compare(photos, photos, [], tmp_path, seen)
        assert [row["who"] for row in rows] == [name] * 3
    assert peers.READERS["300w"][1] == ("dlib",) and not peers.READERS["youtube-faces"][1]


def test_a_data_set_that_is_not_compared_on_is_said(tmp_path):
    with pytest.raises(ValueError, match="no comparison on 'cofw'; there is one on youtube-faces"):
        peers.run(tmp_path, None, tmp_path, "cofw")


def test_an_installation_that_fails_is_said(tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{'/usr/bin:/bin'}")
    monkeypatch.setattr(face_api.shutil, "which", lambda name: str(tmp_path / name))
    with pytest.raises(
        Unavailable, match="face-api cannot be installed: npm failed: no such package"
    ):
        face_api.install(tmp_path / "packages")


def test_dlib_answers_about_the_face(photos):
    pytest.importorskip("dlib", reason="needs the extra peers")
    try:
        found = dlib_peer.predict(photos.images, photos.square_boxes())
    except Unavailable as error:
        pytest.skip(str(error))
    assert found.points.shape == photos.points.shape and found.milliseconds > 0
    middle = photos.points.mean(axis=1)
    assert np.abs(found.points.mean(axis=1) - middle).max() < 0.3 * np.ptp(photos.points[0])


def test_answers_of_face_api_are_pixels_of_the_picture(photos, tmp_path, monkeypatch):
    """The middle of every crop is the middle of the box that it was cut around. Pixels are counted
    from the middle of the first one."""

    def run(command, **options):
        raw, answers = command[3:5]
        assert raw.stat().st_size == len(photos.images) * face_api.SIDE**2 * 3
        middle = [[[(face_api.SIDE - 1) / 2] * 2] * 68] * len(photos.images)
        answers.write_text(json.dumps({"landmarks": middle, "milliseconds": [1.0, 3.0, 2.0]}))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(face_api.subprocess, "run", run)
    boxes = np.array(photos.landmarks_boxes())
    found = face_api.predict("face-api", tmp_path, photos.images, boxes)
    assert found.milliseconds == 2.0 and found.points.shape == photos.points.shape
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    assert found.points == pytest.approx(np.repeat(middles[:, None], 68, axis=1))


@pytest.mark.long
def test_face_api_answers_about_the_face(photos, tmp_path):
    if not shutil.which("node"):
        pytest.skip("needs node")
    try:
        folder = face_api.install(tmp_path / "npm")
    except Unavailable as error:
        pytest.skip(str(error))
    for name in face_api.MODELS:
        found = face_api.predict(name, folder, photos.images, photos.landmarks_boxes())
        assert found.points.shape == photos.points.shape and face_api.size(folder, name) > 50_000
        middle = photos.points.mean(axis=1)
        assert np.abs(found.points.mean(axis=1) - middle).max() < 0.3 * np.ptp(photos.points[0])


def test_the_command_prints_a_table(tmp_path, monkeypatch, capsys, trained_course):
    write_tree(tmp_path / "data")
    monkeypatch.setattr(face_api.shutil, "which", lambda name: None)
    network = trained_course[0].folder / "tough" / "network.safetensors"
    args = [
        "peers",
        "--dir",
        tmp_path / "data",
        "--network",
        network,
        "--out",
        tmp_path / "peers.json",
    ]
    monkeypatch.setattr(dlib_peer.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(peers.Photos, "detector_boxes", peers.Photos.square_boxes)
    with pytest.raises(SystemExit) as caught:
        app.main([str(arg) for arg in args])
    out = capsys.readouterr().out
    assert not caught.value.code and out.count("left out:") == 2 and "ours" in out
    assert (tmp_path / "peers.json").exists()
