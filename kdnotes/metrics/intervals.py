"""How sure a figure is, when people and seeds might have been others.

`bootstrap_interval` draws people, for one network or for several on the same faces. `Draws` draws
seeds and people.

Faces of one person are not independent, and neither are the faces that one trained network has
answered for. So each draw takes some of the *seeds* again and some of the *people*, each with all
their faces (a hierarchical, or cluster, bootstrap: Davison and Hinkley, *Bootstrap methods and
their application*, 1997, section 3.8). Two arms are compared within the same draw, which takes out
what is hard for both.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kdnotes.metrics.errors import checked


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


class Estimate(NamedTuple):
    """A figure and its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2%} ({self.low:.2%} to {self.high:.2%})"


class Draws:
    """Draws of seeds and people, the same ones for every arm.

    Args:
        n_seeds: Seeds S that each arm was trained with.
        people: `(N,)` who is on each face.
        n: Number of draws.
        seed: Of the draws.

    Raises:
        ValueError: Fewer than two people: one person says nothing about others.
    """

    def __init__(self, n_seeds: int, people: Sequence, *, n: int = 4000, seed: int = 0):
        names, self._person = np.unique(np.asarray(people), return_inverse=True)
        if len(names) < 2:
            raise ValueError(f"an interval over people needs two of them, found {len(names)}")
        rng = np.random.default_rng(seed)
        self._people = rng.multinomial(len(names), [1 / len(names)] * len(names), size=n)  # (n, G)
        self._seeds = rng.multinomial(n_seeds, [1 / n_seeds] * n_seeds, size=n)  # (n, S)
        self._faces = self._people @ np.bincount(self._person)  # (n,) faces in each draw

    def means(self, errors: np.ndarray) -> np.ndarray:
        """The mean error of each draw, `(n,)`.

        Args:
            errors: `(S, N)` of each seed on each face.
        """
        errors = self._checked(errors)
        groups = self._people.shape[1]
        sums = np.stack([np.bincount(self._person, row, groups) for row in errors])  # (S, G)
        return ((self._seeds @ sums) * self._people).sum(axis=1) / (len(errors) * self._faces)

    def mean(self, errors: np.ndarray, level: float = 0.95) -> Estimate:
        """The mean error of one arm `(S, N)`."""
        return self._estimate(float(self._checked(errors).mean()), self.means(errors), level)

    def gain(self, arm: np.ndarray, reference: np.ndarray, level: float = 0.95) -> Estimate:
        """How much lower the mean error of `arm` is than that of `reference`, as a share of it.

        Args:
            arm, reference: `(S, N)`, row by row with the same seed, column by column the same face.
        """
        arm, reference = self._checked(arm), self._checked(reference)
        drawn = 1 - self.means(arm) / self.means(reference)
        return self._estimate(float(1 - arm.mean() / reference.mean()), drawn, level)

    def _checked(self, errors):
        errors, expected = np.asarray(errors, np.float64), (self._seeds.shape[1], len(self._person))
        if errors.shape != expected:
            raise ValueError(f"expected errors of (seeds, faces) {expected}, found {errors.shape}")
        if not np.isfinite(errors).all():
            raise ValueError("errors must be finite")
        return errors

    def _estimate(self, value, drawn, level):
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        return Estimate(value, float(low), float(high))
