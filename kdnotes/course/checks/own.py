"""Checks of notebook 08."""

import numpy as np

from kdnotes.course.checks.judge import Case, check


@check
def flips() -> Case:
    """Checks `is_flip(orders)`: which of these orders (B, L) can be a scheme's flip.

    A flip holds the number of each point's mirror image. Every point is there once, and the mirror
    image of a mirror image is the point itself. Returns (B,), 1 for a flip and 0 for none.
    """
    orders = np.array(
        [
            [0, 1, 2, 3],  # nothing moves
            [1, 0, 3, 2],
            [1, 2, 0, 3],  # a round of three
            [1, 1, 2, 3],  # point 0 is nobody's mirror image
            [3, 2, 1, 0],
            [1, 2, 3, 0],  # a round of four
            [0, 0, 0, 0],
        ]
    )
    places = np.arange(orders.shape[1])
    back = np.take_along_axis(orders, orders, axis=1)
    once = (np.sort(orders, axis=1) == places).all(axis=1)
    return (
        (orders,),
        (back == places).all(axis=1),
        {
            "That every point is there once is not enough: go there and back.": once,
            "A point may be its own mirror image, such as the tip of a nose.": (
                (back == places).all(axis=1) & (orders != places).all(axis=1)
            ),
            "The mirror image may be another point: only there and back leads home.": (
                (orders == places).all(axis=1)
            ),
            "That is the number of points that come back; all of them must.": (
                (back == places).sum(axis=1)
            ),
        },
    )


@check
def spread_of_looks() -> Case:
    """Checks `spread(looks)`: how far several looks at a picture lie apart.

    `looks` (N, K, L, 2) are K answers for each of N pictures. Of each landmark it is the root of
    the mean squared distance from the mean look, divided by the side √(w·h) of the box of the mean
    landmarks. Returns (N, L).
    """
    rng = np.random.default_rng(8)
    shapes = rng.uniform(10, 90, (3, 1, 5, 2))
    looks = shapes + rng.normal(0, 3, (3, 4, 5, 2))
    mean = looks.mean(axis=1)
    apart = np.linalg.norm(looks - mean[:, None], axis=-1)  # (N, K, L)
    width, height = np.moveaxis(np.ptp(mean, axis=1), -1, 0)
    side, pixels = np.sqrt(width * height)[:, None], np.sqrt((apart**2).mean(axis=1))
    return (
        (looks,),
        pixels / side,
        {
            "Those are pixels: divide by the side of the box.": pixels,
            "Those are mean distances; the root of the mean square was asked for.": (
                apart.mean(axis=1) / side
            ),
            "Those are squares: take the root.": pixels**2 / side**2,
            "x and y belong to one distance: add their squares, do not average them.": (
                pixels / np.sqrt(2) / side
            ),
            "The side of the box is √(w·h), not its longer side.": (
                pixels / np.maximum(width, height)[:, None]
            ),
            "Divide by K, not by K − 1: this is the mean of the squares.": (
                pixels * np.sqrt(4 / 3) / side
            ),
        },
    )


@check
def pictures_to_label_next() -> Case:
    """Checks `chosen(spread, labelled, n)`: which pictures to label next.

    `spread` (N, L) says how unsure the teacher is of each landmark, `labelled` (N,) is 1 where
    somebody has labelled the picture. Returns the numbers (n,) of the n pictures without labels
    whose mean spread is largest, the largest first.
    """
    rng = np.random.default_rng(9)
    spread = rng.uniform(0.01, 0.2, (9, 4)) * np.array([1, 4, 2, 7, 3, 6, 5, 1.5, 8])[:, None]
    spread[4, 0] = 3.0  # one wild landmark
    labelled, n = np.array([0, 1, 0, 0, 0, 1, 0, 0, 1]), 3
    mean, free = spread.mean(axis=1), np.flatnonzero(labelled == 0)

    def largest(values, among):
        return among[np.argsort(-values[among])][:n]

    return (
        (spread, labelled, n),
        largest(mean, free),
        {
            "Some of these are labelled already.": largest(mean, np.arange(9)),
            "Those are the surest; the least sure teach most.": largest(-mean, free),
            "The largest comes first.": largest(mean, free)[::-1],
            "Those are places among the pictures without labels: say which pictures they are.": (
                np.argsort(-mean[free])[:n]
            ),
            "The mean over the landmarks was asked for, not the median.": (
                largest(np.median(spread, axis=1), free)
            ),
        },
    )
