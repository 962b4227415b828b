"""What `test_processes` trains, alone and in company:

    python -m torch.distributed.run --nproc_per_node=2 shared_training.py FACES OUT

trains each of `RUNS` into a folder of its name below OUT.
"""

import os
import sys
from pathlib import Path

import torch
from torch import nn

from kdnotes import models, training
from kdnotes.course import recipes
from kdnotes.data.faceset import FaceSet
from kdnotes.system import processes
from kdnotes.teachers import Teachers, build_cache


class Plain(nn.Module):
    """Without batch norm: each process would take its own faces' statistics."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.config = models.NetConfig("none", 68, size=24)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(8 * 25, 136)

    def forward(self, images):
        return self.head(self.body(images)).view(-1, 68, 2)


def train(faces, out, loss, net, stop_at=None):
    """Three epochs of three steps; or until a step, at which Ctrl-C is pressed."""
    validation = faces.split("validation").select(range(7))  # no even share for two processes
    teachers = Teachers(Plain(1), Plain(2)) if loss == "kd-paper" else None
    config = training.TrainConfig(loss, epochs=3, batch_size=12, learning_rate=2e-3)
    steps = []

    def count(module, args):
        steps.append(module.training)
        if sum(steps) == stop_at:
            raise KeyboardInterrupt

    net.register_forward_pre_hook(count)
    more = {"teachers": teachers, "validation": validation, "run": out / "run"}
    training.fit(net, faces.split("train"), config, **more)
    torch.save(net.state_dict(), out / f"rank{processes.state().process_index}.pt")


def resume(faces, out):
    """Interrupted in the second epoch, and taken up by a new network."""
    try:
        train(faces, out, "kd-paper", Plain(0), stop_at=5)
    except KeyboardInterrupt:
        log = (out / "run" / "log.jsonl").read_text().splitlines()
        assert len(log) == 1, "the first epoch is in the log"
    else:
        raise AssertionError("nothing was interrupted")
    train(faces, out, "kd-paper", Plain(0))


def batch_norm(faces, out):
    torch.manual_seed(0)
    train(faces, out, "l1", models.create("mobilenetv3_small_050", 68, size=24))


def cache(faces, out):
    net, asked = Plain(1), []
    net.register_forward_pre_hook(lambda module, args: asked.append(len(args[0])))
    how = {"seed": 0, "n_views": 2, "batch_size": 5}
    build_cache(Teachers(net, Plain(2)), faces.split("train"), out / "cache", **how)
    (out / f"asked{processes.state().process_index}").write_text(str(sum(asked)))


def course(faces, out):
    """In the profile tiny."""
    os.environ["KDNOTES_BUILD"] = str(out)
    recipes.train_student(recipes.open_course("tiny", faces.path, progress=False), "kd-paper")


RUNS = {
    "kd-paper": lambda faces, out: train(faces, out, "kd-paper", Plain(0)),
    "l1": lambda faces, out: train(faces, out, "l1", Plain(0)),
    "resume": resume,
    "batch norm": batch_norm,
    "cache": cache,
    "course": course,
}


def run(name, faces, out):
    folder = Path(out, name)
    folder.mkdir(parents=True, exist_ok=True)
    RUNS[name](FaceSet.open(faces), folder)
    return folder


if __name__ == "__main__":
    torch.set_num_threads(1)
    state = processes.state()
    for name in RUNS:
        if state.is_main_process:
            print(f"\nrun {name}", file=sys.stderr, flush=True)
        run(name, *sys.argv[1:])
    print(f"processes {state.num_processes}\n", end="")
