"""What the course runs on: Python, packages, device, memory, and the profile that follows.

print(machine.describe())
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from kdnotes.course import profiles
from kdnotes.system import processes

PACKAGES = ("torch", "torchvision", "timm", "numpy")


def hardware() -> dict:
    """The machine and the versions that a time or a number belongs to."""
    names = {
        "cuda": torch.cuda.get_device_name,
        "mps": lambda: f"Apple GPU, {platform.machine()}",
        "cpu": lambda: f"CPU, {os.cpu_count()} cores, {platform.machine()}",
    }
    return {
        "device": names[processes.device().type](),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def memory(limit_file: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of main memory that this process may have: a container's limit, where there is one."""
    installed = psutil.virtual_memory().total
    try:
        return min(int(limit_file.read_text()), installed)
    except (OSError, ValueError):  # no container, or no limit ("max")
        return installed


def describe() -> str:
    """Three lines for people: versions, device and memory, profile and the reason for it.

    Raises:
        ValueError: KDNOTES_PROFILE names no profile.
    """
    machine = hardware()
    profile = profiles.current()
    versions = ", ".join(f"{name} {machine[name]}" for name in PACKAGES)
    room = f"{memory() / 1e9:.0f} GB of memory"
    if processes.device().type == "cuda":
        room += f", {torch.cuda.get_device_properties(0).total_memory / 1e9:.0f} GB on the GPU"
    return (
        f"kdnotes {version('kdnotes')}, Python {machine['python']}, {versions}\n"
        f"{machine['device']}; {room}\n"
        f"profile {profile.name}: {profiles.reason()}"
    )
