"""A network as one ONNX file: it runs in onnxruntime and in a browser, without PyTorch.

    python -m kdnotes export student-kd --data youtube-faces --to student.onnx --precision fp16

Its preprocessing lies inside: crops go in as they are cut from a picture, uint8 and RGB, landmarks
come out in crop widths from the crop's middle. Needs the extra `export`.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import kdnotes
from kdnotes import models
from kdnotes.asm import ActiveShapeModel
from kdnotes.data import schemes
from kdnotes.deploy.exported import KEY, Exported
from kdnotes.system.files import json_text, new_file

#: How far the landmarks of a file may lie from PyTorch's, in crop widths. Eight bits move single
#: points on purpose; there the bound only catches a broken file.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-3, "int8": 5e-2}

#: The version of ONNX's operators in the files.
OPSET = 20


class _OnCrops(torch.nn.Module):
    """`LandmarkNet.read` as a graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, crops):
        return self.net(crops.permute(0, 3, 1, 2).float() / 255)


def export(
    net: models.LandmarkNet,
    path: str | Path,
    precision: str = "fp32",
    faces: np.ndarray | None = None,
    shapes: ActiveShapeModel | None = None,
) -> Path:
    """Writes `net` to one ONNX file that takes any number of crops, and reads it back to compare.

    The same weights give the same bytes.

    Args:
        net: In evaluation mode. What its card says of data and licence goes into the file.
        path: File to write; what was there is replaced when the new file is right.
        precision: "fp32"; "fp16": weights are kept in 16 bits and computed with in 32; "int8":
            weights and what flows between the layers are 8 bits wide.
        faces: `(N, size, size, 3)` uint8, crops of *training* faces: int8 measures on them how
            large numbers get in each layer; the check is made on them and, but for int8, on noise.
        shapes: Of training faces in network-crop units; goes into the file, so that its user can
            tell an answer that is no face (`soften` moves it far).

    Raises:
        ModuleNotFoundError: The extra `export` is not installed.
        ValueError: A network in training mode or with weights that are not finite, an unknown
            precision, int8 without faces, crops of another size, or a network that the file does
            not reproduce.
    """
    net = models.plain(net)
    size = net.config.size
    if precision not in TOLERANCE:
        raise ValueError(f"precision is one of {', '.join(TOLERANCE)}, found {precision!r}")
    if net.training:
        raise ValueError("the network is in training mode: call net.eval() before the export")
    bad = [key for key, value in net.state_dict().items() if not value.isfinite().all()]
    if bad:
        raise ValueError(f"weights of the network are not finite numbers: {', '.join(bad[:3])}")
    if faces is not None and (faces.shape[1:] != (size, size, 3) or faces.dtype != np.uint8):
        raise ValueError(
            f"expected uint8 crops (N, {size}, {size}, 3), found {faces.dtype} {faces.shape}"
        )
    if precision == "int8" and faces is None:
        raise ValueError("int8 needs crops of training faces, to measure how large numbers get")
    # an import of several seconds, which the file's readers do not need
    from kdnotes.deploy import precisions

    model = _graph(net)
    if precision == "fp16":
        model = precisions.halved(model)
    elif precision == "int8":
        model = precisions.eight_bits(model, faces)
    model.metadata_props.add(key=KEY, value=json_text(about(net, precision, shapes)))
    with new_file(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))
        _check(part, net, precision, faces)
    return Path(path)


def about(net: models.LandmarkNet, precision: str, shapes: ActiveShapeModel | None = None) -> dict:
    """What a file says of itself: input, output, where the network comes from."""
    card = getattr(net, "card", {})
    return {
        "kdnotes": kdnotes.__version__,
        "config": asdict(net.config),
        "scheme": schemes.to_json(schemes.of_config(net.config)),
        "unit": "crop widths from the middle of the crop, x to the right, y down",
        "precision": precision,
        "weights": models.fingerprint(net),
        "name": card.get("name", ""),
        "data": card.get("data", {}).get("title", ""),
        "labels": card.get("labels", ""),
        "licence": card.get("licence", ""),
        "shapes": shapes
        and {
            "mean": shapes.mean_shape_.round(6).tolist(),
            "components": shapes.components_.round(6).tolist(),
            "variances": shapes.explained_variance_.round(9).tolist(),
            "n_std": shapes.n_std,
        },
    }


def _graph(net):
    """The network as an ONNX model in 32 bits, without the notes that PyTorch leaves in it."""
    size = net.config.size
    crops = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        _OnCrops(net).eval(), (crops,), dynamo=True, verbose=False, opset_version=OPSET,
        input_names=["crops"], output_names=["landmarks"], dynamic_shapes={"crops": {0: "N"}},
    )  # fmt: skip
    model = program.model_proto
    graph = model.graph
    for thing in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        thing.ClearField("metadata_props")
        thing.ClearField("doc_string")
    del graph.value_info[:]
    graph.initializer.sort(key=lambda weights: weights.name)
    return model


def _check(path, net, precision, faces):
    rng, size = np.random.default_rng(0), net.config.size
    noise = rng.integers(0, 256, (3, size, size, 3), np.uint8)
    read = Exported(path).read
    for what, crops in {"noise": noise, "faces": faces}.items():
        if crops is None or (what == "noise" and precision == "int8"):
            continue  # eight bits are fitted to faces
        crops = crops[:64]
        far = float(np.abs(read(crops) - net.read(crops)).max())
        if not far <= TOLERANCE[precision]:  # NaN, too
            raise ValueError(
                f"on {what} the exported network's landmarks are {far:.2g} crop widths from "
                f"PyTorch's; expected at most {TOLERANCE[precision]:g}"
            )
