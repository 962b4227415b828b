"""A network as one ONNX file: it runs in onnxruntime, without PyTorch.

Its preprocessing lies inside: crops go in as they are cut from a picture, landmarks come out.
Needs the extra `export`.
"""

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from kdnotes import models
from kdnotes.files import new_file

#: The most that an exported network's landmarks may differ from PyTorch's, in crop widths.
TOLERANCE = 1e-4


class _OnCrops(torch.nn.Module):
    """`LandmarkNet.read` as a graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, crops):
        return self.net(crops.permute(0, 3, 1, 2).float() / 255)


def export(net: models.LandmarkNet, path: str | Path) -> Path:
    """Writes `net` to one ONNX file that takes any number of crops, and reads it back to compare.

    Args:
        net: In evaluation mode.
        path: File to write; what was there is replaced when the new file is right.

    Raises:
        ModuleNotFoundError: The extra `export` is not installed.
        ValueError: A network in training mode, or one that the file does not reproduce.
    """
    if net.training:
        raise ValueError("the network is in training mode: call net.eval() before the export")
    whole = _OnCrops(models.plain(net)).eval()
    size = net.config.size
    crops = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    program = torch.onnx.export(
        whole, (torch.from_numpy(crops),), dynamo=True, verbose=False,
        input_names=["crops"], output_names=["landmarks"], dynamic_shapes={"crops": {0: "N"}},
    )  # fmt: skip
    program.model.metadata_props["kdnotes"] = json.dumps(asdict(net.config))
    with new_file(path) as part:
        program.save(part, external_data=False)
        far = float(np.abs(Exported(part).read(crops) - net.read(crops)).max())
        if not far <= TOLERANCE:  # NaN, too
            raise ValueError(
                f"the exported network's landmarks are {far:.2g} crop widths from PyTorch's; "
                f"expected at most {TOLERANCE:g}"
            )
    return Path(path)


class Exported:
    """An exported network in onnxruntime, on one thread; it reads crops as a `LandmarkNet` does.

    Attributes:
        config: What `models.NetConfig` says of it.
    """

    def __init__(self, path: str | Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        about = self._session.get_modelmeta().custom_metadata_map
        self.config = SimpleNamespace(**json.loads(about["kdnotes"]))

    def read(self, crops: np.ndarray) -> np.ndarray:
        """Landmarks `(N, L, 2)` in network-crop units of uint8 crops `(N, size, size, 3)`."""
        return self._session.run(None, {"crops": crops})[0]
