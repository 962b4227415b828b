"""One function decides where the course computes, and everybody asks it."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import kdnotes
from kdnotes.course import machine, profiles
from kdnotes.system import processes
from kdnotes.training import loop
from kdnotes.views import plain_views, sample_views, unwarp_points, warp_images, warp_points


@pytest.mark.parametrize(
    "cuda, mps, environment, expected",
    [
        (False, False, {}, "cpu"),
        (True, False, {}, "cuda"),
        (True, True, {}, "cuda"),
        (False, True, {}, "mps"),
        (False, True, {"WORLD_SIZE": "2"}, "cpu"),
        (True, False, {"ACCELERATE_USE_CPU": "true"}, "cpu"),
    ],
)
def test_everybody_asks_the_same(cuda, mps, environment, expected, monkeypatch):
    card = SimpleNamespace(total_memory=16e9)
    for name, answer in {
        "is_available": cuda, "get_device_name": "Tesla T4", "get_device_properties": card,
        "current_device": 0, "is_bf16_supported": False,
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda *_, answer=answer, **__: answer)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch, "__version__", "2.14.1")
    monkeypatch.delenv("KDNOTES_PROFILE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert processes.device().type == expected
    assert processes.on_cpu() == (expected == "cpu")
    assert profiles.current().name == ("quick" if expected == "cpu" else "gpu")
    assert profiles.reason().startswith("no GPU" if expected == "cpu" else "a GPU")
    assert loop.precision() == ("fp16" if expected == "cuda" else "no")
    names = {"cpu": "CPU, ", "cuda": "Tesla T4", "mps": "Apple GPU, "}
    assert machine.hardware()["device"].startswith(names[expected])
    assert ("16 GB on the GPU" in machine.describe()) == (expected == "cuda")
    forked = []
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: forked.append(devices))
    processes.fork_rng()
    assert forked == [[0] if expected == "cuda" else []]


def test_nobody_decides_alone():
    """Neither the package nor a notebook looks for a GPU by itself."""
    package = Path(kdnotes.__file__).parent
    notebooks = (package.parent / "notebooks").glob("*.ipynb")
    looks = re.compile(r"cuda\.is_available|backends\.mps|fork_rng\(\)")
    found = {
        path.name
        for path in [*package.rglob("*.py"), *notebooks]
        if looks.search(path.read_text("utf-8").replace("processes.fork_rng()", ""))
    }
    assert found == {"processes.py"}


def test_views_are_exact_inside_somebodys_autocast():
    views = sample_views(range(4), 0, seed=0)
    points = torch.rand(4, 68, 2) - 0.5
    crops = torch.randint(256, (4, 3, 44, 44), dtype=torch.uint8)

    def run():
        there = warp_points(points, views, 68)
        back = unwarp_points(there, views, 68)
        return there, back, warp_images(crops, views, 32), warp_images(crops, plain_views(4), 32)

    expected = run()
    with torch.autocast("cpu", torch.bfloat16):
        found = run()
    for value, right in zip(found, expected, strict=True):
        assert value.dtype == torch.float32 and torch.equal(value, right)
