"""Checks of notebook 00."""

import itertools

import numpy as np

from kdnotes.course.checks.judge import Case, check


@check
def pixel_ratio() -> Case:
    """Checks `ratio(large, small)`: how many times as many pixels the larger image has.

    Both images are square; `large` and `small` are their sides.
    """
    large, small = np.array([224.0, 112, 64, 80]), np.array([64.0, 112, 128, 32])
    return (
        (large, small),
        (large / small) ** 2,
        {
            "That compares the sides. An image has rows and columns.": large / small,
            "Upside down: a larger first image gives a number above 1.": (small / large) ** 2,
            "How many times as many, not how many more.": large**2 - small**2,
            "How many times as many: equal images give 1.": (large / small) ** 2 - 1,
            "Doubled, not squared.": 2 * large / small,
            "Times three would be the colours; both images have them.": 3 * (large / small) ** 2,
        },
    )


@check
def mean_of_others() -> Case:
    """Checks `mean_of_others(landmarks)`: for each of the shapes (N, L, 2), the mean of the other
    N - 1."""
    shapes = np.random.default_rng(10).gamma(2.0, size=(7, 5, 2))
    total = shapes.sum(axis=0)  # (L, 2)
    return (
        (shapes,),
        (total - shapes) / 6,
        {
            "That is the mean of all faces, the face itself among them.": (
                np.broadcast_to(total / 7, shapes.shape)
            ),
            "That is the sum of the others; a mean divides it by their number.": total - shapes,
            "How many other faces are there? You divide by one too many.": (total - shapes) / 7,
            "The face is to be left out of the sum, not only of the number.": (
                np.broadcast_to(total / 6, shapes.shape)
            ),
            "That is the face itself.": shapes,
            "Over faces, not over points: keep the points apart.": (
                (shapes.sum(axis=1, keepdims=True) - shapes) / 4
            ),
        },
    )


@check
def nme() -> Case:
    """Checks `nme(pred, target, left, right)`: the error (N,) of each face.

    `pred` and `target` are (N, L, 2); `left` and `right` are the indices of the outer eye corners.
    """
    rng = np.random.default_rng(11)
    target = rng.uniform(-0.4, 0.4, (6, 9, 2))
    pred, left, right = target + rng.normal(scale=0.05, size=target.shape), 3, 7
    apart = np.linalg.norm(pred - target, axis=2)  # (N, L)
    eyes = np.linalg.norm(target[:, left] - target[:, right], axis=1)  # (N,)
    off = pred - target
    return (
        (pred, target, left, right),
        apart.mean(axis=1) / eyes,
        {
            "Not yet divided by the distance of the eye corners.": apart.mean(axis=1),
            "The eyes of the truth are the yardstick, not those of the prediction.": (
                apart.mean(axis=1) / np.linalg.norm(pred[:, left] - pred[:, right], axis=1)
            ),
            "Mean of distances, not root of a mean of squares.": np.sqrt((apart**2).mean(axis=1))
            / eyes,
            "First the distance of each point, then the mean: else errors to opposite sides "
            "cancel.": np.linalg.norm(off.mean(axis=1), axis=1) / eyes,
            "A distance has a root over both coordinates; yours adds |x| and |y|.": (
                np.abs(off).sum(axis=2).mean(axis=1) / eyes
            ),
            "That is the mean over coordinates; a point's distance takes both.": (
                np.abs(off).mean(axis=(1, 2)) / eyes
            ),
            "Each face by its own eyes; yours divides by the mean of all faces' eyes.": (
                apart.mean(axis=1) / eyes.mean()
            ),
            "The sum over the points; a mean divides by their number.": apart.sum(axis=1) / eyes,
        },
    )


@check
def next_crop() -> Case:
    """Checks `next_crop(points, margin)`: the square [x, y, side] around landmarks (L, 2).

    Its centre (x, y) is that of the box around the points; its side is the longer side of that box
    times `margin`.
    """
    points = np.array([[12.0, 40], [20, 88], [31, 61], [58, 79], [29, 47]])
    margin = 1.3
    low, high = points.min(axis=0), points.max(axis=0)
    (x, y), sides = (low + high) / 2, high - low
    longer = margin * sides.max()

    def square(x=x, y=y, side=longer):
        return np.array([x, y, side])

    return (
        (points, margin),
        square(),
        {
            "The centre of the box is asked for, not the mean of the points.": square(
                *points.mean(axis=0)
            ),
            "x and y are those of the centre, not of the upper left corner.": square(
                x - longer / 2, y - longer / 2
            ),
            "That is a corner of the box: the square lies around its centre.": square(*low),
            "The longer side of the box counts: else a part of the face is cut off.": square(
                side=margin * sides.min()
            ),
            "The margin is missing: the points would lie on the border.": square(side=sides.max()),
            "The margin is a factor, not a distance in pixels.": square(side=sides.max() + margin),
            "That is half of the side.": square(side=longer / 2),
        },
    )


@check
def by_chance() -> Case:
    """Checks `by_chance(without, taught)`: how often swapped names give as large a difference.

    `without` and `taught` (n,) are the errors of two students on n people. The result is the share,
    of all 2^n ways to swap the names for some people, whose mean errors differ by at least as much
    as observed, in either direction.
    """
    # multiples of 1/1024, so that sums are exact and equal gains are equal
    without = np.array([58, 54, 66, 50, 80, 45, 61, 67, 70, 48]) / 1024
    taught = np.array([62, 48, 71, 55, 90, 43, 66, 58, 77, 51]) / 1024
    gains = without - taught
    signs = np.array(list(itertools.product((1, -1), repeat=len(gains))))  # (2^n, n)
    sums, seen = signs @ gains, gains.sum()
    right = (np.abs(sums) >= np.abs(seen)).mean()
    return (
        (without, taught),
        right,
        {
            "At least as much: equal differences count, the one observed among them.": (
                (np.abs(sums) > np.abs(seen)).mean()
            ),
            "In either direction: a difference of the other sign counts, too.": (
                (sums <= seen).mean()
            ),
            "The student with teachers is worse here: compare sizes, without the signs.": (
                (sums >= seen).mean()
            ),
            "Take the size of the observed difference, too; its sign is negative here.": (
                (np.abs(sums) >= seen).mean()
            ),
            "That is the share of the ways that give less.": 1 - right,
            "That is the number of ways; divide by the number of all ways.": right * len(sums),
            "That asks each person alone: there are 2^n ways to swap.": (gains > 0).mean(),
        },
    )
