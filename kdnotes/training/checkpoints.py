"""A training's folder: its state in one safetensors file, and its log.

One file, so that its parts cannot come from different moments; no pickle, so that a newer PyTorch
still reads it. Random numbers need no place here: order, views and dropout follow from seed and
step.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from kdnotes.system.files import json_text, new_file
from kdnotes.training.progress import EpochSums
from kdnotes.training.schedule import Average


@dataclass
class State:
    """What a training changes from step to step.

    Attributes:
        net, average, optimizer: What is trained, its running average, and how.
        scaler: Of the loss, where a GPU computes in fp16; else None.
        history: One dict per epoch that is done.
        epoch: The one that is not.
    """

    net: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None = None
    history: list[dict] = field(default_factory=list)
    epoch: EpochSums = field(default_factory=EpochSums)

    def parts(self) -> dict[str, dict]:
        """Its tensors, by part."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.state,
            "optimizer": self.optimizer.state_dict(),
        }

    def about(self) -> dict:
        """The rest of it, as JSON values."""
        scaler = self.scaler.state_dict() if self.scaler else {}
        return {"history": self.history, "epoch": self.epoch.read(), "scaler": scaler}

    def restore(self, parts: dict[str, dict], about: dict) -> None:
        self.net.load_state_dict(parts["net"])
        for key, value in parts["average"].items():
            self.average.state[key].copy_(value)
        restore_optimizer(self.optimizer, parts["optimizer"])
        self.history, self.epoch = about["history"], EpochSums(**about["epoch"])
        if self.scaler and about["scaler"]:
            self.scaler.load_state_dict(about["scaler"])


class Run:
    """A training's folder, or nothing at all where `folder` is None.

    Args:
        folder: Holds `checkpoint.safetensors` and `log.jsonl` (one line per epoch).
        key: What makes it this training and no other: configuration, data, network, teachers.
    """

    def __init__(self, folder: str | Path | None, key: dict):
        self.folder = None if folder is None else Path(folder)
        self.key = json.loads(json_text(key))  # as it will be read back: lists, not tuples

    @property
    def name(self) -> str:
        return "train" if self.folder is None else self.folder.name

    def restore(self, state: State) -> bool:
        """Puts back what an interrupted training had reached; False at the start.

        Raises:
            ValueError: The folder belongs to another training, or its checkpoint is damaged.
        """
        if self.folder is None or not (path := self.folder / "checkpoint.safetensors").exists():
            return False
        parts, about = load(path)
        for name in self.key.keys() | about["key"].keys():
            old, new = about["key"].get(name), self.key.get(name)
            if old != new:
                raise ValueError(
                    f"{self.folder} holds a training with another {name} ({_change(old, new)}); "
                    "delete it or choose another folder"
                )
        state.restore(parts, about)
        return True

    def write(self, state: State) -> None:
        """Stores the state, and the log.

        Raises:
            OSError: That is not possible. The state that was written before is still there.
        """
        if self.folder is None:
            return
        try:
            save(self.folder / "checkpoint.safetensors", state.parts(), self.about(state))
            with new_file(self.folder / "log.jsonl") as part:
                part.write_text("".join(json_text(entry) + "\n" for entry in state.history))
        except (OSError, SafetensorError) as error:
            raise OSError(
                f"the training cannot be saved in {self.folder} ({error}); what was saved before "
                "is whole. Make room there and run the same again: it goes on from that"
            ) from error

    def about(self, state: State) -> dict:
        """What a checkpoint says beside its tensors."""
        return {"key": self.key} | state.about()


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
        save_file(tensors, part, metadata={"kdnotes": json_text(about)})


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
