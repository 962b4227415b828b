"""The examples in docstrings run, and every public function of these parts has one."""

import doctest
import importlib
import inspect

import numpy as np
import pytest
import torch

from kdnotes import asm, losses, metrics, views

MODULES = (
    "losses.plain", "losses.kd", "losses.gradient", "losses.with_teacher", "views.sampling",
    "views.geometric", "views.photometric", "metrics.errors", "metrics.intervals", "asm",
)  # fmt: skip
NAMES = {"np": np, "torch": torch, "asm": asm, "losses": losses, "metrics": metrics, "views": views}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"kdnotes.{name}")
    failed, tried = doctest.testmod(module, extraglobs=NAMES)
    assert tried and not failed


@pytest.mark.parametrize("part", [losses, views, metrics])
def test_every_public_function_has_an_example(part):
    functions = [getattr(part, name) for name in part.__all__]
    functions = [function for function in functions if inspect.isfunction(function)]
    without = [f.__name__ for f in functions if ">>>" not in (f.__doc__ or "")]
    assert functions and not without
