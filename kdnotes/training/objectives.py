"""The losses that a training can be asked for, by name."""

from collections.abc import Callable

import torch

from kdnotes import losses

#: KD-Loss by the name of its settings: the paper's, the released code's, and the paper's with one
#: constant changed.
SETTINGS = {
    "kd-paper": losses.PAPER,
    "kd-released": losses.RELEASED,
    "kd-beta-0.2": losses.PAPER.assisting(beta=0.2),
    "kd-beta-0.8": losses.PAPER.assisting(beta=0.8),
    "kd-alpha-0": losses.PAPER.assisting(alpha_negative=0.0),
    "kd-alpha-0.9": losses.PAPER.assisting(alpha_negative=-0.9),
}


def _plain(loss):
    """A loss that knows no teacher."""
    return lambda pred, target, answers: loss(pred, target)


def _kd(settings):
    return lambda pred, target, answers: losses.kd_loss(pred, target, **answers, settings=settings)


def _l1_and(function):
    """L1 to the landmarks, and what `function` makes of each teacher."""

    def loss(pred, target, answers):
        with_teachers = (function(pred, target, teacher) for teacher in answers.values())
        return losses.l1(pred, target) + sum(with_teachers)

    return loss


def _imitation(pred, target, teacher):
    """L1 to a teacher."""
    return losses.l1(pred, teacher)


def _to_teachers(pred, target, answers):
    """L1 to the mean of the teachers, the landmarks left out."""
    return losses.l1(pred, torch.stack(list(answers.values())).mean(dim=0))


def _hinted(pred, target, answers):
    """L1 to the landmarks, and to hints (Romero et al., FitNets, ICLR 2015).

    The network has further outputs beside the landmarks. They imitate what the teacher's pooled
    features say.
    """
    n = target.shape[1]
    return losses.l1(pred[:, :n], target) + losses.l1(pred[:, n:], answers["hint"])


#: By name, losses that know no teacher, and losses that need one. Each is called with the
#: prediction, the target landmarks and the answers of the teachers by name.
PLAIN: dict[str, Callable] = {
    "l1": _plain(losses.l1),
    "l2": _plain(losses.l2),
    "smooth_l1": _plain(losses.smooth_l1),
    "wing": _plain(losses.wing),
}
TAUGHT: dict[str, Callable] = {
    **{name: _kd(settings) for name, settings in SETTINGS.items()},
    "to-teachers": _to_teachers,
    "l1+teachers": _l1_and(_imitation),
    "l1+attentive": _l1_and(losses.attentive_imitation),
    "l1+bounded": _l1_and(losses.teacher_bounded),
    "l1+hinge": _l1_and(losses.teacher_hinge),
    "l1+hint": _hinted,
}
LOSSES = PLAIN | TAUGHT
