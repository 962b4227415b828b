"""Where a program runs: in one process or several, on a GPU or the CPU.

`accelerate launch` and `torchrun` start several processes of the same program.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch.torch_version import TorchVersion

if TYPE_CHECKING:
    from accelerate import PartialState

#: The first PyTorch with all that a training needs on Apple's GPUs. Before it, `grid_sample` has no
#: border padding there.
MPS_SINCE = "2.13"


def device() -> torch.device:
    """Where networks are trained: on a CUDA GPU, on Apple's if this PyTorch can, else on the CPU.

    Each of several processes has a CUDA GPU of its own, or all of them share the CPU. `accelerate
    launch --cpu` asks for the CPU on every machine.
    """
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes"):
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    one = int(os.environ.get("WORLD_SIZE", "1")) == 1
    if one and torch.backends.mps.is_available() and TorchVersion(torch.__version__) >= MPS_SINCE:
        return torch.device("mps")
    return torch.device("cpu")


def on_cpu() -> bool:
    """Whether `device` is the CPU. Accelerate must be told, since it would choose by itself."""
    return device().type == "cpu"


def state() -> PartialState:
    """Which of the processes this is. The first one writes files, the others read them."""
    from accelerate import PartialState  # takes seconds, which asking for the device need not

    _leave_the_group_at_exit()
    return PartialState(cpu=on_cpu())


@functools.cache
def _leave_the_group_at_exit():
    """NCCL warns where a program ends without taking its leave."""
    atexit.register(_leave_the_group)


def _leave_the_group():
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def fork_rng() -> contextlib.AbstractContextManager:
    """Inside the block random numbers are drawn, and seeded, without a change outside of it.

    Of several GPUs only the one at work is looked after: PyTorch warns where all are.
    """
    gpus = [torch.cuda.current_device()] if device().type == "cuda" else []
    return torch.random.fork_rng(devices=gpus)


@contextlib.contextmanager
def first_one_in(place: contextlib.AbstractContextManager) -> Iterator[None]:
    """The first process enters `place`, such as a turn or a work folder, before all continue."""
    process = state()
    with place if process.is_main_process else contextlib.nullcontext():
        process.wait_for_everyone()
        yield
