"""The live page's face detector: face-api's tiny detector as an ONNX file.

    npm pack @vladmandic/face-api@1.7.15 && tar xf vladmandic-face-api-1.7.15.tgz
    python -m kdnotes.deploy.face_api_detector package kdnotes/deploy/web/detector.onnx

A small YOLO v2 (Redmon and Farhadi 2017) whose boxes surround the landmarks of a face, by Vincent
Mühler; face-api is MIT licensed, copyright Vladimir Mandic, and keeps the weights in 8 bits. The
file that this module made is in the repository, so that the page can be built without npm.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kdnotes.deploy import precisions
from kdnotes.deploy.exported import KEY
from kdnotes.system.files import new_file

#: What a page needs to know to read the cells: widths and heights of the anchors in cells, and how
#: the box of a face lies to that of its landmarks (measured on rendered faces and photographs:
#: 1.25 times as large, its middle 0.03 to the left of and 0.04 above it, in landmarks' boxes).
ABOUT = {
    "name": "face-api tiny face detector 1.7.15, MIT, copyright Vladimir Mandic",
    "anchors": [
        [1.603231, 2.094468], [6.041143, 7.080126], [2.882459, 3.518061],
        [4.266906, 5.178857], [9.041765, 10.66308],
    ],
    "larger": 1.25,
    "middle": [-0.03, -0.04],
}  # fmt: skip

#: Subtracted from red, green and blue.
MEAN = (117.001, 114.697, 97.404)


def weights(package: Path) -> dict[str, np.ndarray]:
    """Name to float32 array, from the unpacked npm package."""
    stem = package / "model" / "tiny_face_detector_model"
    content, start, found = stem.with_suffix(".bin").read_bytes(), 0, {}
    (group,) = json.loads(Path(f"{stem}-weights_manifest.json").read_text("utf-8"))
    for entry in group["weights"]:
        bits, n = entry["quantization"], int(np.prod(entry["shape"]))
        steps = np.frombuffer(content, np.uint8, n, start).reshape(entry["shape"])
        found[entry["name"]] = (steps * bits["scale"] + bits["min"]).astype(np.float32)
        start += n
    return found


def build(package: Path) -> onnx.ModelProto:
    """The network as a graph: `(1, S, S, 3)` uint8 pixels in, `(1, G, G, 25)` cells out.

    A cell holds five boxes of five numbers: centre x, y, width and height before sigmoid and
    exponential, and the score before its sigmoid.
    """
    w, nodes, kept = weights(package), [], []

    def add(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def keep(name, value):
        kept.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    x = add("Cast", ["pixels"], "numbers", to=TensorProto.FLOAT)
    x = add("Sub", [x, keep("mean", MEAN)], "centred")
    x = add("Div", [x, keep("range", 255)], "scaled")
    x = add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    for i in range(6):
        if i == 0:
            filters = w["conv0/filters"]
        else:
            depthwise, filters = w[f"conv{i}/depthwise_filter"], w[f"conv{i}/pointwise_filter"]
            mine = keep(f"depthwise{i}", depthwise.transpose(2, 3, 0, 1))
            x = add("Conv", [x, mine], f"spread{i}", pads=[1] * 4, group=depthwise.shape[2])
        mine = (
            keep(f"filters{i}", filters.transpose(3, 2, 0, 1)),
            keep(f"bias{i}", w[f"conv{i}/bias"]),
        )
        x = add("Conv", [x, *mine], f"conv{i}")
        x = add("LeakyRelu", [x], f"leaky{i}", alpha=0.1)
        step = [1, 1] if i == 5 else [2, 2]
        x = add(
            "MaxPool", [x], f"pool{i}", kernel_shape=[2, 2], strides=step, auto_pad="SAME_UPPER"
        )
    last = (
        keep("filters8", w["conv8/filters"].transpose(3, 2, 0, 1)),
        keep("bias8", w["conv8/bias"]),
    )
    x = add("Conv", [x, *last], "boxes")
    add("Transpose", [x], "cells", perm=[0, 2, 3, 1])
    graph = helper.make_graph(
        nodes, "tiny_face_detector",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, "S", "S", 3])],
        [helper.make_tensor_value_info("cells", TensorProto.FLOAT, [1, "G", "G", 25])],
        kept,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    model.metadata_props.add(key=KEY, value=json.dumps(ABOUT))
    return precisions.halved(model)


if __name__ == "__main__":
    package, path = map(Path, sys.argv[1:])
    model = build(package)
    onnx.checker.check_model(model, full_check=True)
    with new_file(path) as part:
        part.write_bytes(model.SerializeToString(deterministic=True))
