"""How sure a figure is, when people and seeds might have been others.

`mean_interval` and `gain_interval` are for means and for the comparison of two trainings. They take
one network or several that differ in the seed. `bootstrap_interval` is for any other statistic of
one network's faces.

Faces of one person are alike, and so are all the faces that one network has answered for. So the
variance of a mean has two parts: that between the means of the *seeds*, S of them, and that between
the means of the *people*, G of them. Each part is known from few numbers, so each gets the quantile
of Student's t for its own degrees of freedom. The half width of an interval is

    h² = t(S − 1)² · variance between seeds / S + t(G − 1)² · variance between people / G

For normal errors such an interval holds the truth at least as often as it says: S. Banerjee, *On
confidence interval for two-means problem based on separate estimates of variances and tabulated
values of t-table*, Sankhyā A 22, 1960. For skewed errors `tests/test_intervals.py` simulates it.

A percentile bootstrap over seeds can never leave the range of what was seen. With two seeds its
95 % interval holds the truth in half of all cases, with five seeds in 83 %.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kdnotes.metrics.errors import checked

#: The fewest seeds whose interval is drawn or told: with two, Student's t is 12.7.
SEEDS_TOLD = 3


class Estimate(NamedTuple):
    """A figure and its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2%} ({self.low:.2%} to {self.high:.2%})"


def mean_interval(errors: Any, people: Sequence | None = None, *, level: float = 0.95) -> Estimate:
    """The mean over all faces, and how far that of other seeds and people may be from it.

    Args:
        errors: `(N,)` numbers of one network, or `(S, N)` of networks with different seeds on the
            same faces. They may be negative.
        people: `(N,)` who is on each face; None: everybody once.
        level: How often such an interval holds the true mean.

    Returns:
        The mean and its interval. Low and high are NaN with a single person, who says nothing about
        others. With one network the interval says nothing about other seeds.

    Raises:
        ValueError: NaN, no faces, or people of another number.

    Example:
        >>> errors = [0.03, 0.05, 0.04, 0.06]
        >>> print(metrics.mean_interval(errors))
        4.50% (2.45% to 6.55%)
        >>> print(metrics.mean_interval([errors, errors[::-1]], ["a", "a", "b", "b"]))
        4.50% (4.50% to 4.50%)
    """
    errors = _table(errors)
    mean = float(errors.mean())
    if np.isinf(mean):  # of a face without an answer
        return Estimate(mean, float("nan"), float("nan"))
    h = _half_width(errors - mean, people, level)
    return Estimate(mean, mean - h, mean + h)


def gain_interval(
    errors: Any, reference: Any, people: Sequence | None = None, *, level: float = 0.95
) -> Estimate:
    """How much lower the mean error is than that of a reference, as a share of the reference.

    What is hard for both, a face or a seed's views, is taken out before the interval is computed.
    It is computed for the logarithm of the means' ratio.

    Args:
        errors, reference: `(N,)` or `(S, N)` positive numbers: column by column the same face, row
            by row the same seed.
        people, level: As in `mean_interval`.

    Returns:
        The gain, 0.1 for a tenth less error, and its interval.

    Raises:
        ValueError: As `mean_interval`; arrays of different shapes; a mean that is not positive.

    Example:
        >>> plain = np.array([0.03, 0.05, 0.04, 0.06])
        >>> print(metrics.gain_interval(plain - 0.004, plain))
        8.89% (4.74% to 12.86%)
    """
    errors, reference = _table(errors), _table(reference)
    if errors.shape != reference.shape:
        raise ValueError(f"expected errors of one shape, found {errors.shape}, {reference.shape}")
    means = errors.mean(), reference.mean()
    if not 0 < min(means) <= max(means) < np.inf:
        raise ValueError(
            f"a gain is a share of a positive, finite error, found means {means[0]} and {means[1]}"
        )
    h = _half_width(errors / means[0] - reference / means[1], people, level)
    ratio = float(means[0] / means[1])
    return Estimate(1 - ratio, float(1 - ratio * np.exp(h)), float(1 - ratio * np.exp(-h)))


