"""Random, reproducible views: what is drawn for each face, before a pixel is moved.

What a view is depends only on (seed, sample, view number), never on the batch it is drawn in. So a
teacher's answer can be stored once and found again for the same view.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from kdnotes.data.crops import CROP_MARGIN, STORED_MARGIN
from kdnotes.data.schemes import Scheme, get


@dataclass(frozen=True)
class ViewConfig:
    """How far views stray from the plain crop: half-widths of uniform ranges, largest values or
    probabilities.

    Attributes:
        rotation: Degrees.
        scale: Share; 0.15 gives factors from 0.85 to 1.15.
        shift: Crop widths.
        flip: Chance that the view is mirrored.
        brightness, contrast, gamma: Additive, multiplicative and exponent (as a share) changes.
        grey, blur, noise, occluder: Chances of a grey picture, a slight blur, a camera's noise and
            a covering patch.
        noise_level: Largest standard deviation of the noise; white is 1.
        occluder_size: Largest side of the patch, crop widths.
    """

    rotation: float = 20.0
    scale: float = 0.12
    shift: float = 0.05
    flip: float = 0.5
    brightness: float = 0.15
    contrast: float = 0.25
    gamma: float = 0.3
    grey: float = 0.15
    blur: float = 0.15
    noise: float = 0.15
    noise_level: float = 0.08
    occluder: float = 0.2
    occluder_size: float = 0.35

    def scaled(self, strength: float) -> "ViewConfig":
        """Everything but the mirror image made `strength` times as strong."""
        names = set(self.__dataclass_fields__) - {"flip"}
        return replace(self, **{name: strength * getattr(self, name) for name in names})

    def on(self, scheme: Scheme | int) -> "ViewConfig":
        """The same without mirror images where the scheme has no flip."""
        return self if get(scheme).flip else replace(self, flip=0.0)


#: The plain crop.
STILL = ViewConfig(**dict.fromkeys(ViewConfig.__dataclass_fields__, 0.0))


@dataclass(frozen=True)
class Views:
    """A batch of views.

    Attributes:
        matrix: `(B, 2, 3)`, from stored-crop units to the view's units.
        flip: `(B,)` bool, whether the view is mirrored (the matrix says so too).
        tone: `(B, 3)` contrast, brightness and gamma.
        grey, blur: `(B,)` from 0 (none) to 1.
        noise: `(B, 3)` standard deviation, and the row and column at which `_grain` is read.
        patch: `(B, 4)` covering patch: left, top, right, bottom in view units; left = right: none.
        patch_colour: `(B, 3)`, from 0 to 1.
        zoom: How much larger the face is in an average view than in the stored crop.
        reach: Half the side of the square of the stored crop in which all of them lie (its units).
        changes: Which of tone, grey, blur, noise and patch occur in this batch at all. It is known
            when views are drawn; asking the tensors on a GPU would wait for it.
    """

    matrix: torch.Tensor
    flip: torch.Tensor
    tone: torch.Tensor
    grey: torch.Tensor
    blur: torch.Tensor
    noise: torch.Tensor
    patch: torch.Tensor
    patch_colour: torch.Tensor
    zoom: float
    reach: float
    changes: frozenset[str]

    def __len__(self) -> int:
        return len(self.matrix)

    def to(self, device: torch.device | str) -> "Views":
        tensors = {k: v for k, v in vars(self).items() if isinstance(v, torch.Tensor)}
        return replace(self, **{k: v.to(device, non_blocking=True) for k, v in tensors.items()})

    def at_margin(self, margin: float, crop_margin: float) -> "Views":
        """The same views as a network with crop margin `margin` sees them, not `crop_margin`."""
        factor = crop_margin / margin
        if factor == 1.0:
            return self
        return replace(
            self,
            matrix=self.matrix * factor,
            patch=self.patch * factor,
            zoom=self.zoom * factor,
            reach=self.reach / min(factor, 1.0),  # the shift is scaled, too
        )


def _mix(x):
    """SplitMix64's finaliser: scrambles 64-bit numbers until neighbours have nothing in common."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _uniform(seed, sample_ids, view_ids, n):
    """`(B, n)` numbers from 0 to 1 that depend on (seed, sample, view) alone."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        key = _mix(np.asarray([seed], dtype=np.uint64) + golden)
        key = _mix(key ^ np.asarray(sample_ids, dtype=np.uint64)) + golden
        key = _mix(key ^ np.asarray(view_ids, dtype=np.uint64))
        bits = _mix(key[:, None] + golden * np.arange(1, n + 1, dtype=np.uint64))
    return (bits >> np.uint64(11)) / float(1 << 53)


#: The random numbers of a view, in the order in which they are drawn. A new one goes to the end:
#: in the middle it would change all views that were drawn before.
DRAWN = (
    "rotation", "scale", "shift_x", "shift_y", "flip",
    "contrast", "brightness", "gamma", "grey", "blur",
    "patch_width", "patch_height", "patch", "patch_x", "patch_y",
    "patch_red", "patch_green", "patch_blue",
    "noise", "noise_level", "noise_row", "noise_column",
)  # fmt: skip


def sample_views(
    sample_ids: np.ndarray,
    view_ids: np.ndarray | int,
    *,
    seed: int,
    strength: float = 1.0,
    config: ViewConfig | None = None,
    zoom: float = STORED_MARGIN / CROP_MARGIN,
) -> Views:
    """Draws one view per (sample, view number).

    Args:
        sample_ids: `(B,)` whole numbers; `FaceSet.rows` of the samples.
        view_ids: `(B,)` whole numbers, or one for all.
        seed: Of the draws.
        strength: Scales `config` (default: `ViewConfig()`); 0 leaves the plain crop and mirroring.
        config: How far views stray.
        zoom: Stored margin / crop margin: how much larger the face is in the view.

    Example:
        >>> drawn = views.sample_views([7, 8], 0, seed=0)
        >>> drawn.matrix.shape
        torch.Size([2, 2, 3])
        >>> again = views.sample_views([8], 0, seed=0)  # the batch does not matter
        >>> bool((again.matrix[0] == drawn.matrix[1]).all())
        True
    """
    sample_ids = np.atleast_1d(sample_ids)
    config = (config or ViewConfig()).scaled(strength)
    view_ids = np.broadcast_to(view_ids, sample_ids.shape)
    drawn = torch.from_numpy(_uniform(seed, sample_ids, view_ids, len(DRAWN)))  # (B, 22)
    u = dict(zip(DRAWN, drawn.unbind(1), strict=True))  # from 0 to 1
    s = {name: 2 * value - 1 for name, value in u.items()}  # from -1 to 1

    flip = u["flip"] < config.flip
    matrix = _matrices(
        angle=math.radians(config.rotation) * s["rotation"],
        scale=zoom * (1 + config.scale * s["scale"]),
        shift=[config.shift * s["shift_x"], config.shift * s["shift_y"]],
        flip=flip,
    )
    tone = _columns(
        1 + config.contrast * s["contrast"],
        config.brightness * s["brightness"],
        torch.exp(math.log1p(config.gamma) * s["gamma"]),
    )
    noise = config.noise_level * u["noise_level"] * (u["noise"] < config.noise)
    size = config.occluder_size * _columns(u["patch_width"], u["patch_height"])
    size = size * (u["patch"] < config.occluder)[:, None]
    corner = _columns(u["patch_x"], u["patch_y"]) - 0.5 - size / 2
    changes = {
        "tone": tone != tone.new_tensor([1.0, 0.0, 1.0]),
        "grey": u["grey"] < config.grey,
        "blur": u["blur"] < config.blur,
        "noise": noise > 0,
        "patch": size > 0,
    }
    return Views(
        matrix=matrix.float(),
        flip=flip,
        tone=tone.float(),
        grey=changes["grey"].float(),
        blur=changes["blur"].float(),
        noise=_columns(noise, u["noise_row"], u["noise_column"]).float(),
        patch=torch.cat([corner, corner + size], dim=-1).float(),
        patch_colour=_columns(u["patch_red"], u["patch_green"], u["patch_blue"]).float(),
        zoom=zoom,
        reach=float(stored_points(_CORNERS.expand(len(matrix), 4, 2), matrix).abs().max()),
        changes=frozenset(name for name, where in changes.items() if where.any()),
    )


def _columns(*values):
    """Vectors `(B,)` side by side: `(B, n)`."""
    return torch.stack(values, dim=-1)


def _matrices(angle, scale, shift, flip):
    """`(B, 2, 3)`: mirrored, turned, scaled and shifted, in this order."""
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    mirror = 1.0 - 2.0 * flip.double()
    right, down = shift
    rows = _columns(mirror * cos, -sin, right), _columns(mirror * sin, cos, down)
    return torch.stack(rows, dim=1)


def stored_points(points: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Points `(B, n, 2)` of views, where they lie in the stored crops."""
    return (points - matrix[:, None, :, 2]) @ torch.linalg.inv_ex(matrix[:, :, :2]).inverse.mT


_CORNERS = torch.tensor([[x, y] for x in (-0.5, 0.5) for y in (-0.5, 0.5)], dtype=torch.float64)


def plain_views(n: int, zoom: float = STORED_MARGIN / CROP_MARGIN) -> Views:
    """The plain crop, `n` times: what networks are evaluated on.

    Example:
        >>> points = torch.tensor([[[0.1, 0.2]]])
        >>> views.warp_points(points, views.plain_views(1, zoom=2.0), Scheme(1))
        tensor([[[0.2000, 0.4000]]])
    """
    return sample_views(np.zeros(n), 0, seed=0, config=STILL, zoom=zoom)
