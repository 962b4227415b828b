"""Checks of notebook 01."""

import numpy as np

from kdnotes.course.checks.judge import Case, check
from kdnotes.data.schemes import SCHEMES


@check
def source_pixels() -> Case:
    """Checks `in_source(pixels, size, zoom, crop)`: where pixels of a network's image come from.

    `pixels` (n, 2) are columns and rows, counted from 0, of an image `size` pixels wide; their
    middles are meant. A unit of the stored crop is `zoom` units of the network's crop, and `crop`
    (3,) holds the stored crop's centre and side in source pixels. Returns (n, 2), source pixels.
    """
    pixels = np.array([[0.0, 0.0], [3.0, 11.0], [12.0, 5.0], [7.0, 2.0]])
    size, zoom, crop = 13, 1.7, np.array([150.0, 88.0, 210.0])
    units = (pixels + 0.5) / size - 0.5

    def lying(stored):
        return crop[:2] + crop[2] * stored

    return (
        (pixels, size, zoom, crop),
        lying(units / zoom),
        {
            "You use the pixel's upper left corner; its middle is meant.": (
                lying((pixels / size - 0.5) / zoom)
            ),
            "The first and the last pixel have their middles inside the image, not on its "
            "border.": lying((pixels / (size - 1) - 0.5) / zoom),
            "Units count from the middle of the image; yours count from its border.": (
                lying((units + 0.5) / zoom)
            ),
            "The network's crop is a part of the stored one, not the other way round.": (
                lying(units * zoom)
            ),
            "The image shows the network's crop; you treat it as the whole stored crop.": (
                lying(units)
            ),
            "Those are units of the stored crop; pixels of the source image were asked for.": (
                units / zoom
            ),
            "The crop's own place in the source image is missing.": crop[2] * units / zoom,
            "Columns and rows have changed places.": lying(units[:, ::-1] / zoom),
        },
    )


@check
def back_from_view() -> Case:
    """Checks `back(points, matrix, mirrored, flip)`: landmarks of views, in their stored crops.

    `points` (B, L, 2) are landmarks of B views, `matrix` (B, 2, 3) holds A and b of v = A u + b,
    `mirrored` (B,) says which views are mirrored, and `flip` (L,) which landmark takes the place of
    each in a mirror. Returns (B, L, 2).
    """
    rng = np.random.default_rng(0)
    stored, flip = rng.uniform(-0.3, 0.3, (3, 68, 2)), np.array(SCHEMES[68].flip)
    mirrored, angle, scale = np.array([True, False, True]), np.array([0.3, -0.5, 0.1]), 1.6
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    A = turn.transpose(2, 0, 1)  # (3, 2, 2)
    A[mirrored, :, 0] *= -1
    b = rng.uniform(-0.1, 0.1, (3, 1, 2))
    inverse, which = np.linalg.inv(A), mirrored[:, None, None]
    forward, backward = A.transpose(0, 2, 1), inverse.transpose(0, 2, 1)

    def renumbered(points):
        return np.where(which, points[:, flip], points)

    points = renumbered(stored @ forward + b)
    moved = (points - b) @ backward
    return (
        (points, np.concatenate([A, b.transpose(0, 2, 1)], axis=2), mirrored, flip),
        stored,
        {
            "Moved back, but the points of mirrored views still carry their numbers there.": moved,
            "Only the points of mirrored views are renumbered.": moved[:, flip],
            "You renumber the views that are not mirrored.": np.where(which, moved, moved[:, flip]),
            "Renumbered, but not moved.": renumbered(points),
            "That moves the points once more instead of back.": renumbered(points @ forward + b),
            "The shift was added last, so it has to go first.": renumbered(points @ backward - b),
            "The shift is still in it.": renumbered(points @ backward),
            "The shift has to be taken off, not added.": renumbered((points + b) @ backward),
            "The transpose is the inverse of a rotation; these matrices scale, too.": (
                renumbered((points - b) @ A)
            ),
            "Points are rows, so the inverse has to be transposed.": (
                renumbered((points - b) @ inverse)
            ),
            "The matrix has mirrored x already; its inverse mirrors it back.": (
                np.where(which, renumbered(moved) * [-1, 1], moved)
            ),
        },
    )


