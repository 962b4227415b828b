"""An exported network at work: onnxruntime alone, no PyTorch."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np

#: The key under which an ONNX file of this course tells what it is.
KEY = "kdnotes"


def about_of(path: str | Path) -> dict:
    """What an ONNX file of this course says of itself, see `export.about`."""
    import onnxruntime

    return _about(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]))


def _about(session):
    return json.loads(session.get_modelmeta().custom_metadata_map[KEY])


class Exported:
    """A network in onnxruntime; it reads crops as a `models.LandmarkNet` does.

    Args:
        path: A file that `kdnotes.deploy.export` wrote.
        threads: Of the processor.

    Attributes:
        about: All that the file says of itself, see `export.about`.
        config: Its part on the network: `n_points`, `size`, `crop_margin` and what else
            `models.NetConfig` has.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Damaged, or another network than this course's.
        ModuleNotFoundError: onnxruntime is not installed.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        import onnxruntime

        if not Path(path).is_file():
            raise FileNotFoundError(f"no network at {path}; export it first, or check the path")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            self.about: Mapping = _about(self._session)
            self.config = SimpleNamespace(**self.about["config"])
        except Exception as error:  # onnxruntime has a class for each of its codes
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"{path} is damaged or no network exported by kdnotes ({reason}); export it again"
            ) from error

    def read(self, crops: np.ndarray) -> np.ndarray:
        """Landmarks `(N, L, 2)` in network-crop units of uint8 crops `(N, size, size, 3)`."""
        return self._session.run(None, {"crops": crops})[0]
