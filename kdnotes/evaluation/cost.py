"""What a network costs: parameters, multiply-adds, bytes and time of one face."""

import time

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


def milliseconds(nets: dict[str, models.LandmarkNet], rounds: int = 30) -> dict[str, float]:
    """Median time of one face on one thread of the CPU, batch 1, PyTorch as it is.

    Networks take turns, so that what else the machine does falls on all of them alike: trust the
    ratios more than the times.
    """
    threads, times = torch.get_num_threads(), {name: [] for name in nets}
    sides = {name: net.config.size for name, net in nets.items()}
    images = {name: torch.rand(1, 3, side, side) for name, side in sides.items()}
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for _ in range(rounds + 2):
                for name, net in nets.items():
                    began = time.perf_counter()
                    net(images[name])
                    times[name].append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return {name: 1000 * float(np.median(taken[2:])) for name, taken in times.items()}


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
