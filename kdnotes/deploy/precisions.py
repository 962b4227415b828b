"""Fewer bits for an ONNX model: weights in 16, or everything in 8."""

import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

#: Layers' operators that are computed in 8 bits. `Clip` belongs in: without it numbers would be
#: rounded between a convolution and its ReLU6, which costs more time than it saves.
EIGHT_BITS = ("Conv", "Clip", "Add", "Gemm")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its weights in 16 bits; each is widened again before it is used.

    Only the file shrinks: all is computed in 32 bits as before. Biases stay as they are, they are
    few.

    Raises:
        ValueError: A weight that 16 bits cannot hold.
    """
    graph, casts = model.graph, []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.ndim < 2:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ValueError(f"{weights.name} holds numbers that 16 bits cannot")
        name, short = weights.name, f"{weights.name}.16"
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), short))
        casts.append(helper.make_node("Cast", [short], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def eight_bits(
    model: onnx.ModelProto, faces: np.ndarray, leave: Collection[str] = ()
) -> onnx.ModelProto:
    """The model in 8 bits: static, weights per channel, ranges measured on `faces`.

    Args:
        model: In 32 bits.
        faces: `(N, size, size, 3)` uint8 crops.
        leave: Names of nodes of `prepared(model)` that stay in 32 bits.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(prepared(model), before)
        quantization.quantize_static(
            before, after, _Crops(faces), per_channel=True, op_types_to_quantize=EIGHT_BITS,
            nodes_to_exclude=list(leave), calibrate_method=quantization.CalibrationMethod.MinMax,
        )  # fmt: skip
        return onnx.load(after)


def blocks(model: onnx.ModelProto) -> dict[str, list[str]]:
    """Names of the nodes of each block of `prepared(model)`, in the network's order.

    Blocks are what timm calls so, the first and last convolution, and the head. A convolution's
    activation belongs to it.
    """
    found, block_of = {}, {}
    for node in model.graph.node:
        weight = node.input[1] if node.op_type in ("Conv", "Gemm") else ""
        if weight:
            name = weight.removeprefix("net.").removeprefix("backbone.").split(".")
            block = ".".join(name[:3]) if name[0] == "blocks" else name[0]
        elif node.op_type in EIGHT_BITS and node.input[0] in block_of:
            block = block_of[node.input[0]]
        else:
            continue
        found.setdefault(block, []).append(node.name)
        block_of[node.output[0]] = block
    return found


def prepared(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with all shapes inferred and batch normalisation folded, ready for 8 bits."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(model, before)
        quant_pre_process(before, after, skip_symbolic_shape=True)
        return onnx.load(after)


class _Crops(quantization.CalibrationDataReader):
    def __init__(self, faces, batch=16):
        self._batches = iter([faces[i : i + batch] for i in range(0, len(faces), batch)])

    def get_next(self):
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}
