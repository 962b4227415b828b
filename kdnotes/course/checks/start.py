"""Checks of notebook 00."""

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
def mean_shape() -> Case:
    """Checks `mean_shape(landmarks)`: the mean (L, 2) of the shapes (N, L, 2)."""
    shapes = np.random.default_rng(10).gamma(2.0, size=(7, 5, 2))
    return (
        (shapes,),
        shapes.mean(axis=0),
        {
            "That is the median.": np.median(shapes, axis=0),
            "That is the first face.": shapes[0],
            "That is the sum; a mean divides it by the number of faces.": shapes.sum(axis=0),
            "Divided by the number of points; how many faces are there?": shapes.sum(axis=0)
            / shapes.shape[1],
            "One number for the whole array: keep points and coordinates apart.": np.full(
                (5, 2), shapes.mean()
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
def blind_answer() -> Case:
    """Checks `blind_answer(landmarks, left, right)`: the shape (L, 2) with the least mean NME.

    `landmarks` are (N, L, 2); `left` and `right` are the indices of the outer eye corners.
    """
    rng = np.random.default_rng(12)
    shapes, left, right = rng.gamma(1.5, size=(15, 5, 2)), 3, 1
    shapes[:, right] = shapes[:, left] + rng.uniform(1, 3, size=(15, 1)) * [1, 0.2]
    eyes = np.linalg.norm(shapes[:, left] - shapes[:, right], axis=1)  # (N,)
    best = _nearest(shapes, 1 / eyes)
    return (
        (shapes, left, right),
        best,
        {
            "That is the mean shape. It is best for squared distances.": shapes.mean(axis=0),
            "That is the median of each coordinate. A distance takes both.": np.median(
                shapes, axis=0
            ),
            "Not yet divided by the distance of the eye corners: each face has its own.": (
                _nearest(shapes, np.ones(len(shapes)))
            ),
            "That is a mean weighted by the eyes. It is best for squared distances.": np.average(
                shapes, axis=0, weights=1 / eyes
            ),
            "Divide by the distance of the eye corners; yours multiplies.": _nearest(shapes, eyes),
            "That is one of the faces. The best shape need not be any of them.": min(
                shapes,
                key=lambda shape: (
                    np.linalg.norm(shapes - shape, axis=2).mean(axis=1) / eyes
                ).sum(),
            ),
        },
    )


def _nearest(shapes, weights):
    """The shape (L, 2) with the least weighted sum of distances to the shapes (N, L, 2)."""
    shape = shapes.mean(axis=0)
    for _ in range(1000):
        distances = np.linalg.norm(shapes - shape, axis=2)  # (N, L)
        pulls = (weights[:, None] / np.maximum(distances, 1e-12))[..., None]  # (N, L, 1)
        shape = (pulls * shapes).sum(axis=0) / pulls.sum(axis=0)
    return shape
