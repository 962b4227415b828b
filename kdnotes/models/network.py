"""The network of the course: a timm backbone and one linear layer that answers with landmarks.

Student (MobileNetV2) and teachers (EfficientNet) are the same class with another backbone. What a
network needs to be used rightly (input side, crop margin, normalisation) is kept inside it and in
its file, so that a teacher with other preprocessing than its student still sees what it was trained
on.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from kdnotes.data.crops import CROP_MARGIN
from kdnotes.views import to_tensor


@dataclass(frozen=True)
class NetConfig:
    """What a network is and how its input is made.

    Attributes:
        name: Backbone, a timm name.
        n_points: Number of landmarks L.
        size: Side of the input in pixels.
        crop_margin: Side of the input crop / larger side of the landmarks' box.
        mean, std: Per-channel normalisation of images from 0 to 1.
        scheme: A scheme of one's own in full, as `schemes.to_json` writes it. None: the built-in
            one of `n_points`, if there is one.
        head: What reads landmarks off the features, a name in `building.HEADS`.
        box: What its input is cropped around: the box of the "landmarks", or the whole "picture".
    """

    name: str
    n_points: int
    size: int = 64
    crop_margin: float = CROP_MARGIN
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    scheme: dict | None = None
    head: str = "linear"
    box: str = "landmarks"


class LandmarkNet(nn.Module):
    """Images `(B, 3, H, W)` from 0 to 1 in, landmarks `(B, L, 2)` in network-crop units out."""

    def __init__(self, config: NetConfig, backbone: nn.Module):
        super().__init__()
        self.config = config
        self.backbone = backbone
        self.head = self._new_head()
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(config.std).view(1, 3, 1, 1))

    def _new_head(self):
        return nn.Linear(_pooled_width(self.backbone, self.config.size), 2 * self.config.n_points)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = images.to(self.mean.dtype)
        features = self.backbone((images - self.mean) / self.std)  # (B, C)
        # bf16 has 8 bits of precision: it would round landmarks by a tenth of a pixel and more.
        with torch.autocast(images.device.type, enabled=False):
            answers = self.head(features.to(self.head.weight.dtype))
        return answers.view(-1, self.config.n_points, 2)

    @torch.no_grad()
    def read(self, crops: np.ndarray) -> np.ndarray:
        """Landmarks `(N, L, 2)` in network-crop units of uint8 crops `(N, size, size, 3)`."""
        return self(to_tensor(crops, self.mean.device).float() / 255).float().cpu().numpy()


def _pooled_width(backbone, size):
    """Width of the pooled features, measured: what timm advertises is not always what comes out."""
    was_training = backbone.training
    with torch.no_grad():
        image = next(backbone.parameters()).new_zeros(1, 3, size, size)
        width = backbone.eval()(image).shape[-1]
    backbone.train(was_training)
    return width


@torch.no_grad()
def without_last(net: LandmarkNet, n: int) -> LandmarkNet:
    """The network without its last `n` points, which were there for the training alone."""
    config = replace(net.config, n_points=net.config.n_points - n)
    cut = LandmarkNet(config, net.backbone).to(net.mean).train(net.training)
    for name in ("weight", "bias"):
        getattr(cut.head, name).copy_(getattr(net.head, name)[: -2 * n])
    return cut


def freeze(net: nn.Module) -> nn.Module:
    """Puts `net` in evaluation mode and takes its parameters out of training; returns it.

    `no_grad` alone would not do: in training mode dropout stays active and batch norm goes on
    updating its statistics.
    """
    return net.eval().requires_grad_(False)


def count_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def fingerprint(net: nn.Module) -> str:
    """A hash of all weights and buffers: two networks with the same one give the same answers."""
    digest = hashlib.sha256()
    for key, value in plain(net).state_dict().items():
        digest.update(key.encode())
        flat = value.detach().cpu().flatten()  # bytes of a number without dimensions: not a view
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def plain(net: nn.Module) -> nn.Module:
    """The network itself, without the wrappers of `torch.compile` and of several processes."""
    while (inner := getattr(net, "_orig_mod", getattr(net, "module", net))) is not net:
        net = inner
    return net
