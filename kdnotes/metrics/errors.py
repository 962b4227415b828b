"""How good landmarks are: NME, failure rate, AUC, and the error curve.

An NME (normalised mean error) is a distance divided by a distance of the same face, so it has no
unit and does not depend on the picture's size. Which distance divides must be said with every
number: the same prediction has other NMEs by eye corners, by pupils and by the face's box.

    errors = nme(pred, target, 68)                 # one fraction per face; 0.05 is "5 %"
    errors.mean(), failure_rate(errors), auc(errors)

Landmarks are `(N, L, 2)`, numpy or torch, in any unit that is the same along x and y. Empty input,
NaN and shapes that differ are ValueErrors: a face that drops out makes every figure better.
"""

from typing import Any, Literal

import numpy as np
import torch

from kdnotes.data.schemes import DISTANCES, Scheme, get

#: A name, or two points (or groups of points, whose means count) and the distance between them.
Normaliser = Literal["interocular", "interpupil", "pair", "box"] | tuple


def nme(
    pred: Any,
    target: Any,
    scheme: int | Scheme,
    normaliser: Normaliser | None = None,
    visible: Any = None,
) -> np.ndarray:
    """The normalised mean error of each face: mean distance of its points / normaliser.

    Args:
        pred, target: `(N, L, 2)`.
        scheme: Number of points or a `Scheme`.
        normaliser: "interocular" (outer eye corners), "interpupil" (pupils, or the eyes' means),
            "box", √(width·height) of the true landmarks' box, which does not shrink when the head
            turns, "pair", which a scheme without eyes may name, or any pair: `(8, 27)` is chin to
            nose root, `((36, 39), (42, 45))` the middles of the eyes' corners. None: the scheme's
            own, `Scheme.normaliser`.
        visible: `(N, L)` bool, the points that count; all without it. For the error of hidden
            points pass `~visible`, and only faces that have such a point.

    Returns:
        `(N,)` float64 fractions.

    Raises:
        ValueError: No faces, another shape, a value that is not finite, a normaliser of zero, or
            a face without a point that counts; the message names the face.

    Example:
        >>> target = np.random.default_rng(0).uniform(size=(2, 68, 2))
        >>> target[:, 36], target[:, 45] = [0.2, 0.4], [0.7, 0.4]  # the outer eye corners
        >>> metrics.nme(target + [0.01, 0.0], target, 68)  # 0.01 to the right, of 0.5
        array([0.02, 0.02])
    """
    errors = point_errors(pred, target, scheme, normaliser)
    if visible is None:
        return errors.mean(axis=1)
    visible = _numpy(visible)
    if visible.dtype != bool or visible.shape != errors.shape:
        raise ValueError(
            f"visible is {visible.dtype} of shape {visible.shape}, expected bool {errors.shape}"
        )
    counts = visible.sum(axis=1)
    if not counts.all():
        raise ValueError(
            f"face {np.flatnonzero(counts == 0)[0]} has no point that counts; "
            "measure only the faces with visible.any(axis=1)"
        )
    return np.where(visible, errors, 0).sum(axis=1) / counts


def point_errors(
    pred: Any, target: Any, scheme: int | Scheme, normaliser: Normaliser | None = None
) -> np.ndarray:
    """The distance of each point from the truth / the face's normaliser, `(N, L)` float64.

    Arguments and errors as for `nme`.

    Example:
        >>> target = np.random.default_rng(0).uniform(size=(2, 68, 2))
        >>> metrics.point_errors(target, target, 68).shape
        (2, 68)
    """
    scheme = get(scheme)
    pred, target = _landmarks("pred", pred, scheme), _landmarks("target", target, scheme)
    if pred.shape != target.shape:
        raise ValueError(f"pred is {pred.shape} and target {target.shape}, expected one shape")
    lengths = distances(target, scheme, normaliser)
    if not lengths.all():
        raise ValueError(
            f"the {normaliser or scheme.normaliser} distance of face "
            f"{np.flatnonzero(lengths == 0)[0]} is 0, so its error is undefined; check its "
            "landmarks, or choose another normaliser"
        )
    return np.linalg.norm(pred - target, axis=2) / lengths[:, None]


def distances(
    target: Any, scheme: int | Scheme, normaliser: Normaliser | None = None
) -> np.ndarray:
    """What divides the errors of each face, `(N,)`, in the unit of `target` `(N, L, 2)`; where it
    is 0, they are undefined.

    Raises:
        ValueError: As `nme`, but for a distance of 0.

    Example:
        >>> target = np.zeros((1, 3, 2))
        >>> target[0, 1] = [3.0, 4.0]
        >>> metrics.distances(target, Scheme(3), normaliser=(0, 1))
        array([5.])
    """
    scheme = get(scheme)
    target = _landmarks("target", target, scheme)
    normaliser = normaliser or scheme.normaliser
    if isinstance(normaliser, str) and normaliser == "box":
        return np.sqrt(np.prod(np.ptp(target, axis=1), axis=1))
    left, right = (target[:, side].mean(axis=1) for side in _pair(scheme, normaliser))
    return np.linalg.norm(left - right, axis=1)


