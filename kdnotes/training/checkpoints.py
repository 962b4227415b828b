"""A training's folder: its state in one file, and its log.

One file, so that its parts cannot come from different moments. Random numbers need no place here:
order, views and dropout follow from seed and step.
"""

import json
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from kdnotes.system.files import json_text, new_file
from kdnotes.training.progress import EpochSums
from kdnotes.training.schedule import Average

FILE, LOG = "checkpoint.pt", "log.jsonl"

#: What reading a damaged checkpoint raises.
DAMAGE = (
    SafetensorError, pickle.UnpicklingError, EOFError, LookupError, RuntimeError, ValueError,
)  # fmt: skip

#: The name of a checkpoint of earlier versions, which is still read.
EARLIER = "checkpoint.safetensors"


@dataclass
class State:
    """What a training changes from step to step.

    Attributes:
        net, average, optimizer: The network, its running average, its optimiser.
        scaler: Of the loss, where a GPU computes in fp16; else None.
        history: One dict per epoch that is done.
        epoch: Sums of the one that is not.
    """

    net: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler | None = None
    history: list[dict] = field(default_factory=list)
    epoch: EpochSums = field(default_factory=EpochSums)

    def content(self) -> dict:
        """What a checkpoint keeps: state dicts and JSON values."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.state,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler else {},
            "history": self.history,
            "epoch": self.epoch.read(),
        }

    def restore(self, content: dict) -> None:
        """Puts back what `content` gave."""
        self.net.load_state_dict(content["net"])
        for name, value in content["average"].items():
            self.average.state[name].copy_(value)
        # an earlier checkpoint has no parameter groups
        self.optimizer.load_state_dict(self.optimizer.state_dict() | content["optimizer"])
        for weight, moments in self.optimizer.state.items():
            for name, value in moments.items():
                if value.shape == weight.shape:  # a fused step needs them in the same layout
                    moments[name] = torch.empty_like(weight, requires_grad=False).copy_(value)
        self.history, self.epoch = content["history"], EpochSums(**content["epoch"])
        if self.scaler and content["scaler"]:
            self.scaler.load_state_dict(content["scaler"])


def find(folder: Path | None) -> Path | None:
    """The checkpoint in a run's folder; None where there is none."""
    paths = [] if folder is None else [folder / FILE, folder / EARLIER]
    return next((path for path in paths if path.exists()), None)


def load(path: Path) -> dict:
    """What a checkpoint holds: `State.content`, and the training's `key`.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        if path.name == EARLIER:
            return _load_earlier(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGE as error:
        raise ValueError(
            f"the checkpoint {path} is damaged ({type(error).__name__}); delete it to train from "
            "the start"
        ) from error


def _load_earlier(path: Path) -> dict:
    """A checkpoint of earlier versions: tensors named `part/name`, the rest as JSON."""
    content = {"net": {}, "average": {}, "optimizer": {}}
    moments: dict[int, dict] = {}
    with safe_open(path, "pt") as file:
        for key in file.keys():
            part, name = key.split("/", 1)
            content[part][name] = file.get_tensor(key)
        content |= json.loads(file.metadata()["kdnotes"])
    for key, value in content["optimizer"].items():
        number, name = key.split(".", 1)
        moments.setdefault(int(number), {})[name] = value
    return content | {"optimizer": {"state": moments}}


class Run:
    """A training's folder, or nothing at all where `folder` is None.

    Args:
        folder: Holds `checkpoint.pt` and `log.jsonl`, one line per epoch.
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
        path = find(self.folder)
        if path is None:
            return False
        content = load(path)
        for name in sorted(self.key.keys() | content["key"].keys()):
            old, new = content["key"].get(name), self.key.get(name)
            if old != new:
                raise ValueError(
                    f"{self.folder} holds a training with another {name} ({_change(old, new)}); "
                    "delete it or choose another folder"
                )
        state.restore(content)
        return True

    def write(self, state: State) -> None:
        """Stores the state, and the log.

        Raises:
            OSError: That is not possible. The state that was written before is still there.
        """
        if self.folder is None:
            return
        content = {"key": self.key, **state.content()}
        try:
            with new_file(self.folder / FILE) as part:
                torch.save(content, part)
            with new_file(self.folder / LOG) as part:
                part.write_text("".join(json_text(entry) + "\n" for entry in state.history))
        except (OSError, RuntimeError) as error:  # torch.save's word for a full disk
            raise OSError(
                f"the training cannot be saved in {self.folder} ({error}); what was saved before "
                "is whole. Make room there and run the same again: it goes on from that"
            ) from error


def _change(old, new):
    """What differs between two JSON values, in words; of two dicts only the entries that do."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return f"{old}, now {new}"
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)}, now {new.get(name)}" for name in names)
