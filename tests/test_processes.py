"""Several processes (DDP over gloo, on the CPU) train as one does."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch

SCRIPT = """
    import json, sys
    from pathlib import Path
    import torch
    from torch import nn
    from kdnotes import models, processes, training
    from kdnotes.faceset import FaceSet
    from kdnotes.teachers import Teachers

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
    train, validation = faces.split("train"), faces.split("validation")
    teachers = Teachers(Plain(1), Plain(2)) if sys.argv[3] == "kd-paper" else None
    config = training.TrainConfig(sys.argv[3], epochs=3, batch_size=12, learning_rate=2e-3)
    net = Plain(0)
    if sys.argv[4] == "batch norm":
        torch.manual_seed(0)
        net = models.create("mobilenetv3_small_050", 68, size=24)
    more = {"teachers": teachers, "validation": validation, "run": out / "run"}
    training.fit(net, train, config, **more)
    state = processes.state()
    torch.save(net.state_dict(), out / f"rank{state.process_index}.pt")
    print("processes", state.num_processes)
"""


def run(faces, out, loss, processes, network="plain"):
    """Trains with the script in that many processes; the networks of all, the log, the output."""
    out.mkdir()
    (out / "script.py").write_text(textwrap.dedent(SCRIPT))
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    done = subprocess.run(
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
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"processes {processes}" in done.stdout
    nets = [torch.load(out / f"rank{i}.pt") for i in range(processes)]
    lines = (out / "run" / "log.jsonl").read_text().splitlines()
    return nets, [json.loads(line) for line in lines], done.stderr


@pytest.mark.parametrize("loss", ["l1", "kd-paper"])
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
