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
def eight_bit_layer() -> Case:
    """Checks `layer(x, weights, low, high)`: a linear layer that is computed with whole numbers.

    `x` (N, K) are the inputs, `weights` (C, K) the weights, `low` and `high` the calibrated range
    of the inputs. Inputs become 0 to 255, a whole number stands for zero, and what is outside of
    the range is clipped. Weights become −127 to 127, with one scale per row. Returns the outputs
    (N, C) as real numbers.
    """
    rng, low, high = np.random.default_rng(0), -1.3, 4.1
    x = rng.uniform(1.2 * low, 1.2 * high, (6, 30))
    weights = rng.normal(size=(4, 30)) * np.array([[0.1], [1], [3], [9]])

    def layer(*, scale=(high - low) / 255, zero=None, most=(0, 255), rows=None, steps=127):
        """The layer, or one with a mistake."""
        zero = np.round(-low / scale) if zero is None else zero
        rows = np.abs(weights).max(axis=1) if rows is None else rows
        inputs = np.clip(np.round(x / scale) + zero, *most) - zero
        scales = rows / steps
        return scale * scales * (inputs @ np.round(weights / scales[..., None]).T)

    scale = (high - low) / 255
    zero = np.round(-low / scale)
    inputs = np.clip(np.round(x / scale) + zero, 0, 255)
    scales = np.abs(weights).max(axis=1) / 127
    whole = np.round(weights / scales[:, None])
    return (
        (x, weights, low, high),
        layer(),
        {
            "A number stands for zero: take it away again before you multiply.": (
                scale * scales * (inputs @ whole.T)
            ),
            "What lies outside of the range is clipped.": layer(most=(-np.inf, np.inf)),
            "The number that stands for zero is whole, so that a zero stays zero.": (
                (np.round((np.clip(x, low, high) - low) / scale) * scale + low)
                @ (whole * scales[:, None]).T
            ),
            "One scale for all weights: small rows lose nearly everything.": layer(
                rows=np.full(len(weights), np.abs(weights).max())
            ),
            "Those are whole numbers: multiply by both scales.": (inputs - zero) @ whole.T,
            "Multiply by the scales of the weights, too.": scale * ((inputs - zero) @ whole.T),
            "Multiply by the scale of the inputs, too.": scales * ((inputs - zero) @ whole.T),
            "Nothing is rounded: that is the layer in 32 bits.": x @ weights.T,
            "The weights are rounded, too.": scale * ((inputs - zero) @ weights.T),
            "The inputs are rounded, too.": np.clip(x, low, high) @ (whole * scales[:, None]).T,
            "The sign of a weight takes a bit: 127 steps to each side.": layer(steps=255),
            "The range is not the same on both sides of zero: 255 steps lie between its ends.": (
                layer(scale=high / 127, zero=0, most=(-127, 127))
            ),
        },
    )


@check
def euro_filter() -> Case:
    """Checks `steady(points, times, eyes)`: landmarks (T, L, 2) without their jitter.

    `times` (T,) are seconds, `eyes` is the distance of the eyes. The one-euro filter has the cutoff
    1.5 + 6·|speed| hertz, for x and y of each landmark. The speed is the new place minus the last
    filtered one, in eye distances per second, smoothed with a cutoff of 1 hertz; it begins at 0.
    After more than half a second the filter begins again.
    """
    rng, eyes = np.random.default_rng(1), 60.0
    seconds = rng.uniform(0.02, 0.06, 15)
    seconds[8] = 0.9
    times = 3.0 + np.cumsum(seconds)
    steps = rng.normal(0, 1, (15, 3, 2)) + np.array([[6, -4], [-9, 0], [0, 12]])
    points = 200 + np.cumsum(steps, axis=0)
    given = points, times, eyes
    return given, _filtered(*given), _wrong_filters(*given)


def _filtered(points, times, eyes, *, size=np.abs, gap=0.5, slope=1.0, raw=False, forget=True):
    """The one-euro filter, or one with a mistake."""

    def share(cutoff, seconds):
        return 1 / (1 + 1 / (2 * np.pi * cutoff * seconds))

    kept, speed, found = points[0], 0 * points[0], [points[0]]
    for before, new, seconds in zip(points, points[1:], np.diff(times), strict=False):
        if seconds > gap:
            kept, speed = new, 0 * new if forget else speed
        else:
            change = (new - (before if raw else kept)) / eyes / seconds
            speed = speed + share(slope, seconds) * (change - speed)
            kept = kept + share(1.5 + 6 * size(speed), seconds) * (new - kept)
        found.append(kept)
    return np.stack(found)


def _wrong_filters(points, times, eyes):
    even = np.linspace(times[0], times[-1], len(times))
    return {
        "A point that moves to the left is as fast as one to the right: take |speed|.": (
            _filtered(points, times, eyes, size=lambda speed: speed)
        ),
        "The speed is not in it: a slow point and a fast one are treated alike.": (
            _filtered(points, times, eyes, size=lambda speed: 0 * speed)
        ),
        "x and y have a speed each: do not take the length of the two.": (
            _filtered(
                points, times, eyes,
                size=lambda speed: np.linalg.norm(speed, axis=-1, keepdims=True),
            )
        ),
        "Speeds are in eye distances per second, not in pixels.": _filtered(points, times, 1.0),
        "Each step has its own time: frames come at uneven times.": _filtered(points, even, eyes),
        "After more than half a second the filter starts again.": (
            _filtered(points, times, eyes, gap=np.inf)
        ),
        "When the filter starts again, the speed is 0.": (
            _filtered(points, times, eyes, forget=False)
        ),
        "The speed is smoothed, too, with a cutoff of 1 hertz.": (
            _filtered(points, times, eyes, slope=np.inf)
        ),
        "The speed starts from the last filtered place, not from the last one seen.": (
            _filtered(points, times, eyes, raw=True)
        ),
        "Those are the landmarks themselves: nothing is filtered.": points,
    }  # fmt: skip
