"""Several processes (DDP over gloo, on the CPU) train as one does."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import shared_training
import torch

from kdnotes.teachers import TeacherCache
from kdnotes.training import checkpoints

LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
#: What a course in the profile tiny leaves when the KD student is trained.
FOLDERS = ["student-kd-paper-seed0", "teacher-landmarks-seed0", "tolerant", "tough"]
ENV = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def two(small_faces, tmp_path_factory):
    """Folder of all runs of two processes, and by name what each wrote to stderr."""
    out = tmp_path_factory.mktemp("two")
    command = [*LAUNCH, shared_training.__file__, small_faces.path, out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=ENV)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("processes 2") == 2
    shown = done.stderr.split("\nrun ")[1:]
    return out, {text.partition("\n")[0]: text for text in shown}


def networks(folder):
    return [torch.load(path) for path in sorted(folder.glob("rank*.pt"))]


def log(folder):
    """The log's lines without times."""
    lines = (folder / "run" / "log.jsonl").read_text().splitlines()
    times = {"images_per_second", "seconds"}
    return [{k: v for k, v in json.loads(line).items() if k not in times} for line in lines]


@pytest.mark.parametrize("loss", ["kd-paper", "l1"])
def test_two_processes_train_as_one(two, small_faces, tmp_path, loss):
    """Within 2e-4: the same sums in another order, and L1's gradient is a sign, so a last digit can
    turn a coordinate's step round."""
    alone = shared_training.run(loss, small_faces.path, tmp_path)
    together, shown = two[0] / loss, two[1][loss]
    (one,), (first, second) = networks(alone), networks(together)
    for key, value in one.items():
        torch.testing.assert_close(first[key], value, rtol=0, atol=2e-4)
        assert torch.equal(first[key], second[key]), "all processes end with the same network"
    for entry, other in zip(log(alone), log(together), strict=True):
        assert other == pytest.approx(entry, abs=2e-4)
    finished = [line for line in shown.replace("\r", "\n").splitlines() if "9/9" in line]
    assert 1 <= len([line for line in finished if "epoch=3" in line]) <= 2, "one bar, closed"


def test_two_processes_go_on_bit_for_bit(two):
    """Interrupted in the second epoch; and no teacher is in the checkpoint."""
    (whole, _), (found, other) = networks(two[0] / "kd-paper"), networks(two[0] / "resume")
    for key, value in whole.items():
        assert torch.equal(found[key], value) and torch.equal(other[key], value), key
    assert log(two[0] / "resume") == log(two[0] / "kd-paper")
    parts = checkpoints.load(two[0] / "resume" / "run" / "checkpoint.pt")
    assert parts.keys() == {"key", "net", "average", "optimizer", "scaler", "history", "epoch"}
    assert parts["net"].keys() == parts["average"].keys() == whole.keys()


def test_a_cache_is_built_in_shares(two, small_faces, tmp_path):
    """By two processes, the same as by one."""
    folders = [shared_training.run("cache", small_faces.path, tmp_path), two[0] / "cache"]
    for n, folder in enumerate(folders, start=1):
        names = sorted(path.name for path in folder.iterdir())
        assert names == [*(f"asked{i}" for i in range(n)), "cache"]
        asked = [int(path.read_text()) for path in folder.glob("asked*")]
        assert sum(asked) == 2 * 36 and min(asked) > 30 / n
    alone, shared = (TeacherCache(folder / "cache").landmarks for folder in folders)
    assert np.array_equal(alone, shared) and np.abs(alone).min() > 0


def test_batch_norm_is_that_of_the_first_process(two):
    """Each process has seen other faces; all must end with one network."""
    first, second = networks(two[0] / "batch norm")
    assert any("running_mean" in key for key in first)
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def test_a_course_is_trained_once(two):
    """Teachers, their answers and the student, each by both processes together."""
    folders = [path.parent for path in (two[0] / "course").rglob("network.safetensors")]
    assert sorted(folder.name for folder in folders) == [
        "student-kd-paper-seed0",
        "tolerant",
        "tough",
    ]
    assert sorted(path.name for path in folders[0].parent.iterdir()) == FOLDERS
    assert not list((two[0] / "course").rglob("*.part"))


@pytest.mark.long
def test_the_command_line_trains_in_two_processes(tmp_path):
    """From nothing: faces, teachers, their answers and the student, each made once."""
    env = ENV | {"KDNOTES_BUILD": str(tmp_path), "KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": ""}
    command = [*LAUNCH, "-m", "kdnotes", "student", "--loss", "kd-paper"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("weights and log in") == 1
    runs = next((tmp_path / "runs").iterdir())
    assert sorted(path.name for path in runs.iterdir()) == FOLDERS
    assert not list(tmp_path.rglob("*.part"))
