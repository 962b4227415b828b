"""The check of notebook 02's step of distillation: what it does to a student, and to teachers."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kdnotes.course.checks.judge import NO_FUNCTION, NOTHING, RIGHT, as_array, near, stopped

if TYPE_CHECKING:
    from torch import Tensor

N_IMAGES, N_LANDMARKS = 4, 3
RATE = 0.1


def distillation_step(answer: Callable) -> str:
    """Checks `step(student, teachers, images, hard, optimizer)`: one step of training with KD-Loss.

    `teachers` maps "tough" and "tolerant" to networks that may be in training mode. `images`
    (B, 3, H, W) are what all three networks see, `hard` (B, L, 2) the hard landmarks on them. The
    optimizer is the student's, whose gradients of an earlier step are still there. The function
    changes the student alone, and returns the loss before the step.
    """
    import torch

    if not callable(answer):
        return NO_FUNCTION.format(type(answer).__name__)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        scene, asked = _networks(), []
        before = {name: _numbers(net) for name, net in scene[1].items()}
        for net in scene[1].values():
            net.register_forward_hook(lambda net, _, out: asked.append((net, out.requires_grad)))
        ours, *known = [_stepped(scene, **how) for how in ({}, *MISTAKES.values())]
        try:
            found = answer(*scene)
        except Exception as error:  # whatever a reader's function may do
            return stopped(error)
    student, teachers = scene[:2]
    if torch.equal(_numbers(student), ours.start) and found is None:
        return NOTHING
    if {id(net) for net, _ in asked} != {id(net) for net in teachers.values()}:
        return "Ask both teachers: one of them, or both, has not seen the images."
    for name, net in teachers.items():
        if fault := _fault(net, before[name]):
            return fault.format(name.capitalize())
    if any(graph for _, graph in asked):
        return (
            "A teacher's answer carries a graph, which costs memory: ask it where no gradient is "
            "computed, not only detached afterwards."
        )
    after, n = _numbers(student), sum(p.numel() for p in student.parameters())
    if torch.equal(after[:n], ours.start[:n]):
        return "The student has not moved: it takes a loss, its gradient, a step of the optimizer."
    for sentence, mistake in zip(MISTAKES, known, strict=True):
        if _alike(after, mistake.after):
            return sentence
    if not _alike(after, ours.after):
        apart = f"{(after - ours.after).abs().max():.4f}"
        return (
            f"Not yet: after the step the student's numbers are up to {apart} from the expected "
            f"ones. Expected is one step along the gradient of a loss of {ours.loss:.4f}; you "
            f"return {found}."
        )
    if found is None:
        return "The step is right. Return the loss, too."
    try:
        returned = float(as_array(found))
    except (TypeError, ValueError):
        return f"The step is right. Expected one number, the loss, found {type(found).__name__}."
    if not near(np.float64(returned), ours.loss):
        return (
            f"The step is right. You return {returned:.4f}, expected {ours.loss:.4f}: the loss "
            "that the step descends, as it was before."
        )
    return RIGHT


#: What is said of a step, to how `_stepped` takes it.
MISTAKES = {
    "The gradients of an earlier step are still in it: set them to zero first.": {"clear": False},
    "The step is too long, as of a sum: the loss is a mean over all coordinates.": {
        "times": 2 * N_IMAGES * N_LANDMARKS
    },
    "The step is too long, as of a sum over a face: the mean is over its coordinates, too.": {
        "times": 2 * N_LANDMARKS
    },
    "The step is too long, as of a sum over the images: the loss is a mean over these, too.": {
        "times": N_IMAGES
    },
    "The student ran in evaluation mode, as somebody left it. It learns in training mode.": {
        "student_learns": False
    },
    "The teachers have no say: that is the step of the main loss alone.": {"taught": ()},
    "The Tolerant teacher has no say.": {"taught": ("tough",)},
    "The Tough teacher has no say.": {"taught": ("tolerant",)},
    "The teachers answered in training mode: batch norm took the batch's own mean.": {
        "teachers_drift": True
    },
    "That is the step of plain distillation: L1 to the Tough teacher.": {"plain": True},
}


class _Step(NamedTuple):
    """A student's numbers before and after a step, and the loss."""

    start: "Tensor"
    after: "Tensor"
    loss: float


def _networks():
    """What the reader's function is given: tiny networks, random images, an unclean optimizer."""
    import torch
    from torch import nn

    def network(width):
        return nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(),
            nn.Linear(9 * width, 2 * N_LANDMARKS), nn.Unflatten(1, (N_LANDMARKS, 2)),
        )  # fmt: skip

    student, teachers = network(2), {"tough": network(4), "tolerant": network(3)}
    images, hard = torch.rand(N_IMAGES, 3, 8, 8), torch.rand(N_IMAGES, N_LANDMARKS, 2) - 0.5
    for net in teachers.values():
        net.eval()
        net[1].running_mean += 0.3
        net.train()
    optimizer = torch.optim.SGD(student.parameters(), lr=RATE)
    student.eval()
    student(images).sum().backward()
    return student, teachers, images, hard, optimizer


def _stepped(
    scene, *, clear=True, times=1, student_learns=True, teachers_drift=False,
    taught=("tough", "tolerant"), plain=False,
) -> _Step:  # fmt: skip
    """A step on copies of what `_networks` returned, right or with a mistake in it."""
    import torch

    from kdnotes import losses

    student, teachers, images, hard = copy.deepcopy(scene[:4])
    for net in teachers.values():
        net._forward_hooks.clear()
        net.train(teachers_drift)
    student.train(student_learns)
    start = _numbers(student)
    optimizer = torch.optim.SGD(student.parameters(), lr=RATE)
    for copied, parameter in zip(student.parameters(), scene[0].parameters(), strict=True):
        copied.grad = None if clear else parameter.grad.clone()
    with torch.no_grad():
        answers = {name: teachers[name](images) for name in taught}
    pred = student(images)
    loss = losses.kd_loss(pred, hard, **answers).total
    if plain:
        loss = losses.l1(pred, answers["tough"])
    (times * loss).backward()
    optimizer.step()
    return _Step(start, _numbers(student), loss.item())


def _fault(teacher, before):
    """What has happened to a teacher that should stay as it was; None if nothing has."""
    if any(parameter.grad is not None for parameter in teacher.parameters()):
        return "A gradient has reached the {} teacher: the loss must not lead back to it."
    changed = _numbers(teacher) != before
    n = sum(parameter.numel() for parameter in teacher.parameters())
    if changed[:n].any():
        return "The {} teacher's weights have changed; the optimizer is the student's."
    if changed[n:].any():
        return (
            "The {} teacher was asked in training mode: no gradient is needed for its batch norm "
            "to move its running averages."
        )
    return None


def _numbers(net):
    """All parameters of a network and then all buffers, in one row."""
    import torch

    parts = [*net.parameters(), *net.buffers()]
    return torch.cat([part.detach().double().flatten() for part in parts])


def _alike(one, other):
    return bool(near(one.numpy(), other.numpy()).all())
