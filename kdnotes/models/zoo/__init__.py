"""The trained networks that ship with the course.

    net = zoo.load("student-kd", "youtube-faces")
    print(net.card)

Each is one safetensors file of 16-bit weights beside this module, with a card (what it was trained
on and how, what it reaches, what it is not for) and a line in `index.json`: its SHA-256 and size.
They are computed with in 32 bits. The distilled students are there once more, as ONNX files that
need no PyTorch: `zoo.exported("student-kd", "youtube-faces")`. Importing this module costs nothing;
what a function needs is imported when it is called.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from kdnotes import models
    from kdnotes.data.faceset import FaceSet

FOLDER = Path(__file__).parent

#: What the networks for photographs were trained on.
PHOTOGRAPHS = "youtube-faces"

#: What figures call those whose name there is another one.
SHORT = {"student-kd": "student", "student-plain": "plain"}


def index() -> dict[str, dict]:
    """File name to its SHA-256 and size in bytes."""
    return json.loads((FOLDER / "index.json").read_text("utf-8"))


def names() -> list[tuple[str, str]]:
    """What can be loaded: (name, data) of each network."""
    weights = [Path(file) for file in index() if file.endswith(".safetensors")]
    return [tuple(file.stem.split("--")) for file in weights]


def size(name: str, data: str) -> int:
    """Bytes of a network's file."""
    return index()[f"{name}--{data}.safetensors"]["bytes"]


def load(name: str, data: str) -> models.LandmarkNet:
    """A trained network in evaluation mode; `net.card` is its card.

    Args:
        name: `student-kd`, `student-plain`, `tough`, `tolerant` or `base`.
        data: The face set it was trained on, `youtube-faces` or `synthetic`.

    Raises:
        ValueError: No such network (those that there are, are named), or a damaged file.
    """
    from kdnotes import models

    return models.load(_checked(name, data, ".safetensors"))


def exported(name: str, data: str) -> Path:
    """The ONNX file of a network that ships as one, see `kdnotes.deploy.export`.

    Raises:
        ValueError: It does not ship so, or its file is damaged.
    """
    return _checked(name, data, ".onnx")


def _checked(name, data, ending):
    """The path of a file that ships, when its content is what the index says."""
    file, known = f"{name}--{data}{ending}", index()
    if file not in known:
        there = ", ".join(f"{name} on {data}" for name, data in names()) or "none yet"
        raise ValueError(
            f"no {name!r} trained on {data!r} ships with kdnotes as {ending} (there is {there}); "
            "give the file of a network that you have trained"
        )
    path, expected = FOLDER / file, known[file]["sha256"]
    actual = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if actual != expected:
        raise ValueError(
            f"{path} is not the network that ships with kdnotes: SHA-256 {actual}, expected "
            f"{expected}; install kdnotes again"
        )
    return path


def find(network: str, data: str, *, exported: bool = False) -> Path:
    """The file of a network: one that ships, by its name, or one on disk.

    Args:
        network: Its name, or the path of its folder or of its file, with or without .safetensors.
        data: The face set that a network that ships was trained on.
        exported: Take the ONNX file of a network that ships, if it has one.

    Raises:
        ValueError: Neither ships, or a file that ships is damaged.
    """
    if (network, data) in names():
        both = exported and f"{network}--{data}.onnx" in index()
        return _checked(network, data, ".onnx" if both else ".safetensors")
    path = Path(network)
    if not path.exists() and path.with_name(f"{path.name}.safetensors").is_file():
        path = path.with_name(f"{path.name}.safetensors")
    if not path.exists():
        ships = ", ".join(f"{name} --data {data}" for name, data in names())
        raise ValueError(f"no network {network!r}: no such file, and those that ship are {ships}")
    return path / "network.safetensors" if path.is_dir() else path


def shipped(faces: FaceSet) -> dict[str, models.LandmarkNet]:
    """All networks that ship for a face set, by name; none for a set of your own."""
    return {name: load(name, data) for name, data in names() if fits(_card(name, data), faces)}


def fits(card: Mapping, faces: FaceSet) -> bool:
    """Whether a network with this card was trained on such faces, with the same points."""
    from kdnotes.data import schemes

    data = card["data"]
    if faces.scheme != schemes.SCHEMES.get(data["points"]):
        return False
    rendered = data.get("rendered", data["name"] == "synthetic")
    if rendered or faces.rendered:
        return rendered == faces.rendered
    return (data["name"], data["title"]) == (faces.name, faces.meta["source"])


def _card(name, data):
    return json.loads((FOLDER / f"{name}--{data}.json").read_text("utf-8"))["card"]


def trainings(card: Mapping) -> list[Mapping]:
    """The trainings behind a network that ships: those of the networks that it began with, then
    its own.

    Args:
        card: Its card.

    Returns:
        The cards, from random weights on.
    """
    how = card["how"]
    if not how.get("start"):
        return [card]
    return [*trainings(_card(how["start"], how.get("start_data") or card["data"]["name"])), card]


def epochs(card: Mapping) -> int:
    """Epochs of all `trainings` behind a network that ships."""
    return sum(each["how"]["epochs"] for each in trainings(card))


def table(nets: Mapping[str, models.LandmarkNet], split: str = "validation") -> pd.DataFrame:
    """What the cards of `shipped` say of size, training and errors, for people.

    Epochs and minutes are those of all `trainings` behind a network; "100 + 30" epochs are two.

    Args:
        nets: Networks by name.
        split: The faces of the errors, "validation" or "test".
    """
    import pandas as pd

    behind = {name: trainings(net.card) for name, net in nets.items()}
    devices = [
        card.get("hardware", {}).get("device", "CPU") for cards in behind.values() for card in cards
    ]
    minutes = "minutes" if any("CPU" in device for device in devices) else "minutes, on a GPU"
    rows = {}
    for name, net in nets.items():
        card, score = net.card, net.card["scores"][split]
        rows[name] = {
            "network": f"{net.config.name}, {net.config.size} px",
            "MB": f"{size(name, card['data']['name']) / 1e6:.1f}",
            "epochs": " + ".join(str(each["how"]["epochs"]) for each in behind[name]),
            minutes: f"{sum(each['seconds'] for each in behind[name]) / 60:.1f}",
            f"NME, {split}": f"{score['nme']:.2%}",
            "faces above 10 %": f"{score['fr10']:.1%}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")
