"""Packages that some commands need and no notebook imports, and how to install them."""

from collections.abc import Sequence
from importlib.util import find_spec

_MODULES = {
    "course": ("jupyterlab", "jupytext", "latex2mathml", "nbclient", "nbconvert", "nbformat"),
    "book": ("markdown_it", "mdit_py_plugins", "myst_nb", "sphinx"),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "dev": ("nbval", "pytest", "xdist"),
}

#: Module to the extra of `pyproject.toml` that installs it.
EXTRA_OF = {module: extra for extra, modules in _MODULES.items() for module in modules}


def require(*modules: str) -> None:
    """Checks that modules are installed, before a command starts its work.

    Args:
        modules: Keys of `EXTRA_OF`.

    Raises:
        RuntimeError: Some are not; the message names the extra.
    """
    if missing := [module for module in modules if find_spec(module) is None]:
        raise RuntimeError(reason(missing))


def reason(missing: Sequence[str]) -> str:
    """Why a command cannot run without these modules, and what to do, in one sentence."""
    extras = ",".join(dict.fromkeys(EXTRA_OF[module] for module in missing))
    return f'this command needs {", ".join(missing)}: pip install "kdnotes[{extras}]"'
