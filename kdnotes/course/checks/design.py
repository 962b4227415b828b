"""Checks of notebook 06 on the design of an experiment: its power, and the seeds that it takes.

The answers are simulations of the reader's own, so that they are compared within `ALLOWED`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kdnotes import metrics
from kdnotes.course.checks.judge import NO_FUNCTION, NOTHING, RIGHT, as_array

#: How far the power of a reader's simulation may be from the check's.
ALLOWED = 0.06
WANTED, MOST_SEEDS = 0.8, 40

#: True gain, spread of seeds, spread of people, seeds, people.
Design = tuple[float, float, float, int, int]


def designs() -> list[Design]:
    """Experiments with spreads that are drawn, from hopeless to safe ones."""
    rng = np.random.default_rng(67)
    shapes = ((0.05, 3, 30), (0.10, 5, 40), (0.12, 2, 60), (0.06, 8, 25), (0.04, 10, 90))
    return [
        (gain, rng.uniform(0.4, 0.7) * gain, rng.uniform(1.2, 2.2) * gain, n_seeds, n_people)
        for gain, n_seeds, n_people in shapes
    ]


def simulated(design: Design, n: int = 1000) -> float:
    """The share of `n` experiments whose interval, that of `metrics`, lies above zero."""
    gain, seed_sd, person_sd, n_seeds, n_people = design
    rng, found = np.random.default_rng(68), 0
    for _ in range(n):
        seeds, people = rng.normal(gain, seed_sd, n_seeds), rng.normal(0, person_sd, n_people)
        found += metrics.mean_interval(seeds[:, None] + people).low > 0
    return found / n


def power_of(
    design: Design, n: int = 20_000, *, quantile: Callable | None = None, parts=(1, 1), mean=True
) -> float:
    """`simulated` at once for many experiments, from the distribution of means and variances.

    Args:
        design: The experiment.
        n: Number of experiments.
        quantile: From degrees of freedom to the quantile; None: Student's t.
        parts: What the parts of the seeds and of the people are multiplied by.
        mean: Divide each variance by the number of values, as for a mean.
    """
    from scipy.special import stdtrit  # takes a while to import

    gain, *spreads = design[:3]
    quantile = quantile or (lambda df: stdtrit(df, 0.975))
    rng, middle, square = np.random.default_rng(69), np.full(n, gain), np.zeros(n)
    for sd, count, part in zip(spreads, design[3:], parts, strict=True):
        middle += rng.normal(0, sd / np.sqrt(count), n)
        variance = sd**2 * rng.chisquare(count - 1, n) / (count - 1)
        square += part * quantile(count - 1) ** 2 * variance / (count if mean else 1)
    return float((middle > np.sqrt(square)).mean())


def power(answer: Callable) -> str:
    """Checks `power(gain, seed_sd, person_sd, n_seeds, n_people)`: how often an experiment finds a
    gain.

    The seeds' parts of the gain scatter by `seed_sd` about the true `gain`, the people's parts by
    `person_sd` about zero. The experiment finds a gain if the 95 % interval over seeds and people
    lies above zero. The result is the share of such experiments, within 0.06.
    """
    cases = designs()
    wrong = {
        "With few seeds 1.96 is too small: take Student's t for each part.": [
            power_of(case, quantile=lambda df: 1.96) for case in cases
        ],
        "The people's part of the interval is missing.": [
            power_of(case, parts=(1, 0)) for case in cases
        ],
        "The seeds' part of the interval is missing.": [
            power_of(case, parts=(0, 1)) for case in cases
        ],
        "A mean of n values varies less than one of them: divide each variance by n.": [
            power_of(case, mean=False) for case in cases
        ],
        "That is how often the gain is missed.": [1 - power_of(case) for case in cases],
        "That is how often the interval contains the true gain, not how often it excludes 0.": [
            0.95 for _ in cases
        ],
    }
    return _judged(answer, cases, [simulated(case) for case in cases], wrong)


def fewest_seeds(answer: Callable) -> str:
    """Checks `fewest_seeds(gain, seed_sd, person_sd, n_people)`: seeds that an experiment takes.

    The result is the smallest number from 2 to 40 whose power is at least 0.8; 0 if 40 seeds are
    too few. Where the power is near 0.8, the next number is taken, too.
    """
    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
    hopeless = 0.05, 0.03, 0.30, 30  # so few people that no seeds help
    for case in ((0.10, 0.05, 0.12, 40), (0.05, 0.04, 0.06, 60), (0.08, 0.02, 0.10, 36), hopeless):
        number, complaint = _number(answer, case)
        if complaint:
            return complaint
        if case == hopeless:
            if number:
                return f"{_about(case)}: no number of seeds helps, people are the limit. Return 0."
            continue
        if number != round(number) or not 2 <= number <= MOST_SEEDS:
            return f"{_about(case)}: expected a whole number from 2 to 40, found {number:g}."
        reached, before = (power_of((*case[:3], int(number) - less, case[3])) if
                           number - less > 1 else 0.0 for less in (0, 1))  # fmt: skip
        if reached < WANTED - ALLOWED / 2:
            return (
                f"{_about(case)}: your {number:g} seeds find the gain in {reached:.0%} of all "
                "experiments, 80 % were asked for. Is Student's t taken for each number of seeds?"
            )
        if before > WANTED + ALLOWED / 2:
            return (
                f"{_about(case)}: your {number:g} seeds are enough, and one fewer finds the "
                f"gain in {before:.0%} of all experiments, too."
            )
    return RIGHT


def _judged(
    answer: Callable, cases: Sequence[tuple], right: Sequence[float], wrong: Mapping[str, Sequence]
) -> str:
    """Judges a function of numbers whose results are simulated."""
    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
    found = []
    for case in cases:
        number, complaint = _number(answer, case)
        if complaint:
            return complaint
        found.append(number)
    found, right = np.array(found), np.array(right)

    def near(numbers):
        return np.abs(found - np.array(numbers)).max() <= ALLOWED

    if near(right):
        return RIGHT
    if np.abs(found / 100 - right).max() <= ALLOWED:
        return "A hundred times too large: a share was asked for, not per cent."
    for sentence, mistake in wrong.items():
        if near(mistake):
            return sentence
    worst = int(np.abs(found - right).argmax())
    return (
        f"{_about(cases[worst])}: found {found[worst]:.2f}, expected about {right[worst]:.2f}. "
        "Count the intervals that lie above zero, with a part for seeds and a part for people."
    )


def _about(case):
    """A design in words; its seeds are told where it has a number of them."""
    gain, seed_sd, person_sd, *counts = case
    seeds = f"{counts[0]} seeds, " if len(counts) == 2 else ""
    return f"Gain {gain:.0%}, spreads {seed_sd:.3f} and {person_sd:.3f}, {seeds}{counts[-1]} people"


def _number(answer, case):
    """The result of an answer as a number, and None; or None and what is wrong with it."""
    try:
        result = answer(*case)
    except Exception as error:  # whatever a reader's function may do
        return None, f"Your function stopped with {type(error).__name__}: {error}"
    if result is None:
        return None, NOTHING
    try:
        number = float(as_array(result).astype(np.float64).reshape(-1)[0])
        single = as_array(result).size == 1
    except (TypeError, ValueError, IndexError):
        return None, f"Expected a number, found {type(result).__name__}."
    if not single:
        return None, f"Expected one number, found {as_array(result).size}."
    return (number, None) if np.isfinite(number) else (None, "Your number is not finite.")
