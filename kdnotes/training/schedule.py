"""What a training does at each step, as pure functions: order, learning rate, random numbers."""

import math

import numpy as np
import torch
from torch import nn


def one_cycle(step: int, total: int, peak: float, warmup: float = 0.15) -> float:
    """Up in a line to `peak`, then down along a cosine (Smith and Topin, 2017)."""
    rise = max(1, round(warmup * total))
    if step < rise:
        return peak * (step + 1) / rise
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rise + 1) / (total - rise + 1)))


def inverse_time(step: int, total: int, peak: float, decay: float = 1e-4) -> float:
    """`peak` / (1 + decay·step): what `decay` means in Keras's older optimisers, the paper's."""
    return peak / (1 + decay * step)


SCHEDULES = {"one-cycle": one_cycle, "inverse-time": inverse_time}


def learning_rate(step: int, total: int, peak: float, schedule: str = "one-cycle") -> float:
    """The rate of step `step` (from 0) of `total`."""
    return SCHEDULES[schedule](step, total, peak)


def batches(n: int, size: int, *, seed: int, epoch: int) -> list[np.ndarray]:
    """The positions of each batch of an epoch: a shuffle that depends on (seed, epoch) alone.

    The rest that does not fill a batch waits for another epoch: a small last batch would upset
    batch norm.
    """
    order = np.random.default_rng([seed, epoch]).permutation(n)
    return [order[i * size : (i + 1) * size] for i in range(max(1, n // size))]


def seed_step(seed: int, step: int, process: int = 0) -> None:
    """Makes the network's own random numbers (dropout) depend on seed, step and process alone."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, process]).generate_state(1)[0]))


class Average:
    """A running average of a network's weights and batch-norm statistics.

    Early on it forgets faster (decay (1 + step) / (10 + step)), so that a short training is not
    averaged with its random start.

    Args:
        net: The network, on the device where it stays.
        decay: Share of the average that a step leaves.
    """

    def __init__(self, net: nn.Module, decay: float):
        self.decay = decay
        self._current = net.state_dict()  # the network's own memory: it follows the training
        self.state = {key: value.clone() for key, value in self._current.items()}
        real = [key for key, value in self.state.items() if value.is_floating_point()]
        self._kinds = real, [key for key in self.state if key not in real]  # counters are copied

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        real, counters = ([(self.state[k], self._current[k]) for k in keys] for keys in self._kinds)
        torch._foreach_lerp_(*map(list, zip(*real, strict=True)), 1 - decay)
        if counters:
            torch._foreach_copy_(*map(list, zip(*counters, strict=True)))