def _table(errors):
    """Errors as `(S, N)`."""
    errors = np.asarray(errors, np.float64)
    if errors.ndim not in (1, 2):
        raise ValueError(f"expected errors (faces,) or (seeds, faces), found {errors.shape}")
    checked(errors.ravel(), lowest=-np.inf)
    return np.atleast_2d(errors)


def _half_width(parts, people, level):
    """Half width of the interval around the mean of `(S, N)` numbers, whose mean is 0."""
    from scipy.special import stdtrit  # Student's t; takes a while to import

    if not 0 < level < 1:
        raise ValueError(f"level is {level}; expected 0 < level < 1")
    n_faces = parts.shape[1]
    people = np.arange(n_faces) if people is None else np.asarray(people)
    if people.shape != (n_faces,):
        raise ValueError(f"expected {n_faces} people, one for each face, found {people.shape}")
    _, person = np.unique(people, return_inverse=True)
    sums = np.bincount(person, parts.mean(axis=0))  # (G,)
    if len(sums) < 2:
        return float("nan")
    square = 0.0
    for means in (parts.mean(axis=1), sums * len(sums) / n_faces):
        if len(means) > 1:  # one seed says nothing about others
            quantile = stdtrit(len(means) - 1, (1 + level) / 2)
            square += quantile**2 * means.var(ddof=1) / len(means)
    return float(np.sqrt(square))


def bootstrap_interval(
    *errors: Any,
    statistic: Callable[..., float] = np.mean,
    level: float = 0.95,
    n: int = 1000,
    seed: int = 0,
    groups: Sequence | None = None,
) -> tuple[float, float]:
    """How much a statistic would vary with another draw of faces (percentile bootstrap).

    Args:
        errors: `(N,)` numbers, one of each face, or several such arrays of the same faces, which
            are drawn together.
        statistic: From the drawn errors, one array for each given, to a number: `np.mean`,
            `np.median`, `auc`, `failure_rate`, or a difference of two networks.
        level: Share of the draws that the interval holds.
        n: Number of draws.
        seed: The same seed draws the same faces.
        groups: `(N,)` labels, the subjects. Persons are drawn instead of faces, each with all
            their faces: pictures of one person are alike, and faces alone give too narrow an
            interval.

    Returns:
        (low, high); both NaN with a single face or person, which says nothing about others.

    Raises:
        ValueError: NaN, no faces, or arrays of different lengths.

    Example:
        >>> errors = np.linspace(0.02, 0.12, 40)
        >>> low, high = metrics.bootstrap_interval(errors)
        >>> bool(low < errors.mean() < high)
        True
        >>> def gain(new, old):
        ...     return round(1 - new.mean() / old.mean(), 3)
        >>> metrics.bootstrap_interval(0.9 * errors, errors, statistic=gain)
        (0.1, 0.1)
    """
    errors = [checked(values, lowest=-np.inf) for values in errors]
    shape = errors[0].shape
    groups = np.arange(len(errors[0])) if groups is None else np.asarray(groups)
    if groups.shape != shape or any(values.shape != shape for values in errors):
        found = ", ".join(str(values.shape) for values in errors)
        raise ValueError(f"groups has shape {groups.shape}, the errors {found}; expected one shape")
    if not 0 < level < 1 or n < 1:
        raise ValueError(f"level is {level} and n {n}; expected 0 < level < 1 and n of at least 1")
    _, label, size = np.unique(groups, return_inverse=True, return_counts=True)
    if len(size) < 2:
        return float("nan"), float("nan")
    members = np.split(np.argsort(label, kind="stable"), np.cumsum(size)[:-1])
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(n):
        drawn = random.integers(len(size), size=len(size))
        faces = np.concatenate([members[i] for i in drawn])
        draws.append(statistic(*(values[faces] for values in errors)))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