def _pair(scheme: Scheme, normaliser: Normaliser) -> list[list[int]]:
    """The points on both sides of the distance that divides."""
    if isinstance(normaliser, str):
        if normaliser not in DISTANCES:
            raise ValueError(
                f"no normaliser is called {normaliser!r}; choose one of {', '.join(DISTANCES)}, or "
                "give a pair of points"
            )
        sides = getattr(scheme, normaliser)
        if sides is None:
            raise ValueError(
                f"this {scheme.n_points}-point scheme has no {normaliser} points; choose another "
                f"normaliser, such as {scheme.normaliser!r}"
            )
        return [list(side) for side in sides]
    sides = [list(np.atleast_1d(side)) for side in normaliser]
    known = range(scheme.n_points)
    if len(sides) != 2 or not all(side and all(i in known for i in side) for side in sides):
        raise ValueError(
            f"{normaliser} is no pair of points; expected two of them, or two groups, each from 0 "
            f"to {scheme.n_points - 1}"
        )
    return sides


def per_group(
    pred: Any, target: Any, scheme: int | Scheme, normaliser: Normaliser | None = None
) -> dict[str, float]:
    """The mean error of each group of points (contour, nose, …) over all faces.

    Arguments and errors as for `nme`.

    Example:
        >>> target = np.random.default_rng(0).uniform(size=(2, 68, 2))
        >>> metrics.per_group(target, target, 68)["nose"]
        0.0
    """
    scheme = get(scheme)
    errors = point_errors(pred, target, scheme, normaliser)
    return {name: float(errors[:, list(group)].mean()) for name, group in scheme.groups.items()}


def failure_rate(errors: Any, threshold: float = 0.10) -> float:
    """The share of faces with an error above `threshold`; exactly at it is no failure.

    Example:
        >>> metrics.failure_rate([0.02, 0.10, 0.11, 0.30])
        0.5
    """
    return float(np.mean(checked(errors) > threshold))


def auc(errors: Any, threshold: float = 0.10) -> float:
    """The area under the error curve from 0 to `threshold`, divided by `threshold`: 0 to 1.

    Exact and without a grid: a face with error x < threshold raises the curve from x on, so its
    share of the area is 1 - x/threshold.

    Example:
        >>> metrics.auc([0.02, 0.04, 0.30])
        0.46666666666666673
    """
    return float(np.mean(np.clip(1 - checked(errors) / threshold, 0, 1), dtype=np.float64))


def ced(errors: Any) -> tuple[np.ndarray, np.ndarray]:
    """The cumulative error distribution: errors in rising order, and the share of faces up to each.

    Draw it as steps: `plt.step(*ced(errors), where="post")`.

    Example:
        >>> metrics.ced([0.3, 0.1])
        (array([0.1, 0.3]), array([0.5, 1. ]))
    """
    errors = np.sort(checked(errors))
    return errors, np.arange(1, len(errors) + 1) / len(errors)


def _numpy(values: Any) -> np.ndarray:
    """An array of anything array-like; tensors are detached, half precision becomes float32."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
    return np.asarray(values)


def _landmarks(name: str, points: Any, scheme: Scheme) -> np.ndarray:
    points = _numpy(points).astype(np.float64)
    expected = (len(points) if points.ndim else 0, scheme.n_points, 2)
    if points.shape != expected or not len(points):
        raise ValueError(
            f"{name} has shape {points.shape}, expected (N, {scheme.n_points}, 2) with N >= 1"
        )
    bad = np.argwhere(~np.isfinite(points))
    if len(bad):
        face, point, _ = bad[0]
        raise ValueError(
            f"{name} of face {face}, point {point} is {points[face, point]}, expected numbers"
        )
    return points


def checked(errors: Any, lowest: float = 0.0) -> np.ndarray:
    """Errors of faces `(N,)`, none below `lowest`, as floats.

    They keep their precision: float32's 0.1 is no failure at 0.1. Infinity is allowed: it is the
    error of a face without an answer, and counts as a failure.
    """
    errors = _numpy(errors)
    errors = errors if np.issubdtype(errors.dtype, np.floating) else errors.astype(np.float64)
    if errors.ndim != 1 or not errors.size:
        raise ValueError(f"errors has shape {errors.shape}, expected (N,) with N >= 1")
    bad = np.flatnonzero(~(errors >= lowest))  # NaN is one of them
    if len(bad):
        raise ValueError(
            f"error {bad[0]} is {errors[bad[0]]}, expected a number from {lowest:g} on; a face "
            "without an answer counts as a failure when its error is set to infinity"
        )
    return errors
