"""What takes minutes: `python -m kdnotes test --all`, or `make test-all`."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from kdnotes import models
from kdnotes.course import recipes
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.evaluation import report
from kdnotes.models import inference, zoo
from kdnotes.teachers import Teachers, build_cache
from kdnotes.training import checkpoints

pytestmark = pytest.mark.long

TRAIN = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[3])
import test_training as here
from dataclasses import replace
from kdnotes.data.faceset import FaceSet
faces = FaceSet.open(sys.argv[1])
train, validation = faces.split("train"), faces.split("validation")
config = replace(here.SHORT, epochs=40)
print("begins", flush=True)
here.fit(here.new_net(train), train, config, validation=validation, run=sys.argv[2])
"""


def start(faces, run):
    """A training in a process of its own, which has just begun."""
    here = Path(__file__).parent
    command = [sys.executable, "-c", TRAIN, faces, run, here]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, cwd=here.parent, text=True, **pipes)
    assert child.stdout.readline() == "begins\n"
    return child


def test_kill_9_twenty_times_in_a_row(small_faces, tmp_path):
    """At random moments, while training and while saving; the end is the undisturbed one."""
    undisturbed, run = tmp_path / "undisturbed", tmp_path / "run"
    child, began = start(small_faces.path, undisturbed), time.monotonic()
    assert child.wait(600) == 0
    whole = time.monotonic() - began
    moments, killed, reached = random.Random(0), 0, []
    while killed < 20:
        child = start(small_faces.path, run)
        try:
            child.wait(whole * moments.uniform(0.02, 0.3))
        except subprocess.TimeoutExpired:
            child.kill()
            killed += 1
        child.communicate()
        if (run / "checkpoint.pt").exists():
            about = checkpoints.load(run / "checkpoint.pt")
            reached.append(len(about["history"]))
        if child.returncode == 0:  # it came to the end: kill the next one from the start
            same(run, undisturbed)
            for path in run.iterdir():
                path.unlink()
    print("epochs reached when killed:", reached)
    assert len(set(reached)) >= 5, "it was killed at different moments"
    child = start(small_faces.path, run)
    assert child.wait(600) == 0
    same(run, undisturbed)


def same(run, other):
    """Both runs ended with the same state and log, but for times."""
    found, expected = (checkpoints.load(path / "checkpoint.pt") for path in (run, other))
    assert len(found["history"]) == len(expected["history"]) == 40
    for name in ("net", "average"):
        for key, value in expected[name].items():
            assert torch.equal(found[name][key], value), key
    for number, state in expected["optimizer"]["state"].items():
        for key, value in state.items():
            assert torch.equal(found["optimizer"]["state"][number][key], value), key
    for one, two in zip(found["history"], expected["history"], strict=True):
        for name in one.keys() - {"seconds", "images_per_second"}:
            assert one[name] == two[name]
    lines = (run / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == found["history"]


NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
STORED = [
    path
    for kind in ("[0-9][0-9]", "appendix")
    for path in sorted(NOTEBOOKS.glob(f"{kind}_*.ipynb"))
]


@pytest.mark.parametrize(
    "threads, place, more",
    [
        (1, "root", []),
        (2, "notebooks", []),
        (1, "empty folder", ["-W", "default"]),
    ],
)
def test_notebooks_give_what_they_store(tmp_path, threads, place, more):
    """With one thread and with two, from everywhere, with all warnings on."""
    folder, start = NOTEBOOKS, {"root": NOTEBOOKS.parent}.get(place, NOTEBOOKS)
    if place == "empty folder":
        folder = start = tmp_path / "copy"
        folder.mkdir()
        for path in STORED:
            shutil.copy(path, folder)
    env = os.environ | {
        "OMP_NUM_THREADS": str(threads), "KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "",
        "KDNOTES_BUILD": str(tmp_path / "build"),
    }  # fmt: skip
    if more:
        env["PYTHONWARNINGS"] = "default"
    names = [str(folder / path.name) for path in STORED]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names]
    command += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]
    done = subprocess.run(command, cwd=start, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("threads", [1, 2])
def test_networks_that_ship_give_their_figures(tmp_path, monkeypatch, threads):
    """`python -m kdnotes evaluate --network NAME --test`, to the last digit that is printed."""
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path))
    course = recipes.open_course("quick", "", progress=False)
    torch.set_num_threads(threads)
    try:
        for name, data in zoo.names():
            if data != "synthetic":
                continue
            net = zoo.load(name, data)
            for split, scores in net.card["scores"].items():
                if split not in report.SPLITS:
                    continue
                faces = course.split(split)
                found = report.score(inference.predict(net, faces), faces)
                for number in ("nme", "low", "high", "fr10"):
                    told, now = (f"{100 * x[number]:.2f}" for x in (scores, found))
                    assert now == told, f"{name}, {split}: {number}"
    finally:
        torch.set_num_threads(1)


MEMORY = """
import sys, torch
torch.set_num_threads(1)
from pathlib import Path
from kdnotes import models, training
from kdnotes.data.faceset import FaceSet
from kdnotes.teachers import TeacherCache

most = 0

def look(*_):  # what this process holds for itself: not the pages of files that it looks at
    global most
    status = Path("/proc/self/status").read_text()
    most = max(most, int(status.split("RssAnon:")[1].split()[0]))

net = models.create("mobilenetv3_small_050", 68, size=32)
net.register_forward_pre_hook(look)
config = training.TrainConfig("kd-paper", epochs=1, batch_size=100, n_views=1)
cache = TeacherCache(sys.argv[2])
training.fit(net, FaceSet.open(sys.argv[1]), config, teachers=cache, progress=False)
print(most)
"""


def test_memory_does_not_grow_with_the_number_of_faces(tmp_path):
    """From 1,000 to 10,000 faces of 64 px (123 MB), with the teachers' landmarks: below 50 MB."""
    if not Path("/proc/self/status").exists():
        pytest.skip("what a process holds for itself is read from /proc/self/status")
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    points = rng.uniform(20, 44, (68, 2))
    teachers = Teachers(models.create("mobilenetv3_small_050", 68, size=32))
    used = []
    for n in (1000, 10_000):
        samples = (Sample(picture, points, crop=(32, 32, 64), id=f"{i}") for i in range(n))
        faces = FaceSet.write(tmp_path / f"{n}", samples, scheme=68, size=64, progress=False)
        how = {"seed": 0, "n_views": 1, "batch_size": 500, "progress": False}
        build_cache(teachers, faces, tmp_path / f"cache {n}", **how)
        command = [sys.executable, "-c", MEMORY, tmp_path / f"{n}", tmp_path / f"cache {n}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        used.append(int(done.stdout) * 1024 / 1e6)
    print(f"{used[0]:.0f} MB with 1,000 faces, {used[1]:.0f} MB with 10,000")
    assert used[1] - used[0] < 50
