"""What is to be said of a reader's answer."""

from collections.abc import Callable, Mapping

import numpy as np

#: A number is right if it differs from the right one by at most this share of it.
TOLERANCE = 1e-4
RIGHT = "Right."
NOTHING = "Your function gives nothing (None): fill it in, and return the result."
ROUNDED = "The others are near: is something rounded, or searched on a grid that is too coarse?"


def judge(answer: Callable, arguments: tuple, right: np.ndarray, wrong: Mapping) -> str:
    """What is to be said of `answer(*arguments)`.

    The arguments are NumPy arrays; an answer that stops on them is tried on tensors. What it
    returns may be an array, a tensor (with or without a gradient), a list or a number, of any type
    of number, and is right within `TOLERANCE`.

    Args:
        answer: The reader's function.
        arguments: What it is tried on.
        right: What it should give.
        wrong: Sentence to what a known mistake gives.
    """
    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    result, complaint = _result(answer, arguments)
    if complaint:
        return complaint
    if result is None:
        return NOTHING
    try:
        numbers = as_array(result).astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        return f"Expected numbers, found {type(result).__name__}. Does your function return them?"
    if numbers.shape != np.shape(right):
        return f"Expected the shape {np.shape(right)}, found {numbers.shape}."
    if not np.isfinite(numbers).all():
        return "Some of your numbers are not finite."
    right = np.asarray(right, dtype=np.float64)
    if near(numbers, right).all():
        return RIGHT
    if near(numbers, 100 * right).all():
        return "A hundred times too large: a share was asked for, not per cent."
    for sentence, mistake in wrong.items():
        if near(numbers, mistake).all():
            return sentence
    share = near(numbers, right).mean()
    said = f"Not yet: {share:.0%} of the numbers are right, to {TOLERANCE:.2%} each."
    return f"{said} {ROUNDED}" if np.allclose(numbers, right, rtol=1e-2, atol=6e-4) else said


def judge_truth(answer: Callable, cases: Mapping[str, tuple], accuses: str) -> str:
    """What is to be said of `answer`, which must say True or False of each case.

    Args:
        answer: The reader's function; an array or a tensor of one truth value will do, too.
        cases: What is to be said where this is the first case to be wrong, to (argument, right).
        accuses: What is to be said where every case gets True.
    """
    if not callable(answer):
        return f"Give the function itself, not its result: found {type(answer).__name__}."
    try:
        said = [answer(argument) for argument, _ in cases.values()]
    except Exception as error:  # whatever a reader's function may do
        return _stopped(error)
    if all(word is None for word in said):
        return NOTHING
    truths = [_truth(word) for word in said]
    if None in truths:
        return f"Expected True or False, found {', '.join(map(repr, said))}."
    right = [right for _, right in cases.values()]
    if truths == right:
        return RIGHT
    if truths == [not truth for truth in right]:
        return "The other way round."
    if all(truths):
        return accuses
    return next(text for text, truth, ok in zip(cases, truths, right, strict=True) if truth != ok)


def near(numbers: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Which numbers are right within `TOLERANCE`."""
    return np.isclose(numbers, right, rtol=TOLERANCE, atol=1e-6)


def as_array(value: object) -> np.ndarray:
    """Numbers of any kind as an array: a tensor without its gradient, a list of tensors, too."""
    if isinstance(value, list | tuple):
        return np.asarray([as_array(part) for part in value])
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.double() if value.is_floating_point() else value
    return np.asarray(value)


def _result(answer, arguments):
    """What an answer gives, or what is to be said of it instead."""
    try:
        return _call(answer, arguments, np.copy)
    except Exception as error:  # whatever a reader's function may do
        with_arrays = error
    try:
        return _call(answer, arguments, _tensor)
    except Exception as error:
        with_tensors = error
    if str(with_tensors) == str(with_arrays) or not isinstance(
        with_arrays, TypeError | AttributeError
    ):
        return None, _stopped(with_arrays)
    return (
        None,
        f"{_stopped(with_arrays)} On tensors: {type(with_tensors).__name__}: {with_tensors}",
    )


def _call(answer, arguments, kind):
    given, kept = (
        [kind(value) if isinstance(value, np.ndarray) else value for value in arguments]
        for _ in range(2)
    )
    result = answer(*given)
    if any(not np.array_equal(as_array(a), as_array(b)) for a, b in zip(given, kept, strict=True)):
        return None, "Your function changes its arguments; work on a copy."
    return result, None


def _tensor(array):
    """An array as a tensor, of torch's usual type where it holds fractions."""
    import torch

    tensor = torch.from_numpy(array.copy())
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def _truth(word):
    """True or False in whatever form; None for anything else."""
    try:
        value = as_array(word)
    except (TypeError, ValueError, RuntimeError):
        return None
    return bool(value.item()) if value.dtype == bool and value.size == 1 else None


def _stopped(error):
    return f"Your function stopped with {type(error).__name__}: {error}"
