"""A network as one safetensors file that knows its configuration, and a readable copy beside it."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from kdnotes.models.building import from_config
from kdnotes.models.network import LandmarkNet, NetConfig, plain
from kdnotes.system.files import json_text, new_file, write_json


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
    net = from_config(NetConfig(**config))
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
