"""What a training step costs and what each part of the engine is worth.

    python -m kdnotes bench --profile quick

All works are timed in one run, round after round, so that a busy moment of the machine falls on all
of them. They are compared by their ratios within each round.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from kdnotes import models
from kdnotes.course import profiles
from kdnotes.course.machine import hardware
from kdnotes.evaluation.cost import interleave
from kdnotes.research.steps import Setting, works

#: Pictures of the paper's whole schedule on 300W: 150 epochs of four stored copies of 3,148 faces.
PAPER_PICTURES = 150 * 4 * 3148


def training_memory(net: models.LandmarkNet, batch: int) -> float:
    """Bytes that a training of `net` needs in float32, without the workspace of the libraries.

    There are weights, gradients, Adam's two moments and the running average, all of the same size.
    There is also what the backward pass needs of each picture, which is measured on two.

    Args:
        net: The network, on the CPU.
        batch: Pictures per step.

    Raises:
        ValueError: The network is frozen.
    """
    saved, weights = {}, {p.data_ptr() for p in net.parameters()}

    def save(tensor):
        if tensor.data_ptr() not in weights:
            saved[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    size = net.config.size
    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        pred = net.train()(torch.rand(2, 3, size, size))
    if not pred.requires_grad:
        raise ValueError(
            "a frozen network keeps nothing for a backward pass: give one whose parameters learn, "
            "net.requires_grad_(True)"
        )
    return 5 * 4 * models.count_parameters(net) + batch * sum(saved.values()) / 2


@dataclass(frozen=True)
class Result:
    """What a benchmark measured.

    Attributes:
        times: Name of a work to its seconds in each round.
        meta: Profile, batch size, machine and versions, as JSON values.
    """

    times: dict[str, np.ndarray]
    meta: dict

    def ratio(self, name: str, reference: str) -> tuple[float, float, float]:
        """How many times as fast `name` is as `reference`.

        Returns:
            Median, least and most of the rounds.
        """
        ratios = self.times[reference] / self.times[name]
        return float(np.median(ratios)), float(ratios.min()), float(ratios.max())

    def rate(self, name: str) -> float:
        """Pictures per second, by the median of the rounds."""
        return self.meta["batch"] / float(np.median(self.times[name]))

    def json(self) -> dict:
        """The result as JSON values."""
        seconds = {name: times.round(6).tolist() for name, times in self.times.items()}
        return self.meta | {"seconds": seconds}

    def text(self) -> str:
        """The result as text for people."""
        meta, whole = self.meta, "step, teachers' landmarks stored"
        lines = [
            f"{meta['profile']}: {meta['networks']}, batch {meta['batch']}; {meta['device']}, "
            f"{meta['threads']} threads, torch {meta['torch']}; median of {meta['repeats']} "
            "rounds (least to most)",
            "",
        ]
        lines += [f"{name:34} {self.rate(name):9.1f} images/s" for name in self.times]
        lines += ["", f"times as fast as the {whole}:"]
        for name in self.times:
            if name.startswith("step") and name != whole:
                middle, least, most = self.ratio(name, whole)
                lines.append(f"{name:34} {middle:6.2f}  ({least:.2f} to {most:.2f})")
        lines += ["", "share of that step:"]
        parts = ("views", "stored landmarks", "KD-Loss", "clipping", "running average")
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
        if meta["profile"] == "full":
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
        repeats: Rounds, at least 5 for numbers to publish.
        compiled: Also time `torch.compile`, which takes minutes to warm up.
        progress: Show progress bars.
    """
    batch = batch or profile.batch_size
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(profile, batch, Path(folder), progress)
        times = interleave(
            works(setting, Path(folder), compiled),
            repeats,
            device=setting.device.type,
            progress=progress,
        )
    meta = {
        "profile": profile.name,
        "networks": f"{profile.student} {profile.student_size} px, "
        f"teachers {profile.teacher} {profile.teacher_size} px",
        "batch": batch,
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        **hardware(),
    }
    return Result(times, meta)
