"""What a network costs: parameters, multiply-adds, bytes and time of one face."""

import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from kdnotes import models


def macs(net: models.LandmarkNet) -> int:
    """Multiply-adds of one face at the network's own input side (PyTorch's counter, which counts
    each as two operations; convolutions and linear layers only)."""
    image = torch.zeros(1, 3, net.config.size, net.config.size)
    counter, was_training = FlopCounterMode(display=False), net.training
    with torch.no_grad(), counter:
        net.eval()(image)
    net.train(was_training)
    return counter.get_total_flops() // 2


def taking_turns(ways: Mapping[str, Callable], rounds: int = 60) -> dict[str, float]:
    """Median milliseconds of each way on one thread of the CPU, after five rounds to warm up.

    They take turns, so that what else the machine does falls on all of them alike: trust the
    ratios more than the times.
    """
    threads, times, warm = torch.get_num_threads(), {name: [] for name in ways}, 5
    torch.set_num_threads(1)
    try:
        for _ in range(warm + rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                times[name].append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return {name: 1000 * float(np.median(taken[warm:])) for name, taken in times.items()}


def milliseconds(nets: dict[str, models.LandmarkNet], rounds: int = 30) -> dict[str, float]:
    """Median time of one face, batch 1, PyTorch as it is; see `taking_turns`."""
    sides = {name: net.config.size for name, net in nets.items()}
    ways = {
        name: partial(net, torch.rand(1, 3, sides[name], sides[name])) for name, net in nets.items()
    }
    with torch.inference_mode():
        return taking_turns(ways, rounds)


def of(nets: dict[str, models.LandmarkNet]) -> dict[str, dict]:
    """Name to backbone, pixels, parameters, multiply-adds, bytes in 16 bits, milliseconds."""
    nets = {name: net.cpu().eval() for name, net in nets.items()}
    taken = milliseconds(nets)
    return {
        name: {
            "network": net.config.name,
            "pixels": net.config.size,
            "parameters": models.count_parameters(net),
            "macs": macs(net),
            "bytes": 2 * models.count_parameters(net),
            "milliseconds": round(taken[name], 3),
        }
        for name, net in nets.items()
    }
