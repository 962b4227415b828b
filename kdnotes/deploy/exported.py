"""An exported network in use: onnxruntime alone, without PyTorch."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

#: The metadata key under which an ONNX file of this course describes itself.
KEY = "kdnotes"


def open_session(path: str | Path, threads: int = 1) -> Any:
    """Opens an ONNX file on the processor.

    Args:
        path: The file.
        threads: Number of threads that compute.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        ModuleNotFoundError: onnxruntime is not installed.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def metadata_of(session: Any) -> dict:
    """What the open ONNX file of this course says of itself, see `export.metadata`."""
    return json.loads(session.get_modelmeta().custom_metadata_map[KEY])


class Exported:
    """A network in onnxruntime. It reads crops as a `models.LandmarkNet` does.

    Args:
        path: A file that `kdnotes.deploy.export` wrote.
        threads: Number of threads that compute.

    Attributes:
        about: All that the file says of itself, see `export.metadata`.
        config: The part about the network: `n_points`, `size`, `crop_margin` and the other fields
            of `models.NetConfig`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or holds another network than one of this course.
        ModuleNotFoundError: onnxruntime is not installed.
    """

    def __init__(self, path: str | Path, threads: int = 1):
        try:
            self._session = open_session(path, threads)
            self.about: Mapping = metadata_of(self._session)
            before = {"box": "landmarks"}  # of files that do not say it yet
            self.config = SimpleNamespace(**before | self.about["config"])
        except ModuleNotFoundError:
            raise
        except Exception as error:  # onnxruntime has a class for each of its codes
            if not Path(path).is_file():
                raise FileNotFoundError(
                    f"no network at {path}; export it first, or check the path"
                ) from None
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"{path} is damaged or no network exported by kdnotes ({reason}); export it again"
            ) from error

    def read(self, crops: np.ndarray) -> np.ndarray:
        """Landmarks `(N, L, 2)` in network-crop units of uint8 crops `(N, size, size, 3)`."""
        return self._session.run(None, {"crops": crops})[0]
