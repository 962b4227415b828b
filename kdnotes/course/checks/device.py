"""Checks of notebook 07."""

from collections.abc import Callable

import numpy as np

from kdnotes.course.checks.judge import judge


def block_macs(answer: Callable) -> str:
    """Of `macs(side, width, wide, out, stride)`, all (n,): multiply-adds of n MobileNetV2 blocks.

    Three convolutions: 1×1 from `width` to `wide` channels at `side` × `side` places; 3×3 on each
    channel by itself with the stride (`side` is a multiple of it); 1×1 from `wide` to `out`.
    """
    side, width, wide, out, stride = np.array(
        [[56, 28, 2], [24, 32, 1], [144, 192, 2], [32, 64, 1], [2, 1, 2]], dtype=float
    )
    small = side // stride
    first, last = side**2 * width * wide, small**2 * wide * out
    depthwise = small**2 * 9 * wide
    right = first + depthwise + last
    return judge(
        answer,
        (side, width, wide, out, stride),
        right,
        {
            "The convolution in the middle does not mix channels: each output sees one channel.": (
                first + small**2 * 9 * wide * wide + last
            ),
            "The stride makes the picture smaller for what comes after it.": (
                first + side**2 * 9 * wide + side**2 * wide * out
            ),
            "The middle convolution is computed at the smaller places only.": (
                first + side**2 * 9 * wide + last
            ),
            "The last convolution works on the smaller picture.": (
                first + depthwise + side**2 * wide * out
            ),
            "A multiply-add is one operation here, not two.": 2 * right,
            "Those are parameters: each is used once per place.": (
                width * wide + 9 * wide + wide * out
            ),
            "The middle convolution looks at 3 × 3 places, not at 3.": (
                first + small**2 * 3 * wide + last
            ),
        },
    )


def eight_bits(answer: Callable) -> str:
    """Of `rounded(weights)`: weights (C, K) as 8 bits hold them, one scale per row.

    A row's scale is its largest absolute value / 127; its numbers are rounded to whole multiples
    of the scale, and given back as numbers.
    """
    weights = np.random.default_rng(0).normal(size=(5, 40)) * np.array([[0.1], [1], [3], [9], [27]])

    def rounded(scale):
        return np.round(weights / scale) * scale

    largest = np.abs(weights).max(axis=1, keepdims=True)
    return judge(
        answer,
        (weights,),
        rounded(largest / 127),
        {
            "One scale for all rows: small rows lose nearly everything.": rounded(
                np.abs(weights).max() / 127
            ),
            "Those are the whole numbers; multiply by the scale again.": np.round(
                weights / (largest / 127)
            ),
            "The sign takes a bit: 127 steps to each side.": rounded(largest / 255),
            "A scale per column; the rows are the output channels.": rounded(
                np.abs(weights).max(axis=0) / 127
            ),
            "Cut off, not rounded.": np.trunc(weights / (largest / 127)) * (largest / 127),
            "Those are the weights as they were.": weights,
            "A row may be more negative than positive: the largest value without sign.": rounded(
                weights.max(axis=1, keepdims=True) / 127
            ),
        },
    )


def euro_step(answer: Callable) -> str:
    """Of `step(value, kept, speed, seconds)`: the value that the one-euro filter gives next.

    `speed` is the smoothed speed, already computed; the cutoff frequency is 1.5 + 6·|speed| hertz;
    τ = 1 / (2π·cutoff), and the new value's share is 1 / (1 + τ / seconds).
    """
    value, kept, speed = (
        np.array([0.3, -1.0, 2.0]),
        np.array([0.0, 0.5, 2.1]),
        np.array([4, -2, 0.0]),
    )
    seconds = 1 / 30

    def step(cutoff, swap=False):
        share = 1 / (1 + 1 / (2 * np.pi * cutoff) / seconds)
        share = 1 - share if swap else share
        return kept + share * (value - kept)

    return judge(
        answer,
        (value, kept, speed, seconds),
        step(1.5 + 6 * np.abs(speed)),
        {
            "A point that moves to the left is as fast as one to the right: take |speed|.": step(
                1.5 + 6 * speed
            ),
            "The share belongs to the new value, the rest to the old one.": step(
                1.5 + 6 * np.abs(speed), swap=True
            ),
            "The speed is not in it: a slow point and a fast one are treated alike.": step(1.5),
            "Those are the values themselves: nothing is filtered.": value,
            "2π is missing: the cutoff is a frequency.": kept
            + (value - kept) / (1 + 1 / (1.5 + 6 * np.abs(speed)) / seconds),
        },
    )
