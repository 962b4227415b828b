"""How a new network is made: a timm backbone, and a head that starts near the mean shape."""

import difflib
from pathlib import Path

import numpy as np
import torch

from kdnotes.data.crops import CROP_MARGIN
from kdnotes.data.schemes import Scheme, to_json
from kdnotes.models.heatmaps import LEVELS, HeatmapNet
from kdnotes.models.network import LandmarkNet, NetConfig
from kdnotes.system.torch_pair import mismatch

try:
    import timm
except RuntimeError as error:  # timm imports torchvision
    raise mismatch() from error

#: The weights of a new linear head are this much smaller than PyTorch's: the first answer is nearly
#: the mean shape, and a short training starts from there rather than from chance.
HEAD_SCALE = 0.1

#: What a network reads landmarks off with: its class, and what it asks of timm's backbone.
HEADS = {
    "linear": (LandmarkNet, {"num_classes": 0}),
    "heatmap": (HeatmapNet, {"features_only": True, "out_indices": LEVELS}),
}


def from_config(config: NetConfig, pretrained: bool | str | Path = False) -> LandmarkNet:
    """A network of a configuration, whose head is drawn at random.

    Args:
        config: The configuration.
        pretrained: As in `create`.

    Raises:
        ValueError, FileNotFoundError, RuntimeError: As in `create`.
    """
    if config.head not in HEADS:
        raise ValueError(f"no head is called {config.head!r}; choose one of {', '.join(HEADS)}")
    kind, options = HEADS[config.head]
    return kind(config, _backbone(config.name, pretrained, options))


def _backbone(name, pretrained, options):
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; timm.list_models() lists them"
        raise ValueError(f"timm has no network called {name!r}{hint}")
    if isinstance(pretrained, (str, Path)):
        return _backbone_from(name, Path(pretrained), options)
    try:
        return timm.create_model(name, pretrained=pretrained, **options)
    except Exception as error:
        if not pretrained:
            raise
        raise RuntimeError(
            f"the ImageNet weights of {name} could not be fetched ({type(error).__name__}); give "
            "a file you have with pretrained=PATH, or start without them (pretrained=False)"
        ) from error


def _backbone_from(name, path, options):
    if not path.is_file():
        raise FileNotFoundError(f"no pretrained weights at {path}; check the path")
    overlay = {"file": str(path)}
    try:
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
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
    head: str = "linear",
    box: str = "landmarks",
) -> LandmarkNet:
    """A new network that answers nearly the mean shape; with heatmaps, nearly the crop's centre.

    Args:
        name: A timm backbone such as `mobilenetv2_100`.
        scheme: Of its landmarks, or just their number L.
        mean_shape: `(L, 2)` in network-crop units, the bias of the last layer; None: the centre.
        pretrained: True fetches ImageNet weights; a path loads them from a file; False starts anew.
        size: Side of the input in pixels.
        crop_margin: Side of the input crop / larger side of the landmarks' box.
        head: A name in `HEADS`.
        box: What its input is cropped around, "landmarks" or "picture".

    Raises:
        ValueError: Unknown backbone (near matches are named) or head, a mean shape of the wrong
            form, or a file of other weights.
        RuntimeError: Weights were asked for and could not be fetched.
    """
    n_points, own = scheme, None
    if isinstance(scheme, Scheme):
        n_points, known = scheme.n_points, to_json(scheme)
        own = known if isinstance(known, dict) else None
    config = NetConfig(name, n_points, size, crop_margin, scheme=own, head=head, box=box)
    net = from_config(config, pretrained)
    if mean_shape is None:
        mean_shape = torch.zeros(n_points, 2)
    mean_shape = torch.as_tensor(mean_shape, dtype=torch.float32)
    if mean_shape.shape != (n_points, 2):
        raise ValueError(
            f"expected a mean shape of ({n_points}, 2), found {tuple(mean_shape.shape)}"
        )
    if head == "linear":
        with torch.no_grad():
            net.head.weight.mul_(HEAD_SCALE)
            net.head.bias.copy_(mean_shape.flatten())
    return net


def begin_with(net: LandmarkNet, known: LandmarkNet) -> None:
    """Copies into a network the features that another one has learned, whatever its landmarks.

    Args:
        net: The new network. Its head stays as it is.
        known: The trained one. Its backbone may have layers that the new one does without.

    Raises:
        ValueError: They have different backbones, or the new one has layers that the other is
            without.
    """
    if net.config.name != known.config.name:
        raise ValueError(
            f"a {net.config.name} cannot begin with the features of a {known.config.name}"
        )
    learned, own = known.backbone.state_dict(), net.backbone.state_dict()
    if missing := own.keys() - learned:
        raise ValueError(
            f"the trained network has no {min(missing)}: a head of another kind needs it"
        )
    net.backbone.load_state_dict({key: learned[key] for key in own})
