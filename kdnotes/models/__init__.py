"""Networks: an image backbone with one linear head that answers with landmarks.

    net = models.create("mobilenetv2_100", 68, mean_shape=shape, size=112)
    models.save(net, path)

The names below are those of `network`. `inference` reads a whole face set with a network, `zoo`
holds the trained ones that ship. `zoo` does not need PyTorch, so `network` is imported when the
first of its names is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kdnotes.models.network import (
        LandmarkNet,
        NetConfig,
        count_parameters,
        create,
        fingerprint,
        freeze,
        load,
        plain,
        save,
        without_last,
    )

__all__ = [
    "LandmarkNet", "NetConfig", "count_parameters", "create", "fingerprint", "freeze", "load",
    "plain", "save", "without_last",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("kdnotes.models.network"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
