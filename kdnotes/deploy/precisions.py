"""Fewer bits for an ONNX model: 16 for its weights, or 8 for weights and activations."""

import functools
import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

#: Operators that are computed in 8 bits. `Clip` is one of them: without it, values would be rounded
#: between a convolution and its ReLU6, which costs more time than it saves.
EIGHT_BITS = ("Conv", "Clip", "Add", "Gemm")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores the weights in 16 bits and widens each before it is used.

    Only the file shrinks: everything is computed in 32 bits as before. Biases keep 32 bits, since
    there are few of them.

    Args:
        model: In 32 bits; it is changed in place.

    Returns:
        The same model.

    Raises:
        ValueError: A weight is too large for 16 bits.
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
    """Quantises a model to 8 bits: statically, with one scale per channel of the weights.

    Args:
        model: In 32 bits; it stays as it is.
        faces: `(N, size, size, 3)` uint8 crops, on which the ranges of the activations are
            measured.
        leave: Names of nodes of `prepared(model)` that stay in 32 bits.

    Returns:
        A new model.
    """
    quantize = functools.partial(
        quantization.quantize_static,
        calibration_data_reader=_Crops(faces),
        per_channel=True,
        op_types_to_quantize=EIGHT_BITS,
        nodes_to_exclude=list(leave),
        calibrate_method=quantization.CalibrationMethod.MinMax,
    )
    return _through_files(quantize, prepared(model))


def prepared(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model that is ready for 8 bits: with all shapes inferred and batch
    normalisation folded into the convolutions."""
    return _through_files(functools.partial(quant_pre_process, skip_symbolic_shape=True), model)


def _through_files(convert, model):
    """What `convert` makes of a model; it reads one file and writes another."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(model, before)
        convert(before, after)
        return onnx.load(after)


def blocks(model: onnx.ModelProto) -> dict[str, list[str]]:
    """Groups the nodes of `prepared(model)` by block, in the network's order.

    Blocks are those of timm, the first and the last convolution, and the head. The activation of a
    convolution belongs to its block.

    Returns:
        Block to the names of its nodes.
    """
    nodes, block_of = {}, {}
    for node in model.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            name = node.input[1].removeprefix("net.").removeprefix("backbone.").split(".")
            block = ".".join(name[:3]) if name[0] == "blocks" else name[0]
        elif node.op_type in EIGHT_BITS and node.input[0] in block_of:
            block = block_of[node.input[0]]
        else:
            continue
        nodes.setdefault(block, []).append(node.name)
        block_of[node.output[0]] = block
    return nodes


class _Crops(quantization.CalibrationDataReader):
    """Hands crops to the calibration in batches."""

    def __init__(self, faces, batch=16):
        self._batches = iter([faces[i : i + batch] for i in range(0, len(faces), batch)])

    def get_next(self):
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}
