"""Checks of notebook 07."""

import numpy as np

from kdnotes.course.checks.judge import Case, check


@check
def block_macs() -> Case:
    """Checks `macs(side, width, wide, out, stride)`: multiply-adds of n MobileNetV2 blocks.

    All arguments are (n,). A block has three convolutions: 1×1 from `width` to `wide` channels at
    `side` × `side` places; 3×3 on each channel separately, with the stride, of which `side` is a
    multiple; 1×1 from `wide` to `out` channels.
    """
    side, width, wide, out, stride = np.array(
        [[56, 28, 2], [24, 32, 1], [144, 192, 2], [32, 64, 1], [2, 1, 2]], dtype=float
    )
    small = side // stride
    first, last = side**2 * width * wide, small**2 * wide * out
    depthwise = small**2 * 9 * wide
    right = first + depthwise + last
    return (
        (side, width, wide, out, stride),
        right,
        {
            "The convolution in the middle does not mix channels: each output sees one channel.": (
                first + small**2 * 9 * wide * wide + last
            ),
            "The stride makes the image smaller for what comes after it.": (
                first + side**2 * 9 * wide + side**2 * wide * out
            ),
            "The middle convolution is computed at the smaller places only.": (
                first + side**2 * 9 * wide + last
            ),
            "The last convolution works on the smaller image.": (
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


@check
def eight_bits() -> Case:
    """Checks `rounded(weights)`: weights (C, K) rounded to 8 bits, with one scale per row.

    The scale of a row is its largest absolute value divided by 127. The weights are rounded to
    whole multiples of it, and the multiples are returned.
    """
    weights = np.random.default_rng(0).normal(size=(5, 40)) * np.array([[0.1], [1], [3], [9], [27]])

    def rounded(scale):
        return np.round(weights / scale) * scale

    largest = np.abs(weights).max(axis=1, keepdims=True)
    scale = largest / 127
    return (
        (weights,),
        rounded(scale),
        {
            "One scale for all rows: small rows lose nearly everything.": rounded(
                np.abs(weights).max() / 127
            ),
            "Those are the whole numbers; multiply by the scale again.": np.round(weights / scale),
            "The sign takes a bit: 127 steps to each side.": rounded(largest / 255),
            "A scale per column; the rows are the output channels.": rounded(
                np.abs(weights).max(axis=0) / 127
            ),
            "Cut off, not rounded.": np.trunc(weights / scale) * scale,
            "Those are the weights as they were.": weights,
            "A row may be more negative than positive: the largest value without sign.": rounded(
                weights.max(axis=1, keepdims=True) / 127
            ),
        },
    )


@check
def euro_step() -> Case:
    """Checks `step(value, kept, speed, seconds)`: the next value of the one-euro filter.

    `value` is the new measurement, `kept` the filter's last value, `speed` the smoothed speed. The
    cutoff frequency is 1.5 + 6·|speed| hertz, τ = 1 / (2π·cutoff), and the share of the new value
    is 1 / (1 + τ / seconds).
    """
    value, kept, speed = np.array([[0.3, -1.0, 2.0], [0.0, 0.5, 2.1], [4.0, -2.0, 0.0]])
    seconds = 1 / 30
    cutoff = 1.5 + 6 * np.abs(speed)

    def share(cutoff):
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / seconds)

    def step(share):
        return kept + share * (value - kept)

    return (
        (value, kept, speed, seconds),
        step(share(cutoff)),
        {
            "A point that moves to the left is as fast as one to the right: take |speed|.": (
                step(share(1.5 + 6 * speed))
            ),
            "The share belongs to the new value, the rest to the old one.": (
                step(1 - share(cutoff))
            ),
            "The speed is not in it: a slow point and a fast one are treated alike.": (
                step(share(1.5))
            ),
            "Those are the values themselves: nothing is filtered.": value,
            "2π is missing: the cutoff is a frequency.": step(1 / (1 + 1 / cutoff / seconds)),
        },
    )
