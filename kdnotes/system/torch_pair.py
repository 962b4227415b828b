"""torch and torchvision belong together: a torchvision made for another torch fails on import."""

from importlib.metadata import version


def mismatch() -> RuntimeError:
    """The error in place of torchvision's own, which only names an operator that does not exist."""
    return RuntimeError(
        f"torch {version('torch')} and torchvision {version('torchvision')} do not fit together: "
        "install a pair that was released together, pip install --upgrade torch torchvision"
    )
