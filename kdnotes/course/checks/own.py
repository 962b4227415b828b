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


@check
def error_of_a_hand() -> Case:
    """Checks `hand(first, second, placed)`: how far a hand is from the truth, from two labellings.

    `first` and `second` (N, L, 2) are two labellings of the same pictures, `placed` (N, L) is 1
    where both have the landmark. Of each landmark it is the mean distance of the two over the
    pictures that have it, divided by √2 and by the side √(w·h) of the box of the mean landmarks
    that are placed. Returns (L,).
    """
    rng = np.random.default_rng(10)
    truth = rng.uniform(10, 90, (8, 5, 2)) * rng.uniform(0.5, 2, (8, 1, 1))
    noise = rng.normal(0, 1, (2, 8, 5, 2)) * rng.uniform(0.5, 4, (1, 8, 5, 1))
    first, second = truth + noise
    placed = np.ones((8, 5), int)
    placed[[0, 3, 3, 6], [1, 2, 4, 0]] = 0
    first, second = (np.where(placed[..., None], points, 0) for points in (first, second))
    apart = np.linalg.norm(first - second, axis=-1)

    def side(points, there):
        low, high = (
            extreme(np.where(there[..., None], points, np.nan), axis=1)
            for extreme in (np.nanmin, np.nanmax)
        )
        return np.sqrt(np.prod(high - low, axis=-1))[:, None]

    def mean(distances, weights=placed):
        return (distances * weights).sum(axis=0) / weights.sum(axis=0)

    middle = (first + second) / 2
    box = side(middle, placed)
    whole = placed * placed.all(axis=1, keepdims=True)
    return (
        (first, second, placed),
        mean(apart / box) / np.sqrt(2),
        {
            "Both labellings have an error: divide their distance by √2.": mean(apart / box),
            "Divide by √2, not by 2: the two errors add as squares do.": mean(apart / box) / 2,
            "Those are pixels: divide by the side of the box.": mean(apart) / np.sqrt(2),
            "A landmark that is not placed is no distance of 0: leave it out of the mean.": (
                (apart / box).mean(axis=0) / np.sqrt(2)
            ),
            "The box is that of the landmarks that are placed.": (
                mean(apart / side(middle, np.ones_like(placed))) / np.sqrt(2)
            ),
            "The box is that of the mean of both labellings.": (
                mean(apart / side(first, placed)) / np.sqrt(2)
            ),
            "A picture without one landmark still has the others.": (
                mean(apart / box, whole) / np.sqrt(2)
            ),
            "Those are roots of mean squares; the mean distance was asked for.": (
                np.sqrt(mean((apart / box) ** 2)) / np.sqrt(2)
            ),
            "Each picture has a box of its own: divide before you take the mean.": (
                mean(apart) / box.mean() / np.sqrt(2)
            ),
        },
    )


@check
def gains_by_labels() -> Case:
    """Checks `gains(labelled, seed, taught, error)`: what a teacher's labels are worth.

    Each array (R,) has a value for each training: number of labelled pictures, seed, 1 for a
    student with the teacher's labels and 0 for one without, mean error. Returns (K, 4): for each
    number of labelled pictures with two seeds or more that have both students, the fewest first,
    this number, the error reduction, and the lower and the upper end of its 95 % interval over
    seeds. It is computed for the logarithm of the ratio of the errors of a seed.
    """
    from scipy.special import stdtrit  # takes a while to import

    rng = np.random.default_rng(11)
    missing = {(10, 1, 0), (10, 3, 1), (40, 0, 0), (40, 2, 1), (40, 3, 0)}
    runs = [
        (n, seed, taught)
        for n in (5, 10, 20, 40)
        for seed in range(4)
        for taught in (0, 1)
        if (n, seed, taught) not in missing
    ]
    labelled, seed, taught = rng.permutation(runs).T
    draws = rng.normal(0, 0.04, len(seed)) + 0.1 * seed
    error = 0.2 / labelled**0.3 * np.exp(draws - taught * (0.3 - 0.005 * labelled))
    table = dict(zip(zip(labelled, seed, taught, strict=True), error, strict=True))

    def rows(*, new=1, quantile=0.975, less=1, ddof=1, root=True, ratio=np.log, back=np.exp):
        """The rows, or those with a mistake."""
        found = []
        for n in np.unique(labelled):
            seeds = [s for s in range(4) if (n, s, 0) in table and (n, s, 1) in table]
            if len(seeds) < 2:
                continue
            ratios = [ratio(table[n, s, new] / table[n, s, 1 - new]) for s in seeds]
            t = stdtrit(len(seeds) - less, quantile) if less is not None else quantile
            half = t * np.std(ratios, ddof=ddof) / (np.sqrt(len(seeds)) if root else 1)
            ends = np.mean(ratios) + half * np.array([0, 1, -1])
            found.append([n, *(1 - back(ends))])
        return np.array(found)

    right = rows()
    return (
        (labelled, seed, taught, error),
        right,
        {
            "With so few seeds, take the quantile of Student's t, not 1.96.": rows(
                quantile=1.959964, less=None
            ),
            "Of n seeds, Student's t has n − 1 degrees of freedom.": rows(less=0),
            "2.5 % are left out on each side: the quantile is that of 97.5 %.": rows(quantile=0.95),
            "The spread of a few values divides by n − 1.": rows(ddof=0),
            "The spread of a mean is that of the seeds, divided by the root of n.": rows(
                root=False
            ),
            "The share is that of the error without the teacher's labels.": rows(new=0),
            "The lower end of the interval comes first.": right[:, [0, 1, 3, 2]],
            "The fewest labelled pictures come first.": right[::-1],
            "Those are ratios: a gain is what is gone, 1 minus the ratio.": np.column_stack(
                [right[:, 0], 1 - right[:, 1:]]
            ),
            "Those are logarithms: back to ratios by exp.": rows(back=lambda x: 1 + x),
            "The interval is that of the logarithm of the ratio.": rows(
                ratio=lambda x: x, back=lambda x: x
            ),
        },
    )
