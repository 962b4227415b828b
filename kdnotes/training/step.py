"""One step of a training: a batch of views, the network's answer, its loss, a little way down."""

import math
from collections.abc import Callable

import torch

from kdnotes import losses
from kdnotes.views import sample_views, to_tensor, warp_images, warp_points

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
#: What the log calls the regions of KD-Loss's assistance.
REGION_WORDS = {"pulled": losses.POSITIVE, "pushed": losses.NEGATIVE, "let_go": losses.LOW}


def _kd(settings):
    return lambda pred, target, answers: losses.kd_loss(pred, target, **answers, settings=settings)


def _l1_and(function):
    """L1 to the landmarks, and what `function` makes of each teacher."""

    def loss(pred, target, answers):
        with_teachers = (function(pred, target, teacher) for teacher in answers.values())
        return losses.l1(pred, target) + sum(with_teachers)

    return loss


def _to_teachers(pred, target, answers):
    """L1 to the mean of the teachers, the landmarks left out."""
    return losses.l1(pred, torch.stack(list(answers.values())).mean(dim=0))


def _hinted(pred, target, answers):
    """L1 to the landmarks. The network has more outputs than those, and L1 makes them imitate what
    the teacher's pooled features say (a hint: Romero et al., FitNets, ICLR 2015)."""
    n = target.shape[1]
    return losses.l1(pred[:, :n], target) + losses.l1(pred[:, n:], answers["hint"])


#: Losses that know no teacher, and those that need one: names a training can be asked for, and what
#: they do with (pred, target, teachers' answers).
PLAIN: dict[str, Callable] = {
    "l1": lambda pred, target, answers: losses.l1(pred, target),
    "l2": lambda pred, target, answers: losses.l2(pred, target),
    "smooth_l1": lambda pred, target, answers: losses.smooth_l1(pred, target),
    "wing": lambda pred, target, answers: losses.wing(pred, target),
}
TAUGHT: dict[str, Callable] = {
    **{name: _kd(settings) for name, settings in SETTINGS.items()},
    "to-teachers": _to_teachers,
    "l1+teachers": _l1_and(lambda pred, target, teacher: losses.l1(pred, teacher)),
    "l1+attentive": _l1_and(losses.attentive_imitation),
    "l1+bounded": _l1_and(losses.teacher_bounded),
    "l1+hinge": _l1_and(losses.teacher_hinge),
    "l1+hint": _hinted,
}
LOSSES = PLAIN | TAUGHT


def make_batch(student, faces, targets, chosen, config, epoch, teachers):
    """Images, landmarks and teachers' answers for the faces at the positions `chosen`."""
    device = next(student.parameters()).device
    rows, size = faces.rows[chosen], student.config.size
    view = epoch % config.n_views if config.n_views else epoch
    zoom = faces.zoom(student.config.crop_margin)
    views = sample_views(
        rows,
        view,
        seed=config.seed,
        strength=config.strength,
        config=config.view_config.on(faces.scheme),
        zoom=zoom,
    ).to(device)
    crops = to_tensor(faces.images[chosen], device)
    images = warp_images(crops, views, size).contiguous(memory_format=torch.channels_last)
    target = warp_points(
        targets[chosen].to(device, non_blocking=True), views, faces.scheme
    )  # (B, L, 2)
    answers = teachers.answers(rows, view, crops, views) if teachers else {}
    return images, target, answers


def descend(net, batch, config, rate, optimizer, accelerator):
    """One step: the network's answer, its loss, and a little way down. Returns the loss terms."""
    images, target, answers = batch
    with accelerator.autocast():
        pred = net(images)  # (B, L, 2)
    if pred.device.type == "cpu":  # a GPU would wait
        check_finite(pred.detach().sum(), "an answer", config)
    terms = _named(LOSSES[config.loss](pred, target, answers), config.scale)
    answers.pop("hint", None)
    if answers:
        how = SETTINGS.get(config.loss, losses.PAPER)
        terms |= compare(pred.detach(), target, answers, how)
    if config.loss in SETTINGS:
        terms["slope"] = mean_slope(pred.detach(), target, answers, SETTINGS[config.loss])
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    accelerator.backward(terms["loss"])
    if config.clip is not None:
        accelerator.unscale_gradients(optimizer)
        clip(net, config.clip)
    optimizer.step()
    return {name: value.detach() for name, value in terms.items()}


def clip(net, norm):
    """Shortens the gradient to that length. (All tensors at once, also on a CPU.)"""
    torch.nn.utils.clip_grad_norm_(net.parameters(), norm, foreach=True)


def _named(terms, scale):
    """The loss to descend, and KD-Loss's terms where there are any, by the names of the log."""
    if isinstance(terms, losses.KDTerms):
        return {"loss": scale * terms.total, **terms._asdict()}
    return {"loss": scale * terms}


def compare(pred, target, answers, settings):
    """For the log: where the student stands to each teacher.

    Returns:
        Of each teacher: the shares of the coordinates that it pulls in, pushes on and lets go; its
        mean distance from the student and from the landmarks, in crop widths.
    """
    found = {}
    for name, teacher in answers.items():
        how = getattr(settings, name)
        region = losses.region(
            pred, target, teacher, beta=how.beta, low_influence=how.low_influence
        )
        for word, number in REGION_WORDS.items():
            found[f"{name}_{word}"] = (region == number).float().mean()
        found[f"{name}_distance"] = (pred - teacher).norm(dim=-1).mean()
        found[f"{name}_error"] = (teacher - target).norm(dim=-1).mean()
    return found


def mean_slope(pred, target, answers, settings):
    """How steep KD-Loss is, on average over coordinates; L1 has 1 everywhere."""
    return (
        losses.kd_loss_grad(pred, target, **answers, settings=settings, reduction="none")
        .total.abs()
        .mean()
    )


def check_finite(value, what, config):
    if not math.isfinite(value):
        raise FloatingPointError(
            f"{what} became {float(value)}; what earlier epochs reached is kept. Try a smaller "
            f"learning_rate than {config.learning_rate}"
        )
