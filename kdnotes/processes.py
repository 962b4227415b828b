"""One process or several: `accelerate launch` and `torchrun` start several of the same program."""

import contextlib
import os
from collections.abc import Iterator

import torch
from accelerate import PartialState


def share_the_cpu() -> bool:
    """Whether several processes train on the CPU, which accelerate must be told."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available()


def state() -> PartialState:
    """Which of the processes this is; files are made by the first one, the others find them."""
    return PartialState(cpu=share_the_cpu())


@contextlib.contextmanager
def first_one_in(place: contextlib.AbstractContextManager) -> Iterator[None]:
    """The first process enters `place`, such as a turn or a work folder, before all go on."""
    process = state()
    with place if process.is_main_process else contextlib.nullcontext():
        process.wait_for_everyone()
        yield
