"""Putting trained networks into the zoo of this checkout, `kdnotes.models.zoo`."""

import hashlib
from pathlib import Path

from kdnotes import models
from kdnotes.asm import fit_shapes
from kdnotes.data.faceset import FaceSet
from kdnotes.deploy.export import export
from kdnotes.models import zoo
from kdnotes.system.files import write_json

#: Share of the variance of training faces that the shape model in an ONNX file explains.
SHAPES = 0.97


def add(net: models.LandmarkNet, name: str, data: str, card: dict) -> Path:
    """Puts a network into the zoo of this checkout: its file with its card, and its index entry.

    Args:
        net: The network.
        name: Its name in the zoo.
        data: Name of the face set it was trained on.
        card: What is known of it, as JSON values.

    Returns:
        The file's path.
    """
    path = models.save(net, zoo.FOLDER / f"{name}--{data}.safetensors", card=card, half=True)
    return _add_to_index(path)


def add_exported(name: str, faces: FaceSet) -> Path:
    """Exports a network of this checkout's zoo as an ONNX file with weights of 16 bits.

    Args:
        name: Its name in the zoo.
        faces: The face set it was trained on, whose training faces give the file's shape model.
    """
    net, train = zoo.load(name, faces.name), faces.split("train")
    landmarks = train.landmarks * train.zoom(net.config.crop_margin)
    shapes = fit_shapes(landmarks, train.scheme, variance=SHAPES)
    path = zoo.FOLDER / f"{name}--{faces.name}.onnx"
    return _add_to_index(export(net, path, "fp16", shapes=shapes))


def _add_to_index(path):
    """Writes hash and size of a file into the zoo's index; returns its path."""
    index = zoo.FOLDER / "index.json"
    entries, content = zoo.index() if index.exists() else {}, path.read_bytes()
    entries[path.name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    write_json(index, dict(sorted(entries.items())))
    return path
