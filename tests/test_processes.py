"""Several processes (DDP over gloo, on the CPU) train as one does."""

import json
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from kdnotes.teachers import TeacherCache
from kdnotes.training import checkpoints

SCRIPT = """
    import json, os, sys
    from pathlib import Path
    import torch
    from torch import nn
    from kdnotes import models, training
    from kdnotes.system import processes
    from kdnotes.data.faceset import FaceSet
    from kdnotes.teachers import Teachers, build_cache

    class Plain(nn.Module):  # without batch norm: each process would take its own faces' statistics
        def __init__(self, seed):
            super().__init__()
            torch.manual_seed(seed)
            self.config = models.NetConfig("none", 68, size=24)
            self.body = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.Flatten())
            self.head = nn.Linear(8 * 25, 136)

        def forward(self, images):
            return self.head(self.body(images)).view(-1, 68, 2)

    torch.set_num_threads(1)
    out = Path(sys.argv[2])
    faces = FaceSet.open(sys.argv[1])
    train = faces.split("train")
    validation = faces.split("validation").select(range(7))  # no even share for two processes
    teachers = Teachers(Plain(1), Plain(2)) if sys.argv[3] == "kd-paper" else None
    config = training.TrainConfig(
        sys.argv[3], epochs=3, batch_size=12, learning_rate=2e-3
    )
    if sys.argv[4] == "cache":
        how = {"seed": 0, "n_views": 2, "batch_size": 5}
        net, asked = Plain(1), []
        net.register_forward_pre_hook(lambda module, args: asked.append(len(args[0])))
        cache = build_cache(Teachers(net, Plain(2)), train, out / "cache", **how)
        print(f"asked about {sum(asked)} views\\n", end="")
        print(f"processes {processes.state().num_processes}\\n", end="")
        sys.exit()
    net = Plain(0)
    if sys.argv[4] == "batch norm":
        torch.manual_seed(0)
        net = models.create("mobilenetv3_small_050", 68, size=24)
    if "STOP_AT" in os.environ:
        steps = []
        def stop(module, args):
            steps.append(module.training)
            if sum(steps) == int(os.environ["STOP_AT"]):
                raise KeyboardInterrupt
        net.register_forward_pre_hook(stop)
    more = {"teachers": teachers, "validation": validation, "run": out / "run"}
    training.fit(net, train, config, **more)
    state = processes.state()
    torch.save(net.state_dict(), out / f"rank{state.process_index}.pt")
    print(f"processes {state.num_processes}\\n", end="")
"""


def start(faces, out, loss, processes, network="plain", **more):
    """Runs the script in that many processes."""
    out.mkdir(exist_ok=True)
    (out / "script.py").write_text(textwrap.dedent(SCRIPT))
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return subprocess.run(
        [
            sys.executable,
            *(launch if processes > 1 else []),
            out / "script.py",
            faces,
            out,
            loss,
            network,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} | more,
    )


def run(faces, out, loss, processes, network="plain"):
    """Trains with the script in that many processes; the networks of all, the log, the output."""
    done = start(faces, out, loss, processes, network)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"processes {processes}" in done.stdout
    nets = [torch.load(out / f"rank{i}.pt") for i in range(processes)]
    lines = (out / "run" / "log.jsonl").read_text().splitlines()
    return nets, [json.loads(line) for line in lines], done.stderr


@pytest.mark.parametrize("loss", ["kd-paper", pytest.param("l1", marks=pytest.mark.long)])
def test_two_processes_train_as_one(small_faces, tmp_path, loss):
    """Within 2e-4: the same sums in another order, and L1's gradient is a sign, so a last digit can
    turn a coordinate's step round."""
    (one,), log, _ = run(small_faces.path, tmp_path / "one", loss, 1)
    (first, second), shared, shown = run(small_faces.path, tmp_path / "two", loss, 2)
    for key, value in one.items():
        torch.testing.assert_close(first[key], value, rtol=0, atol=2e-4)
        assert torch.equal(first[key], second[key]), "all processes end with the same network"
    for entry, other in zip(log, shared, strict=True):
        assert entry.keys() == other.keys()
        for name in entry.keys() - {"images_per_second", "seconds"}:
            assert other[name] == pytest.approx(entry[name], abs=2e-4), name
    finished = [line for line in shown.replace("\r", "\n").splitlines() if "9/9" in line]
    assert len([line for line in finished if "epoch=3" in line]) <= 2, "one bar, drawn and closed"


def test_two_processes_go_on_bit_for_bit(small_faces, tmp_path):
    """Interrupted in the second epoch; and no teacher is in the checkpoint."""
    (whole, _), log, _ = run(small_faces.path, tmp_path / "whole", "kd-paper", 2)
    out = tmp_path / "stopped"
    assert start(small_faces.path, out, "kd-paper", 2, STOP_AT="5").returncode != 0
    assert len((out / "run" / "log.jsonl").read_text().splitlines()) == 1
    (found, other), again, _ = run(small_faces.path, out, "kd-paper", 2)
    for key, value in whole.items():
        assert torch.equal(found[key], value) and torch.equal(other[key], value), key
    for entry, expected in zip(again, log, strict=True):
        for name in entry.keys() - {"images_per_second", "seconds"}:
            assert entry[name] == expected[name], name
    parts = checkpoints.load(out / "run" / "checkpoint.pt")
    assert parts.keys() == {"key", "net", "average", "optimizer", "scaler", "history", "epoch"}
    assert parts["net"].keys() == parts["average"].keys() == whole.keys()


def test_a_cache_is_built_in_shares(small_faces, tmp_path):
    """By two processes, the same as by one."""
    caches = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        done = start(small_faces.path, out, "l1", processes, "cache")
        assert done.returncode == 0, done.stderr[-3000:]
        assert sorted(path.name for path in out.iterdir()) == ["cache", "script.py"]
        asked = [int(n) for n in re.findall(r"asked about (\d+) views", done.stdout)]
        assert sum(asked) == 2 * 36 and len(asked) == processes and min(asked) > 30 / processes
        caches.append(TeacherCache(out / "cache").landmarks)
    assert np.array_equal(*caches) and np.abs(caches[0]).min() > 0


def test_batch_norm_is_that_of_the_first_process(small_faces, tmp_path):
    """Each process has seen other faces; all must end with one network."""
    (first, second), _, _ = run(small_faces.path, tmp_path / "two", "l1", 2, "batch norm")
    assert any("running_mean" in key for key in first)
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def test_the_command_line_trains_in_two_processes(tmp_path):
    """From nothing: faces, teachers, their answers and the student, each made once."""
    env = os.environ | {
        "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
        "KDNOTES_BUILD": str(tmp_path), "KDNOTES_PROFILE": "tiny", "KDNOTES_DATA": "",
    }  # fmt: skip
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "kdnotes"]
    done = subprocess.run(
        [sys.executable, *command, "student", "--loss", "kd-paper"],
        capture_output=True, text=True, check=False, timeout=280, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("weights and log in") == 1
    runs = next((tmp_path / "runs").iterdir())
    assert sorted(path.name for path in runs.iterdir()) == [
        "student-kd-paper-seed0", "teacher-landmarks-seed0", "tolerant", "tough",
    ]  # fmt: skip
    assert not list(tmp_path.rglob("*.part"))
