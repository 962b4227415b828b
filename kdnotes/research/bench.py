"""What a training step costs and what each part of the engine is worth.

    python -m kdnotes bench --profile quick

Everything is timed in one run, in turn, round after round, so that a busy moment of the machine
falls on all of it; what is compared is the ratio within each round.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from kdnotes import models
from kdnotes.course import profiles
from kdnotes.course.machine import hardware
from kdnotes.research.steps import Setting, works

#: Pictures of the paper's whole schedule on 300W: 150 epochs of four stored copies of 3,148 faces.
PAPER_PICTURES = 150 * 4 * 3148


def interleave(
    works: dict[str, Callable[[], None]], repeats: int, device: torch.device, progress: bool = True
) -> dict[str, np.ndarray]:
    """Seconds of each work in each round, after one round to warm up."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    times = {name: [] for name in works}
    bar = tqdm(total=(repeats + 1) * len(works), desc="bench", disable=not progress)
    for _ in range(repeats + 1):
        for name, work in works.items():
            wait()
            start = time.perf_counter()
            work()
            wait()
            times[name].append(time.perf_counter() - start)
            bar.update()
    bar.close()
    return {name: np.array(found[1:]) for name, found in times.items()}


def training_memory(net: models.LandmarkNet, batch: int) -> float:
    """Bytes that a training of `net` needs in float32, without the workspace of the libraries.

    Weights, gradients, Adam's two moments and the running average, all of the same size; and what
    the backward pass needs to be kept of each picture, counted on two.

    Raises:
        ValueError: The network is frozen.
    """
    kept, weights = {}, {p.data_ptr() for p in net.parameters()}

    def keep(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    size = net.config.size
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answer = net.train()(torch.rand(2, 3, size, size))
    if not answer.requires_grad:
        raise ValueError(
            "a frozen network keeps nothing for a backward pass: give one whose parameters learn, "
            "net.requires_grad_(True)"
        )
    return 5 * 4 * models.count_parameters(net) + batch * sum(kept.values()) / 2


@dataclass(frozen=True)
class Result:
    """Seconds of each work in each round, and what the run was made with."""

    times: dict[str, np.ndarray]
    about: dict

    def ratio(self, name: str, reference: str) -> tuple[float, float, float]:
        """How many times as fast `name` is as `reference`: median of the rounds, least, most."""
        ratios = self.times[reference] / self.times[name]
        return float(np.median(ratios)), float(ratios.min()), float(ratios.max())

    def rate(self, name: str) -> float:
        """Pictures per second, median."""
        return self.about["batch"] / float(np.median(self.times[name]))

    def json(self) -> dict:
        seconds = {name: [round(x, 6) for x in found] for name, found in self.times.items()}
        return self.about | {"seconds": seconds}

    def text(self) -> str:
        """For people."""
        about, whole = self.about, "step, teachers' landmarks stored"
        lines = [
            f"{about['profile']}: {about['networks']}, batch {about['batch']}; {about['device']}, "
            f"{about['threads']} threads, torch {about['torch']}; median of {about['repeats']} "
            "rounds (least to most)",
            "",
        ]
        for name in self.times:
            lines.append(f"{name:34} {self.rate(name):9.1f} images/s")
        lines += ["", f"times as fast as the {whole}:"]
        for name in self.times:
            if name.startswith("step") and name != whole:
                lines.append("{:34} {:6.2f}  ({:.2f} to {:.2f})".format(
                    name, *self.ratio(name, whole)))  # fmt: skip
        lines += ["", "share of that step:"]
        parts = ("views", "stored landmarks", "KD-Loss and log", "clipping", "running average")
        for name in ("student alone", *parts):
            lines.append(f"{name:34} {1 / self.ratio(name, whole)[0]:6.1%}")
        lines += ["", "in one line each:"]
        for sentence, name, reference in (
            ("the whole step reaches {:.0%} of the student alone", whole, "student alone"),
            ("stored landmarks: {:.2f} times asking", whole, "step, teachers asked every time"),
            ("against the naive loop: {:.2f} times as fast", whole, "naive loop"),
        ):
            middle, least, most = self.ratio(name, reference)
            lines.append(f"{sentence.format(middle)} ({least:.2f} to {most:.2f})")
        if about["profile"] == "full":
            hours = PAPER_PICTURES / self.rate(whole) / 3600
            lines.append(f"the paper's schedule on 300W at this rate: {hours:.1f} hours a student")
        return "\n".join(lines)


def run(
    profile: profiles.Profile,
    *,
    batch: int | None = None,
    repeats: int = 7,
    compiled: bool = False,
    progress: bool = True,
) -> Result:
    """Times everything on this machine's GPU or CPU.

    Args:
        profile: Sizes and networks.
        batch: Faces per step; None: the profile's.
        repeats: Rounds, at least 5 for a figure that one shows.
        compiled: Also time `torch.compile`, which takes minutes to warm up.
    """
    batch = batch or profile.batch_size
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(profile, batch, Path(folder), progress)
        todo = works(setting, Path(folder), compiled)
        times = interleave(todo, repeats, setting.device, progress)
    networks = (
        f"{profile.student} {profile.student_size} px, teachers {profile.teacher} "
        f"{profile.teacher_size} px"
    )
    about = {"profile": profile.name, "networks": networks, "batch": batch, "repeats": repeats}
    return Result(times, about | {"threads": torch.get_num_threads()} | hardware())
