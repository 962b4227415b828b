"""Networks: an image backbone, and a head that answers with landmarks.

    net = models.create("mobilenetv2_100", 68, mean_shape=shape, size=112)
    models.save(net, path)

`network` is the course's network, whose head is one linear layer, and `heatmaps` the one with a map
per landmark. `building` makes new ones, `files` writes and reads them, `inference` reads a whole
face set with one, `zoo` holds the trained ones that ship. `zoo` does not need PyTorch, so the
modules of the names below are imported when the first of their names is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kdnotes.models.building import begin_with, create
    from kdnotes.models.files import load, save
    from kdnotes.models.heatmaps import HeatmapNet
    from kdnotes.models.network import (
        LandmarkNet,
        NetConfig,
        count_parameters,
        fingerprint,
        freeze,
        plain,
        without_last,
    )

__all__ = [
    "HeatmapNet", "LandmarkNet", "NetConfig", "begin_with", "count_parameters", "create",
    "fingerprint", "freeze", "load", "plain", "save", "without_last",
]  # fmt: skip

_ELSEWHERE = {
    "HeatmapNet": "heatmaps", "begin_with": "building", "create": "building", "load": "files",
    "save": "files",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = importlib.import_module(f"kdnotes.models.{_ELSEWHERE.get(name, 'network')}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
