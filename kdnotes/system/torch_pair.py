"""torch and torchvision belong together: one of another torch dies when it is imported."""

from importlib.metadata import version


def mismatch() -> RuntimeError:
    """The error in place of torchvision's own, which tells of an operator that does not exist."""
    return RuntimeError(
        f"torch {version('torch')} and torchvision {version('torchvision')} do not fit together: "
        "install a pair that was released together, pip install --upgrade torch torchvision"
    )
