"""Networks without a backbone, whose answers a test can foretell."""

from dataclasses import dataclass

import torch
from torch import nn

from kdnotes import models


@dataclass(frozen=True)
class FakeConfig:
    n_points: int = 68
    size: int = 24
    crop_margin: float = 1.3


class Centroid(nn.Module):
    """A fake teacher whose every point is where the picture's brightness is centred.

    The answer tells one view from any other, so that a mix-up of faces or views shows.
    """

    def __init__(self, config=FakeConfig(), shift=0.0):
        super().__init__()
        self.config = config
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, images):
        size = images.shape[-1]
        middle = (torch.arange(size) + 0.5) / size - 0.5
        mass = images.mean(dim=1) / images.mean(dim=1).sum(dim=(1, 2), keepdim=True)
        x, y = (mass.sum(1) * middle).sum(-1), (mass.sum(2) * middle).sum(-1)
        centre = torch.stack([x, y], dim=-1)[:, None] + self.shift  # (B, 1, 2)
        return centre.expand(-1, self.config.n_points, -1)


class Student(nn.Module):
    """A student that answers the same to every picture, and remembers what it saw."""

    def __init__(self, n_points=68):
        super().__init__()
        self.config = models.NetConfig("none", n_points, size=24)
        self.answer = nn.Parameter(torch.zeros(n_points, 2))
        self.seen = []

    def forward(self, images):
        self.seen.append(images.detach().clone())
        return self.answer.expand(len(images), -1, -1)
