"""What is to be said of a reader's answer."""

from collections.abc import Callable, Mapping

import numpy as np

RIGHT = "Right."
NOTHING = "Your function gives nothing (None): fill it in, and return the result."


def judge(answer: Callable, arguments: tuple, right: np.ndarray, wrong: Mapping) -> str:
    """What is to be said of `answer(*arguments)`.

    Args:
        answer: The reader's function.
        arguments: What it is tried on.
        right: What it should give.
        wrong: Sentence to what a known mistake gives.
    """
    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    copies = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
    try:
        found = answer(*copies)
    except Exception as error:  # whatever a reader's function may do
        return f"Your function stopped with {type(error).__name__}: {error}"
    if any(not np.array_equal(a, b) for a, b in zip(copies, arguments, strict=True)):
        return "Your function changes its arguments; work on a copy."
    if found is None:
        return NOTHING
    try:
        found = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return f"Expected numbers, found {type(found).__name__}. Does your function return them?"
    if found.shape != np.shape(right):
        return f"Expected the shape {np.shape(right)}, found {found.shape}."
    if not np.isfinite(found).all():
        return "Some of your numbers are not finite."
    if np.allclose(found, right, atol=1e-6):
        return RIGHT
    if np.allclose(found, 100 * np.asarray(right, dtype=float), atol=1e-6):
        return "A hundred times too large: a share was asked for, not per cent."
    for sentence, mistake in wrong.items():
        if np.allclose(found, mistake, atol=1e-6):
            return sentence
    share = np.isclose(found, right, atol=1e-6).mean()
    return f"Not yet: {share:.0%} of the numbers are right."


def judge_truth(answer: Callable, cases: Mapping[str, tuple], accuses: str) -> str:
    """What is to be said of `answer`, which must say True or False of each case.

    Args:
        answer: The reader's function.
        cases: What is to be said where this is the first case to be wrong, to (argument, right).
        accuses: What is to be said where every case gets True.
    """
    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    try:
        said = [answer(argument) for argument, _ in cases.values()]
    except Exception as error:  # whatever a reader's function may do
        return f"Your function stopped with {type(error).__name__}: {error}"
    if all(word is None for word in said):
        return NOTHING
    if any(not isinstance(word, bool | np.bool_) for word in said):
        return f"Expected True or False, found {', '.join(map(repr, said))}."
    right = [right for _, right in cases.values()]
    if said == right:
        return RIGHT
    if said == [not word for word in right]:
        return "The other way round."
    if all(said):
        return accuses
    return next(text for text, word, ok in zip(cases, said, right, strict=True) if word != ok)
