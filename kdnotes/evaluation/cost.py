"""What a network costs: parameters, multiply-adds, bytes and time of one face."""

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm.auto import tqdm

from kdnotes import models


def macs(net: models.LandmarkNet) -> int:
    """Multiply-adds of one face at the network's own input side.

    They are counted by PyTorch, convolutions and linear layers only.
    """
    image = torch.zeros(1, 3, net.config.size, net.config.size)
    counter, was_training = FlopCounterMode(display=False), net.training
    with torch.no_grad(), counter:
        net.eval()(image)
    net.train(was_training)
    return counter.get_total_flops() // 2  # a multiply-add counts as two operations


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch computes on one thread in this block, and on as many as before after it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def interleave(
    works: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    warm_up: int = 1,
    device: str = "cpu",
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """Times several works round by round, so that a busy moment of the machine falls on all.

    Args:
        works: Name to what is timed.
        rounds: How often each work is timed.
        warm_up: Rounds before, which are not counted.
        device: Type of the device that is waited for, "cuda" or another.
        progress: Show a progress bar.

    Returns:
        Name to `(rounds,)` seconds.
    """
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = {name: [] for name in works}
    turns = [*works.items()] * (warm_up + rounds)
    for name, work in tqdm(turns, desc="bench", disable=not progress):
        wait()
        start = time.perf_counter()
        work()
        wait()
        times[name].append(time.perf_counter() - start)
    return {name: np.array(seconds[warm_up:]) for name, seconds in times.items()}


def taking_turns(ways: Mapping[str, Callable], rounds: int = 60) -> dict[str, float]:
    """Median milliseconds of each way on one thread of the CPU, after five rounds to warm up.

    The ways take turns, see `interleave`: trust the ratios more than the times.
    """
    with one_thread():
        times = interleave(ways, rounds, warm_up=5)
    return {name: 1000 * float(np.median(seconds)) for name, seconds in times.items()}


def milliseconds(nets: dict[str, models.LandmarkNet], rounds: int = 30) -> dict[str, float]:
    """Name to the median time of one face in PyTorch, batch size 1; see `taking_turns`.

    Args:
        nets: Name to network, on the CPU and in evaluation mode.
        rounds: How often each network is timed.
    """
    ways = {
        name: partial(net, torch.rand(1, 3, net.config.size, net.config.size))
        for name, net in nets.items()
    }
    with torch.inference_mode():
        return taking_turns(ways, rounds)


def costs(nets: Mapping[str, models.LandmarkNet]) -> dict[str, dict]:
    """What each network costs on the CPU. The networks stay as and where they are.

    Returns:
        Name to backbone, pixels, parameters, multiply-adds, bytes in 16 bits and milliseconds.
    """
    nets = {name: copy.deepcopy(net).cpu().eval() for name, net in nets.items()}
    times = milliseconds(nets)
    return {
        name: {
            "network": net.config.name,
            "pixels": net.config.size,
            "parameters": models.count_parameters(net),
            "macs": macs(net),
            "bytes": 2 * models.count_parameters(net),
            "milliseconds": round(times[name], 3),
        }
        for name, net in nets.items()
    }