@check
def completed() -> Case:
    """Checks `complete(x, visible, mean, P, variance)`: a shape (2L,) known at visible points only.

    `visible` (L,) says which points of the shape `x` (2L,) count. `P` (k, 2L) holds the directions
    of the shape model, `variance` (k,) the variance along each. The coefficients that fit the
    visible points best are held to three standard deviations.
    """
    rng = np.random.default_rng(1)
    P = np.linalg.qr(rng.normal(size=(18, 4)))[0].T  # (4, 18)
    mean, variance = rng.normal(size=18), np.array([0.5, 0.05, 0.002, 0.3])
    visible = np.array([True, True, False, True, False, True, True, False, True])
    x = mean + np.array([4.0, 0.4, 0.1, -2.5]) @ P + 0.05 * rng.normal(size=18)
    x[np.repeat(~visible, 2)] = rng.normal(size=6)  # what is there means nothing
    limit = 3 * np.sqrt(variance)

    def fitted(seen, of=x - mean):
        return np.linalg.lstsq(P[:, seen].T, of[seen], rcond=None)[0]

    def drawn(b, limit=limit):
        return mean + np.clip(b, -limit, limit) @ P

    seen = np.repeat(visible, 2)
    b = fitted(seen)
    right = drawn(b)
    return (
        (x, visible, mean, P, variance),
        right,
        {
            "The numbers of hidden points mean nothing; you describe the shape with them, too.": (
                drawn(P @ (x - mean))
            ),
            "Hidden points are unknown; they do not lie at the origin.": (
                drawn(P @ (np.where(seen, x, 0) - mean))
            ),
            "Cut to the visible points, directions are not at right angles: fit, don't project.": (
                drawn(P[:, seen] @ (x - mean)[seen])
            ),
            "In x, the two coordinates of a point are neighbours. Does your mask fit that order?": (
                drawn(fitted(np.tile(visible, 2)))
            ),
            "You fit the hidden points in place of the visible ones.": drawn(fitted(~seen)),
            "The coefficients are not clamped.": mean + b @ P,
            "The limit is three standard deviations; you used three variances.": (
                drawn(b, 3 * variance)
            ),
            "The limit is three standard deviations; you used one.": drawn(b, limit / 3),
            "The mean was not taken off before the fit.": drawn(fitted(seen, x)),
            "The mean is missing at the end.": right - mean,
            "The visible points, too, are asked for as the model draws them.": (
                np.where(seen, x, right)
            ),
        },
    )


@check
def directions_to_keep() -> Case:
    """Checks `keep(X, mean, P, sigmas)`: how many directions make noisy labels best.

    `X` (N, 2L) are true shapes. Their labels have independent noise with each of the standard
    deviations `sigmas` (S,). The labels are made soft with the first k rows of `P` (K, 2L), without
    a clamp. Returns (S,), the k from 0 to K whose soft shapes are closest to the true ones.
    """
    rng = np.random.default_rng(2)
    n, length = 30, 24
    directions = np.linalg.qr(rng.normal(size=(length, length)))[0].T
    P, mean = directions[:8], rng.normal(size=length)
    power = 0.25 * 0.25 ** np.arange(8)  # the mean square along each direction
    b = rng.normal(size=(n, length))
    b = np.linalg.qr(b - b.mean(axis=0))[0] * np.sqrt(n)  # mean square 1
    X = mean + b * np.sqrt(np.append(power, np.full(length - 8, 1e-6))) @ directions
    sigmas = np.array([0.022, 0.18, 0.35, 0.044, 1.0, 0.09])

    def above(noise):
        return (power > noise[:, None]).sum(axis=1)

    right = above(sigmas**2)
    return (
        (X, mean, P, sigmas),
        right,
        {
            "All directions for any noise: do you compare with the true shapes, and count noise?": (
                np.full(6, 8)
            ),
            "No direction for any noise: what a direction left out takes from a face is missing.": (
                np.zeros(6)
            ),
            "Those are the directions to leave out.": 8 - right,
            "An index of the last direction kept; a number of directions was asked for.": right - 1,
            "With much noise the mean alone may be closest: k may be 0.": np.maximum(right, 1),
            "Squares are compared: the noise in a direction is σ², not σ.": above(sigmas),
            "Is one part summed over the numbers of a shape, and the other one averaged?": (
                above(length * sigmas**2)
            ),
            "The mean over the faces, not the sum: noise is there in each of them.": (
                above(sigmas**2 / n)
            ),
        },
    )
