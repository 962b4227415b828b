"""Networks: a timm backbone and one linear layer that answers with landmarks.

Student (MobileNetV2) and teachers (EfficientNet) are the same class with another backbone. What a
network needs to be used rightly (input side, crop margin, normalisation) is kept inside it and in
its file, so that a teacher with other preprocessing than its student still sees what it was trained
on.
"""

import difflib
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from kdnotes.data.crops import CROP_MARGIN
from kdnotes.data.schemes import Scheme, to_json
from kdnotes.system.files import json_text, new_file, write_json
from kdnotes.system.torch_pair import mismatch
from kdnotes.views import to_tensor

try:
    import timm
except RuntimeError as error:  # timm imports torchvision
    raise mismatch() from error

#: The new head's weights are this much smaller than PyTorch's: the first answer is nearly the mean
#: shape, and a short training starts from there rather than from chance.
HEAD_SCALE = 0.1


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
    """

    name: str
    n_points: int
    size: int = 64
    crop_margin: float = CROP_MARGIN
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    scheme: dict | None = None


class LandmarkNet(nn.Module):
    """Images `(B, 3, H, W)` from 0 to 1 in, landmarks `(B, L, 2)` in network-crop units out."""

    def __init__(self, config: NetConfig, backbone: nn.Module):
        super().__init__()
        self.config = config
        self.backbone = backbone
        self.head = nn.Linear(_pooled_width(backbone, config.size), 2 * config.n_points)
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(config.std).view(1, 3, 1, 1))

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


def _backbone(name, pretrained):
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; timm.list_models() lists them"
        raise ValueError(f"timm has no network called {name!r}{hint}")
    if isinstance(pretrained, (str, Path)):
        return _backbone_from(name, Path(pretrained))
    try:
        return timm.create_model(name, num_classes=0, pretrained=pretrained)
    except Exception as error:
        if not pretrained:
            raise
        raise RuntimeError(
            f"the ImageNet weights of {name} could not be fetched ({type(error).__name__}); give "
            "a file you have with pretrained=PATH, or start without them (pretrained=False)"
        ) from error


def _backbone_from(name, path):
    if not path.is_file():
        raise FileNotFoundError(f"no pretrained weights at {path}; check the path")
    overlay = {"file": str(path)}
    try:
        return timm.create_model(
            name, num_classes=0, pretrained=True, pretrained_cfg_overlay=overlay
        )
    except Exception as error:  # timm, safetensors and pickle each have their own
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} does not hold weights of {name}: {reason}") from error


def create(
    name: str,
    scheme: int | Scheme,
    *,
    mean_shape: np.ndarray | torch.Tensor | None = None,
    pretrained: bool | str | Path = False,
    size: int = 64,
    crop_margin: float = CROP_MARGIN,
) -> LandmarkNet:
    """A new network that answers nearly the mean shape.

    Args:
        name: A timm backbone such as `mobilenetv2_100`.
        scheme: Of its landmarks, or just their number L.
        mean_shape: `(L, 2)` in network-crop units, the bias of the last layer; None: the centre.
        pretrained: True fetches ImageNet weights; a path loads them from a file; False starts anew.
        size: Side of the input in pixels.

    Raises:
        ValueError: Unknown backbone (near matches are named), a mean shape of the wrong form, or a
            file of other weights.
        RuntimeError: Weights were asked for and could not be fetched.
    """
    n_points, own = scheme, None
    if isinstance(scheme, Scheme):
        n_points, known = scheme.n_points, to_json(scheme)
        own = known if isinstance(known, dict) else None
    config = NetConfig(name, n_points, size, crop_margin, scheme=own)
    net = LandmarkNet(config, _backbone(name, pretrained))
    if mean_shape is None:
        mean_shape = torch.zeros(n_points, 2)
    mean_shape = torch.as_tensor(mean_shape, dtype=torch.float32)
    if mean_shape.shape != (n_points, 2):
        raise ValueError(
            f"expected a mean shape of ({n_points}, 2), found {tuple(mean_shape.shape)}"
        )
    with torch.no_grad():
        net.head.weight.mul_(HEAD_SCALE)
        net.head.bias.copy_(mean_shape.flatten())
    return net


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


def _file(path):
    """`path` with its suffix; a name such as `student-0.5` keeps its dot."""
    path = Path(path)
    return path if path.suffix == ".safetensors" else path.with_name(f"{path.name}.safetensors")


def save(net: nn.Module, path: str | Path, *, card: dict | None = None, half: bool = False) -> Path:
    """Writes weights and configuration to one safetensors file, and a readable copy beside it.

    Args:
        net: A `LandmarkNet`, compiled or not, in any memory format.
        path: File to write; `.safetensors` is added where it is missing.
        card: What else a reader should know (data, seed, results); JSON values.
        half: Store 16 bits of each weight, which takes half the space; `load` gives 32 again.

    Returns:
        The file's path. A `.json` beside it holds the configuration and the card for people; what
        is loaded is the copy inside the weights' file, so the two cannot drift apart.

    Raises:
        ValueError: A weight that 16 bits cannot hold.
    """
    path = _file(path)
    net = plain(net)
    # clone: safetensors refuses shared memory; contiguous: and other layouts than row by row
    weights = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in net.state_dict().items()
    }
    if half:
        weights = {k: _halved(k, v) if v.is_floating_point() else v for k, v in weights.items()}
    metadata = {"config": asdict(net.config), "card": card or {}}
    with new_file(path) as part:
        save_file(weights, part, metadata={"kdnotes": json_text(metadata)})
    write_json(path.with_suffix(".json"), metadata)
    return path


def _halved(name, values):
    halved = values.half()
    if not torch.isfinite(halved).all():
        raise ValueError(
            f"{name} holds numbers that 16 bits cannot: up to {values.abs().max():.3g}"
        )
    return halved


def load(path: str | Path, device: torch.device | str = "cpu") -> LandmarkNet:
    """Reads a network written by `save`, in evaluation mode; `net.card` is its card.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Damaged file, a file of something else, or weights that do not fit.
    """
    path = _file(path)
    if not path.is_file():
        raise FileNotFoundError(f"no network at {path}; train it first, or check the path")
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            metadata = json.loads((file.metadata() or {})["kdnotes"])
            config, card = metadata["config"], metadata["card"]
            weights = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged or not a kdnotes network ({error}); delete it and train again"
        ) from error
    config = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    net = LandmarkNet(NetConfig(**config), _backbone(config["name"], pretrained=False))
    shapes = {key: value.shape for key, value in weights.items()}
    expected = {key: value.shape for key, value in net.state_dict().items()}
    if shapes != expected:
        missing, unexpected = sorted(expected.keys() - shapes), sorted(shapes.keys() - expected)
        other = [key for key in expected if key in shapes and shapes[key] != expected[key]]
        raise ValueError(
            f"{path} does not hold the weights of {config['name']}: missing {missing[:3]}, "
            f"unexpected {unexpected[:3]}, of another shape {other[:3]}"
        )
    net.load_state_dict(weights)
    net.card = card
    return net.to(device).eval()
