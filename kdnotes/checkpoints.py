"""A training's folder: its state in one safetensors file, and its log.

One file, so that its parts cannot come from different moments; no pickle, so that a newer PyTorch
still reads it. Random numbers need no place here: order and views follow from the seed and the
epoch.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kdnotes.files import new_file


class Run:
    """A training's folder, or nothing at all where `folder` is None.

    Args:
        folder: Holds `checkpoint.safetensors` and `log.jsonl` (one line per epoch).
        key: What makes it this training and no other: configuration, data, network, teachers.
    """

    def __init__(self, folder: str | Path | None, key: dict):
        self.folder = None if folder is None else Path(folder)
        self.key = json.loads(json.dumps(key))  # as it will be read back: lists, not tuples

    @property
    def name(self) -> str:
        return "train" if self.folder is None else self.folder.name

    def read(self) -> tuple[dict[str, dict], list[dict]] | None:
        """State dicts and history of what was done so far; None at the start.

        Raises:
            ValueError: The folder belongs to another training, or its checkpoint is damaged.
        """
        if self.folder is None or not (path := self.folder / "checkpoint.safetensors").exists():
            return None
        parts, about = load(path)
        for name in self.key.keys() | about["key"].keys():
            old, new = about["key"].get(name), self.key.get(name)
            if old != new:
                raise ValueError(
                    f"{self.folder} holds a training with another {name} ({_change(old, new)}); "
                    "delete it or choose another folder"
                )
        return parts, about["history"]

    def write(self, parts: dict[str, dict], history: list[dict]) -> None:
        """Stores the state after an epoch, and the log."""
        if self.folder is None:
            return
        about = {"key": self.key, "history": history}
        save(self.folder / "checkpoint.safetensors", parts, about)
        with new_file(self.folder / "log.jsonl") as part:
            part.write_text("".join(json.dumps(entry) + "\n" for entry in history))


def _change(old, new):
    """What differs between two JSON values, in words; of two dicts only the entries that do."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return f"{old}, now {new}"
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)}, now {new.get(name)}" for name in names)


def save(path: Path, parts: dict[str, dict], about: dict) -> None:
    """Writes state dicts.

    Args:
        path: File to write.
        parts: Name to a state dict; an optimiser's is flattened.
        about: JSON values: epoch, config, history.
    """
    tensors = {}
    for name, state in parts.items():
        if "param_groups" in state:  # an optimiser: {parameter number: {quantity: tensor}}
            state = {
                f"{i}.{quantity}": value
                for i, quantities in state["state"].items()
                for quantity, value in quantities.items()
            }
        for key, value in state.items():
            value = torch.as_tensor(value).detach().cpu()
            tensors[f"{name}/{key}"] = value.clone(memory_format=torch.contiguous_format)
    with new_file(path) as part:
        save_file(tensors, part, metadata={"kdnotes": json.dumps(about)})


def load(path: Path) -> tuple[dict[str, dict], dict]:
    """The parts and the JSON values that `save` wrote.

    Raises:
        ValueError: The file is damaged.
    """
    parts: dict[str, dict] = {}
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["kdnotes"])
            for key in file.keys():
                name, inner = key.split("/", 1)
                parts.setdefault(name, {})[inner] = file.get_tensor(key)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"the checkpoint {path} is damaged ({error}); delete it to train from the start"
        ) from error
    return parts, about


def restore_optimizer(optimizer: torch.optim.Optimizer, flat: dict[str, torch.Tensor]) -> None:
    """Puts a flattened optimiser state back, in the memory format of the weights: a fused step
    walks through both side by side."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state = optimizer.state_dict()
    for key, value in flat.items():
        number, quantity = key.split(".", 1)
        weight = weights[int(number)]
        if value.shape == weight.shape:
            value = torch.empty_like(weight, requires_grad=False).copy_(value)
        state["state"].setdefault(int(number), {})[quantity] = value
    optimizer.load_state_dict(state)
