"""Networks that ship: small files, checked when they are loaded, each with its card."""

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from kdnotes import models
from kdnotes.data.schemes import SCHEMES, Scheme
from kdnotes.models import zoo
from kdnotes.research import shipping


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


def new(seed):
    torch.manual_seed(seed)
    return models.create("mobilenetv3_small_050", 68, size=32).eval()


def test_what_is_added_can_be_loaded(folder):
    nets = {"student-plain": new(0), "tough": new(1)}
    for name, net in nets.items():
        path = shipping.add(net, name, "drawn", {"command": f"train {name}"})
        assert path.name == f"{name}--drawn.safetensors" and path.parent == folder
    assert zoo.names() == [("student-plain", "drawn"), ("tough", "drawn")]
    images = torch.rand(2, 3, 32, 32)
    for name, net in nets.items():
        found = zoo.load(name, "drawn")
        assert found.card == {"command": f"train {name}"} and not found.training
        assert all(p.dtype == torch.float32 for p in found.parameters())
        with torch.no_grad():
            assert found(images) == pytest.approx(net(images), abs=2e-3)


CARD = {
    "data": {"name": "drawn", "title": "tests", "points": 68},
    "how": {"epochs": 3},
    "seconds": 7200,
    "scores": {
        split: {"nme": nme, "low": 0.04, "high": 0.06, "fr10": 0.013}
        for split, nme in (("validation", 0.0512), ("test", 0.0498))
    },
}


def test_a_face_set_has_its_networks_and_their_table(folder):
    other = CARD | {"data": CARD["data"] | {"name": "other"}}
    for name, data, card in (
        ("tough", "drawn", CARD),
        ("base", "drawn", CARD),
        ("tough", "other", other),
    ):
        shipping.add(new(0), name, data, card)
    nets = zoo.shipped(faces_like())
    assert list(nets) == ["base", "tough"] and zoo.shipped(faces_like(name="my own")) == {}
    shown = zoo.table(nets).loc["tough"]
    assert shown["NME, validation"] == "5.12%" and shown["minutes"] == "120.0"
    assert not [column for column in shown.index if "test" in column]
    tested = zoo.table(nets, "test").loc["tough"]
    assert tested["NME, test"] == "4.98%"
    assert shown["network"] == "mobilenetv3_small_050, 32 px"
    assert shown["MB"] == f"{zoo.size('tough', 'drawn') / 1e6:.1f}"
    for net in nets.values():
        net.card["hardware"] = {"device": "NVIDIA H200"}
    assert zoo.table(nets).loc["tough", "minutes, on a GPU"] == "120.0"
    assert zoo.table({}).empty


def test_the_trainings_behind_a_network_are_counted(folder):
    """Those of the networks that it began with, too; one of them may be for other faces."""
    started = CARD | {"how": {"epochs": 4, "start": "base"}, "seconds": 60}
    other = CARD["data"] | {"name": "other"}
    borrowed = CARD | {"how": {"epochs": 5, "start": "tough", "start_data": "drawn"}, "data": other}
    for name, card in (("base", CARD), ("tough", started)):
        shipping.add(new(0), name, "drawn", card)
    assert [zoo.epochs(card) for card in (CARD, started, borrowed)] == [3, 7, 12]
    shown = zoo.table(zoo.shipped(faces_like())).loc["tough"]
    assert shown["epochs"] == "3 + 4" and shown["minutes"] == "121.0"


def faces_like(name="drawn", source="tests", points=68, rendered=False):
    """What the zoo asks of a face set."""
    scheme = points if isinstance(points, Scheme) else SCHEMES[points]
    return SimpleNamespace(name=name, meta={"source": source}, scheme=scheme, rendered=rendered)


@pytest.mark.parametrize(
    "faces, fits",
    [
        ({}, True),
        ({"points": 98}, False),
        ({"points": Scheme(68)}, False),  # another numbering of as many points
        ({"source": "the table drawn.csv"}, False),  # a table may have any name
        ({"rendered": True}, False),
    ],
)
def test_networks_ship_for_one_data_set_and_one_scheme(faces, fits):
    assert zoo.fits(CARD, faces_like(**faces)) is fits


def test_those_for_rendered_faces_do_not_go_by_the_name():
    card = {"data": {"name": "synthetic", "title": "seed 0", "points": 68}}
    assert zoo.fits(card, faces_like("synthetic", "seed 1", rendered=True))
    assert not zoo.fits(card, faces_like("synthetic", "seed 0"))


def test_files_take_half_the_space(folder):
    net = new(0)
    path = shipping.add(net, "a", "b", {})
    whole = models.save(net, folder / "whole")
    assert path.stat().st_size < 0.6 * whole.stat().st_size


def test_weights_that_16_bits_cannot_hold_are_refused(folder):
    net = new(0)
    net.head.bias.data[0] = 1e6
    with pytest.raises(ValueError, match=r"head\.bias .* 16 bits"):
        shipping.add(net, "a", "b", {})
    assert not list(folder.glob("*.safetensors"))


def test_another_file_or_none_is_refused(folder):
    path = shipping.add(new(0), "a", "b", {})
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"SHA-256 .* expected .* install kdnotes again"):
        zoo.load("a", "b")
    path.unlink()
    with pytest.raises(ValueError, match="no file"):
        zoo.load("a", "b")
    with pytest.raises(ValueError, match=r"no 'c' trained on 'b' ships .*there is a on b\)"):
        zoo.load("c", "b")


def test_what_ships_is_whole_and_small():
    total = 0
    for name, data in zoo.names():
        net = zoo.load(name, data)
        for key in ("data", "labels", "split", "command", "how", "scores", "use", "licence"):
            assert net.card[key], f"{name} on {data}: {key}"
        assert net.card["name"] == name and net.card["data"]["name"] == data
        assert net.card["seed"] == 0 and {"validation", "test"} <= set(net.card["scores"])
        for score in net.card["scores"].values():
            assert 0 < score["low"] <= score["nme"] <= score["high"] < 0.2
        readable = json.loads((zoo.FOLDER / f"{name}--{data}.json").read_text("utf-8"))
        assert readable["card"] == net.card
        assert zoo.size(name, data) <= 5_000_000
        total += zoo.size(name, data)
    assert total < 60e6


def test_weights_trained_on_300w_are_for_research_only():
    """Card, licence, metadata of the wheel and README say so; all other weights are MIT."""
    for name, data in zoo.names():
        licence = zoo.load(name, data).card["licence"]
        research = "300w" in data
        kind = "for research only" if research else "MIT"
        assert licence.startswith(f"The weights are {kind}"), f"{name} on {data}"
        assert not (research and "MIT" in licence)
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert "LicenseRef-300W-research-only" in project["license"]
    assert "kdnotes/models/zoo/300w.txt" in project["license-files"]
    assert "for research only" in (zoo.FOLDER / "300w.txt").read_text("utf-8").replace("\n", " ")
    for file in ("LICENSE", "README.md"):
        text = (root / file).read_text("utf-8").replace("\n", " ")
        assert "trained on 300W" in text and "for research only" in text.replace("  ", " ")
