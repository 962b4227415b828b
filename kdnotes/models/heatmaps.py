"""A network that answers with a map per landmark, and reads the landmark off as the map's mean.

Integral regression (Sun et al., Integral Human Pose Regression, ECCV 2018): each map is turned into
a distribution over places by a softmax; the landmark is the mean place. So it learns from the same
landmarks with the same losses as `LandmarkNet`, but a place in the image stays a place in the
network. It needs far fewer steps.
"""

import torch
from torch import nn
from torch.nn import functional

from kdnotes.models.network import LandmarkNet

#: Which features of a backbone are used: those at 1/8, 1/16 and 1/32 of the image's side.
LEVELS = (2, 3, 4)

#: Number of channels in which the levels are added.
WIDTH = 64

#: Side of the maps in crop widths: landmarks near the border of a crop, and a little beyond it, are
#: means of places on both sides.
REACH = 1.25

#: What maps are multiplied with before the softmax, at first; it is learned.
SHARPNESS = 5.0


class Heatmaps(nn.Module):
    """The head: features of several sizes in, landmarks out.

    Args:
        channels: Of the features at each level, the largest maps first.
        n_points: Number of landmarks L.

    Attributes:
        bias: `(2·L,)`, added to the landmarks; zero, and not learned.
    """

    def __init__(self, channels: list[int], n_points: int):
        super().__init__()
        self.levels = nn.ModuleList(_normalised(n, WIDTH, 1) for n in channels)
        self.mix = nn.Sequential(
            _normalised(WIDTH, WIDTH, 3, groups=WIDTH),
            nn.ReLU(),
            _normalised(WIDTH, WIDTH, 1),
            nn.ReLU(),
        )
        self.maps = nn.Conv2d(WIDTH, n_points, 1)
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))
        self.register_buffer("bias", torch.zeros(2 * n_points))

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        """Landmarks `(B, L, 2)` of features `(B, C, H, W)`, in network-crop units."""
        share = self.distribution(features)
        x, y = (_places(n).to(share) for n in (share.shape[3], share.shape[2]))
        means = torch.stack([share.sum(dim=2) @ x, share.sum(dim=3) @ y], dim=-1)
        return means + self.bias.view(-1, 2)

    def distribution(self, features: list[torch.Tensor]) -> torch.Tensor:
        """How likely each landmark is at each place, `(B, L, H, W)`; each map sums to 1."""
        summed = None
        for level, feature in reversed(list(zip(self.levels, features, strict=True))):
            own = level(feature)
            if summed is not None:
                own = own + functional.interpolate(summed, size=own.shape[2:], mode="nearest")
            summed = functional.relu(own)
        maps = self.sharpness * self.maps(self.mix(summed))
        return maps.flatten(2).softmax(dim=-1).view_as(maps)


class HeatmapNet(LandmarkNet):
    """Images `(B, 3, H, W)` from 0 to 1 in, landmarks `(B, L, 2)` in network-crop units out."""

    def _new_head(self):
        return Heatmaps(self.backbone.feature_info.channels(), self.config.n_points)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = images.to(self.mean.dtype)
        features = self.backbone((images - self.mean) / self.std)
        with torch.autocast(images.device.type, enabled=False):
            return self.head([feature.to(self.head.bias.dtype) for feature in features])


def _normalised(n_in, n_out, side, groups=1):
    convolution = nn.Conv2d(n_in, n_out, side, padding=side // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out))


def _places(n):
    """The middles of `n` pixels in a row, in crop widths from the middle of the crop."""
    return REACH * ((torch.arange(n) + 0.5) / n - 0.5)
