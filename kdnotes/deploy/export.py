"""A network as one ONNX file: it runs in onnxruntime and in a browser, without PyTorch.

    python -m kdnotes export student-kd --data youtube-faces --to student.onnx --precision fp16

The file includes the preprocessing: crops go in as they are cut from a picture, uint8 and RGB.
Landmarks come out in crop widths from the centre of the crop. Needs the extra `export`.
"""

import copy
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

#: How far a landmark of a file may be from PyTorch's, in crop widths. Fewer bits move single points
#: by design, most of all those read off heatmaps, so their bounds only detect a broken file.
TOLERANCE = {"fp32": 1e-4, "fp16": 1e-2, "int8": 2e-1}

#: The version of ONNX's operator set in the files.
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
    """Writes `net` to one ONNX file that takes any number of crops, and compares it with `net`.

    The same weights give the same bytes.

    Args:
        net: A network in evaluation mode, on any device. The file is made from a copy on the
            processor. What its card says of data and licence goes into the file.
        path: File to write. An existing file is replaced once the new one has passed the check.
        precision: "fp32"; "fp16": weights are stored in 16 bits and widened to 32 for computing;
            "int8": weights and activations are 8 bits wide.
        faces: `(N, size, size, 3)` uint8, crops of *training* faces. int8 measures on them the
            range of each layer's activations. The check compares answers on them and, except for
            int8, on noise.
        shapes: Shape model of training faces in network-crop units. It goes into the file, where
            a program can use it to recognise an answer that is not a face: `soften` moves it far.

    Returns:
        The file's path.

    Raises:
        ModuleNotFoundError: The extra `export` is not installed.
        ValueError: A network in training mode or with weights that are not finite, an unknown
            precision, int8 without faces, crops of another size, or a network that the file does
            not reproduce.
    """
    net = copy.deepcopy(models.plain(net)).cpu()
    if precision not in TOLERANCE:
        raise ValueError(f"precision is one of {', '.join(TOLERANCE)}, found {precision!r}")
    if net.training:
        raise ValueError("the network is in training mode: call net.eval() before the export")
    bad = [key for key, value in net.state_dict().items() if not value.isfinite().all()]
    if bad:
        raise ValueError(f"weights of the network are not finite numbers: {', '.join(bad[:3])}")
    size = net.config.size
    if faces is not None and (faces.shape[1:] != (size, size, 3) or faces.dtype != np.uint8):
        raise ValueError(
            f"expected uint8 crops (N, {size}, {size}, 3), found {faces.dtype} {faces.shape}"
        )
    if precision == "int8" and faces is None:
        raise ValueError("int8 needs crops of training faces, to measure how large numbers get")
    # takes seconds to import, and readers of a file do not need it
    from kdnotes.deploy import precisions

    model = _graph(net)
    if precision == "fp16":
        model = precisions.halved(model)
    elif precision == "int8":
        model = precisions.eight_bits(model, faces)
    model.metadata_props.add(key=KEY, value=json_text(metadata(net, precision, shapes)))
    samples = {}
    if precision != "int8":  # eight bits are fitted to faces
        samples["noise"] = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    if faces is not None:
        samples["faces"] = faces
    with new_file(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))
        _check(part, net, samples, TOLERANCE[precision])
    return Path(path)


def metadata(
    net: models.LandmarkNet, precision: str, shapes: ActiveShapeModel | None = None
) -> dict:
    """What a file says of itself: its input and output, and where the network comes from.

    Args:
        net, precision, shapes: As in `export`.

    Returns:
        JSON values; `shapes` is null without a shape model.
    """
    card = getattr(net, "card", {})
    shape_model = None
    if shapes is not None:
        shape_model = {
            "mean": shapes.mean_shape_.round(6).tolist(),
            "components": shapes.components_.round(6).tolist(),
            "variances": shapes.explained_variance_.round(9).tolist(),
            "n_std": shapes.n_std,
        }
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
        "shapes": shape_model,
    }


def _graph(net):
    """The network as an ONNX model in 32 bits, without the debugging notes of PyTorch."""
    size = net.config.size
    crops = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    for layer in net.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False  # the exporter takes twice as long to undo it
    program = torch.onnx.export(
        _OnCrops(net).eval(), (crops,), dynamo=True, verbose=False, opset_version=OPSET,
        input_names=["crops"], output_names=["landmarks"], dynamic_shapes={"crops": {0: "N"}},
    )  # fmt: skip
    model = program.model_proto
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del graph.value_info[:]
    graph.initializer.sort(key=lambda weights: weights.name)
    return model


def _check(path, net, samples, tolerance):
    """Compares the file's answers with those of `net` on each of the named samples of crops."""
    exported = Exported(path)
    for name, crops in samples.items():
        far = float(np.abs(exported.read(crops[:64]) - net.read(crops[:64])).max())
        if not far <= tolerance:  # NaN, too
            raise ValueError(
                f"on {name} the exported network's landmarks are {far:.2g} crop widths from "
                f"PyTorch's; expected at most {tolerance:g}"
            )
