"""What KD-Loss costs: its share of a training step, in one run on one machine.

python -m kdnotes.evaluation.bench
"""

import time

import numpy as np
import torch

from kdnotes import losses, models, profiles
from kdnotes.evaluation import report


def seconds(work, repeats: int) -> float:
    """Median time of some runs, after two to warm up."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times[2:]))


def loss_share(
    profile: profiles.Profile, batch: int = 32, repeats: int = 10
) -> tuple[float, float]:
    """Seconds of KD-Loss forward and backward, and of the student's whole step with L1."""
    net = models.create(profile.student, 68, size=profile.student_size).train()
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    images = torch.rand(batch, 3, profile.student_size, profile.student_size)
    images = images.contiguous(memory_format=torch.channels_last)
    target, tough, tolerant = torch.randn(3, batch, 68, 2) * 0.1
    pred = (target + 0.02 * torch.randn_like(target)).requires_grad_()

    def loss():
        pred.grad = None
        losses.kd_loss(pred, target, tough, tolerant).total.backward()

    def step():
        optimizer.zero_grad(set_to_none=True)
        losses.l1(net(images), target).backward()
        optimizer.step()

    return seconds(loss, 20 * repeats), seconds(step, repeats)


def main() -> None:
    print(report.hardware()["device"], "torch", torch.__version__)
    for name in ("quick", "full"):
        profile = profiles.get(name)
        loss, step = loss_share(profile)
        print(
            f"{name:6} {profile.student} {profile.student_size} px, batch 32: step "
            f"{1000 * step:.0f} ms, KD-Loss {1000 * loss:.2f} ms, {loss / step:.1%} of the step"
        )


if __name__ == "__main__":
    main()
