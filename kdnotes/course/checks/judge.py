"""Judges a reader's answer to an exercise, and says so in a sentence."""

import copy
import functools
import inspect
from collections.abc import Callable, Mapping

import numpy as np

#: A number is right if its relative error is at most this.
TOLERANCE = 1e-4
RIGHT = "Right."
NO_FUNCTION = "Give the function itself, not its result: found {}."
NOTHING = "Your function gives nothing (None): fill it in, and return the result."
ROUNDED = "The others are near: is something rounded, or searched on a grid that is too coarse?"

#: An exercise: the arguments of the reader's function, the right result, and the results of known
#: mistakes, each with the sentence that explains it.
Case = tuple[tuple, np.ndarray, Mapping[str, np.ndarray]]


def check(case: Callable[[], Case]) -> Callable[[Callable], str]:
    """Decorates a function that states an exercise, and makes it the check of its answers.

    Args:
        case: A function without arguments that returns the exercise. Its docstring says what the
            reader's function is given and should return.

    Returns:
        A function from the reader's answer to a sentence, see `judge`.
    """

    @functools.wraps(case, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def checked(answer: Callable) -> str:
        return judge(answer, *case())

    # or `help` would show the arguments of `case`
    checked.__signature__ = inspect.signature(checked, follow_wrapped=False)
    return checked


def judge(answer: Callable, arguments: tuple, right: np.ndarray, wrong: Mapping) -> str:
    """Judges the result of `answer(*arguments)`.

    The arguments are NumPy arrays. An answer that fails on them is tried on tensors. The result may
    be an array, a tensor with or without a gradient, a list or a number, of any numeric type. It is
    right within `TOLERANCE`.

    Args:
        answer: The reader's function.
        arguments: What it is tried on.
        right: The right result.
        wrong: Sentence to the result of a known mistake.

    Returns:
        `RIGHT`, or a sentence that says what kind of mistake it is, where that can be seen.
    """
    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
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
    verdict = f"Not yet: {share:.0%} of the numbers are right, to {TOLERANCE:.2%} each."
    if np.allclose(numbers, right, rtol=1e-2, atol=6e-4):
        verdict += f" {ROUNDED}"
    return verdict


def judge_truth(answer: Callable, cases: Mapping[str, tuple], accuses: str) -> str:
    """Judges an answer that must say True or False of each case.

    Args:
        answer: The reader's function. Its result may also be an array or a tensor that holds one
            truth value.
        cases: Sentence to (argument, right result). The sentence is returned where this is the
            first case that the answer gets wrong.
        accuses: What is returned where every case gets True.

    Returns:
        `RIGHT`, or a sentence that says what kind of mistake it is.
    """
    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
    try:
        results = [answer(argument) for argument, _ in cases.values()]
    except Exception as error:  # whatever a reader's function may do
        return stopped(error)
    if all(result is None for result in results):
        return NOTHING
    truths = [_truth(result) for result in results]
    if None in truths:
        return f"Expected True or False, found {', '.join(map(repr, results))}."
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
    """Converts numbers of any kind to an array, also tensors with a gradient and lists of them."""
    if isinstance(value, list | tuple):
        return np.asarray([as_array(part) for part in value])
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.double() if value.is_floating_point() else value
    return np.asarray(value)


def _result(answer, arguments):
    """The result of an answer and None, or a sentence that says why there is no result."""
    errors = []
    for convert in (np.copy, _tensor):
        try:
            return _call(answer, arguments, convert)
        except Exception as error:  # whatever a reader's function may do
            errors.append(error)
    with_arrays, with_tensors = errors
    complaint = stopped(with_arrays)
    wrong_kind = isinstance(with_arrays, TypeError | AttributeError)
    if wrong_kind and str(with_tensors) != str(with_arrays):
        complaint += f" On tensors: {type(with_tensors).__name__}: {with_tensors}"
    return None, complaint


def _call(answer, arguments, convert):
    given = [convert(value) if isinstance(value, np.ndarray) else value for value in arguments]
    before = copy.deepcopy(given)
    result = answer(*given)
    pairs = zip(given, before, strict=True)
    if any(not np.array_equal(as_array(now), as_array(then)) for now, then in pairs):
        return None, "Your function changes its arguments; work on a copy."
    return result, None


def _tensor(array):
    """An array as a tensor; fractions get torch's default type."""
    import torch

    tensor = torch.from_numpy(array.copy())
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def _truth(value):
    """True or False in whatever form; None for anything else."""
    try:
        value = as_array(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return bool(value.item()) if value.dtype == bool and value.size == 1 else None


def stopped(error: Exception) -> str:
    """What is said of a function that raises an error."""
    return f"Your function stopped with {type(error).__name__}: {error}"
