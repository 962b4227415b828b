"""Check of notebook 07 on a lighter student. It counts work and measures errors, not time."""

import copy
import functools
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from kdnotes import metrics
from kdnotes.course.checks.judge import NO_FUNCTION, NOTHING, RIGHT
from kdnotes.data import synthetic
from kdnotes.data.crops import STORED_MARGIN, cut
from kdnotes.models import LandmarkNet, zoo
from kdnotes.views import to_tensor

#: The share of multiply-adds that must go, and by how much the error may rise.
LESS, WORSE = 0.3, 0.15
#: People that are measured, and people whose crops the reader gets, in so many shifted crops each.
MEASURED, GIVEN, LOOKS = 32, 48, 8
#: Seed of the rendered people, who are in no face set.
PEOPLE = 77


@functools.cache
def _student() -> LandmarkNet:
    return zoo.load("student-kd", data="synthetic")


@functools.cache
def _faces() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops of people to learn from, crops of others and their landmarks, in crop units."""
    config, rng = _student().config, np.random.default_rng(0)
    zoom, given, crops, landmarks = STORED_MARGIN / config.crop_margin, [], [], []
    side = round(config.size * zoom)
    for person in range(GIVEN + MEASURED):
        face = synthetic.render_face(synthetic.PER_SUBJECT * person, side, seed=PEOPLE)
        middle, width = (side - 1) / 2, side / zoom
        if person >= GIVEN:
            crops.append(cut(face[0], (middle, middle, width), config.size))
            landmarks.append(face[1][68] * zoom)
            continue
        for dx, dy, larger in rng.uniform(-1, 1, (LOOKS, 3)) * (0.04, 0.04, 0.08):
            square = middle + dx * side, middle + dy * side, width * (1 + larger)
            given.append(cut(face[0], square, config.size))
    return np.stack(given), np.stack(crops), np.stack(landmarks)


def crops() -> np.ndarray:
    """Crops without labels for `lighter`, `(384, 64, 64, 3)` uint8: 48 rendered people, 8 each."""
    return _faces()[0]


def work(net: Callable) -> int:
    """Multiply-adds of one face, convolutions and linear layers."""
    side, counter = _student().config.size, FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        net(torch.zeros(1, 3, side, side))
    return counter.get_total_flops() // 2


def error(net: Callable) -> float:
    """The NME on rendered people who are in no face set."""
    _, crops, landmarks = _faces()
    with torch.no_grad():
        found = net(to_tensor(crops).float() / 255)
    return float(metrics.nme(np.asarray(found, np.float64), landmarks, 68).mean())


def lighter(answer: Callable) -> str:
    """Checks `lighter(net, crops)`: a network with 30 % fewer multiply-adds than `net`.

    `net` is the student that ships for rendered faces, a copy that may be changed. `crops`
    (N, 64, 64, 3) are uint8 images without labels. The result takes images (B, 3, 64, 64) from 0 to
    1 and returns landmarks (B, 68, 2), like `net`. Its error on other faces may be at most 15 %
    higher.
    """
    if not callable(answer) or isinstance(answer, torch.nn.Module):
        return NO_FUNCTION.format(type(answer).__name__)
    student = _student()
    try:
        net = answer(copy.deepcopy(student), crops().copy())
    except Exception as problem:  # whatever a reader's function may do
        return f"Your function stopped with {type(problem).__name__}: {problem}"
    if net is None:
        return NOTHING
    if not callable(net):
        return f"Expected a network, found {type(net).__name__}."
    if getattr(net, "training", False):
        return "The network is in training mode: batch normalisation would look at other faces."
    images = to_tensor(_faces()[1]).float() / 255
    try:
        with torch.no_grad():
            found = net(images)
    except Exception as problem:
        return f"Your network stopped with {type(problem).__name__}: {problem}"
    wanted = (len(images), student.config.n_points, 2)
    if not isinstance(found, torch.Tensor) or tuple(found.shape) != wanted:
        found = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        return f"Expected landmarks {wanted} of {len(images)} faces, found {found}."
    if not bool(torch.isfinite(found).all()):
        return "Some of its landmarks are not finite."
    saved, rise = 1 - work(net) / work(student), error(net) / error(student) - 1
    if saved < 0.005:
        return (
            f"It needs as many multiply-adds as before, {LESS:.0%} fewer were asked for. Fewer "
            "bits, batches and another runtime save bytes and time, and no work."
        )
    if saved < LESS:
        return (
            f"{saved:.0%} fewer multiply-adds, expected {LESS:.0%}; the error rises by {rise:.0%}. "
            "Where is the work? Count it by block, and mind the last convolution."
        )
    if rise > WORSE:
        return (
            f"{saved:.0%} fewer multiply-adds, but the error rises by {rise:.0%}, expected at most "
            f"{WORSE:.0%}. Is the head fitted again to what the whole network says of the crops?"
        )
    return RIGHT
