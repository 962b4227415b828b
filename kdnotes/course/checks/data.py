"""Checks of notebook 01."""

import numpy as np

from kdnotes.course.checks.judge import Case, check
from kdnotes.data.schemes import SCHEMES


@check
def unit() -> Case:
    """Checks `unit(i, W)`: the centre of pixel i in picture units, for a picture W pixels wide."""
    i, width = np.array([0, 3, 7, 12]), 13
    right = (i + 0.5) / width - 0.5
    return (
        (i, width),
        right,
        {
            "You use the pixel's left border; its middle is meant.": i / width - 0.5,
            "The first and the last pixel have their middles inside the picture, not on its "
            "border.": i / (width - 1) - 0.5,
            "The origin is the picture's middle; yours is its left border.": right + 0.5,
            "The unit is the whole width; you use half of it.": 2 * right,
        },
    )


@check
def mirror() -> Case:
    """Checks `mirror(points, flip)`: the landmarks (L, 2) of the mirror image.

    `flip` (L,) says which landmark takes the place of each.
    """
    rng = np.random.default_rng(0)
    points, flip = rng.uniform(-0.4, 0.4, (68, 2)), np.array(SCHEMES[68].flip)
    moved = points * [-1, 1]
    return (
        (points, flip),
        moved[flip],
        {
            "Moved, but the points still carry their old numbers.": moved,
            "Renumbered, but not moved.": points[flip],
            "The mirror turns left and right round, not up and down.": (points * [1, -1])[flip],
            "Not up and down as well: only x changes its sign.": -points[flip],
            "1 − x is for an origin at the border; here it is in the middle.": (
                moved[flip] + [1, 0]
            ),
        },
    )


@check
def soften() -> Case:
    """Checks `soften(x, mean, P, variance)`: the soft shape (2L,) of one shape x.

    `P` (k, 2L) holds the directions of the shape model, `variance` (k,) the variance along each.
    """
    rng = np.random.default_rng(1)
    P = np.linalg.qr(rng.normal(size=(10, 4)))[0].T  # (4, 10)
    mean, variance = rng.normal(size=10), np.array([0.5, 0.05, 0.002, 0.3])
    b = np.array([4.0, 1.2, 0.1, -2.5])  # above two limits, within one, below one
    off = rng.normal(size=10)
    x = mean + b @ P + off - P @ off @ P  # with a part that no direction describes
    limit = 3 * np.sqrt(variance)

    def clamped(limit):
        return mean + np.clip(b, -limit, limit) @ P

    return (
        (x, mean, P, variance),
        clamped(limit),
        {
            "The coefficients are not clamped.": mean + b @ P,
            "The limit is three standard deviations; you used three variances.": (
                clamped(3 * variance)
            ),
            "The limit is three standard deviations; you used one.": clamped(limit / 3),
            "There is a limit to both sides.": mean + np.minimum(b, limit) @ P,
            "Each coefficient has a limit of its own: three times its own standard deviation.": (
                clamped(limit.max())
            ),
            "The limit is in standard deviations; you used the number 3.": clamped(3),
            "The mean was not taken off before the shape was described.": mean
            + np.clip(P @ x, -limit, limit) @ P,
            "The mean is missing at the end.": np.clip(b, -limit, limit) @ P,
            "Coefficients beyond the limit become the limit, not zero.": mean
            + np.where(np.abs(b) > limit, 0, b) @ P,
            "That is the shape itself; describe it by the k coefficients.": x,
        },
    )
