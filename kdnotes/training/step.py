"""One step of a training: a batch of views, the network's answer, its loss, the optimiser."""

import math

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from kdnotes import losses
from kdnotes.data.faceset import FaceSet
from kdnotes.teachers import TeacherCache, Teachers
from kdnotes.training.config import TrainConfig
from kdnotes.training.objectives import LOSSES, SETTINGS
from kdnotes.views import sample_views, to_tensor, warp_images, warp_points

#: What the log calls the regions of KD-Loss's assistance.
REGION_WORDS = {"pulled": losses.POSITIVE, "pushed": losses.NEGATIVE, "let_go": losses.LOW}


def make_batch(
    student: nn.Module,
    faces: FaceSet,
    targets: torch.Tensor,
    chosen: np.ndarray,
    config: TrainConfig,
    epoch: int,
    teachers: Teachers | TeacherCache | None,
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """One view of each face of a batch, with what is to be learned from it.

    Args:
        targets: `(N, L, 2)` landmarks of all faces, in stored-crop units.
        chosen: `(B,)` positions of the batch's faces.
        epoch: From 0; decides which views are seen.

    Returns:
        Images `(B, 3, S, S)` from 0 to 1, target landmarks `(B, L, 2)` in crop units, and each
        teacher's landmarks `(B, L, 2)` by name; on the student's device.
    """
    device = next(student.parameters()).device
    rows, scheme = faces.rows[chosen], faces.scheme
    view = epoch % config.n_views if config.n_views else epoch
    views = sample_views(
        rows,
        view,
        seed=config.seed,
        strength=config.strength,
        config=config.view_config.on(scheme),
        zoom=faces.zoom(student.config.crop_margin),
    ).to(device)
    crops = to_tensor(faces.images[chosen], device)
    images = warp_images(crops, views, student.config.size)
    images = images.contiguous(memory_format=torch.channels_last)
    target = warp_points(targets[chosen].to(device, non_blocking=True), views, scheme)
    answers = teachers.answers(rows, view, crops, views) if teachers else {}
    return images, target, answers


def descend(
    net: nn.Module,
    batch: tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]],
    config: TrainConfig,
    rate: float,
    optimizer: torch.optim.Optimizer,
    accelerator: Accelerator,
    compare_teachers: bool = True,
) -> dict[str, torch.Tensor]:
    """One step: the network's answer, its loss, a step of the optimiser along the gradient.

    Args:
        batch: What `make_batch` returns.
        rate: Learning rate.
        compare_teachers: Also say where the student stands to each teacher, for the log.

    Returns:
        The loss and its terms, detached, and what `compare` says.

    Raises:
        FloatingPointError: On a CPU, an answer that is not finite. A GPU would have to wait.
    """
    images, target, answers = batch
    with accelerator.autocast():
        pred = net(images)  # (B, L, 2)
    if pred.device.type == "cpu":
        check_finite(pred.detach().sum(), "an answer", config)
    terms = _named(LOSSES[config.loss](pred, target, answers), config.scale)
    if compare_teachers:
        terms |= compare(pred.detach(), target, answers, config.loss)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    accelerator.backward(terms["loss"])
    if config.clip is not None:
        accelerator.unscale_gradients(optimizer)
        clip(net, config.clip)
    optimizer.step()
    return {name: value.detach() for name, value in terms.items()}


def clip(net: nn.Module, norm: float) -> None:
    """Shortens the gradient of all weights, taken as one vector, to at most `norm`."""
    torch.nn.utils.clip_grad_norm_(net.parameters(), norm, foreach=True)


def _named(terms, scale):
    """The loss to descend, and KD-Loss's terms where there are any, by the names of the log."""
    if isinstance(terms, losses.KDTerms):
        return {"loss": scale * terms.total, **terms._asdict()}
    return {"loss": scale * terms}


def compare(
    pred: torch.Tensor, target: torch.Tensor, answers: dict[str, torch.Tensor], loss: str
) -> dict[str, torch.Tensor]:
    """For the log: where the student stands to each teacher.

    Args:
        pred, target: `(B, L, 2)` in crop units.
        answers: `(B, L, 2)` of each teacher, by its name.
        loss: A name in `LOSSES`; KD-Loss's regions are those of its settings, else `PAPER`'s.

    Returns:
        Of each teacher: the shares of the coordinates that it pulls in, pushes on and lets go; its
        mean distance from the student and from the landmarks, in crop widths. Of KD-Loss also
        `slope`, how steep it is on average over coordinates; L1 has 1 everywhere.
    """
    settings = SETTINGS.get(loss, losses.PAPER)
    landmarks = {name: answer for name, answer in answers.items() if name != "hint"}
    values = {}
    for name, teacher in landmarks.items():
        assistant = getattr(settings, name)
        region = losses.region(
            pred, target, teacher, beta=assistant.beta, low_influence=assistant.low_influence
        )
        for word, number in REGION_WORDS.items():
            values[f"{name}_{word}"] = (region == number).float().mean()
        values[f"{name}_distance"] = (pred - teacher).norm(dim=-1).mean()
        values[f"{name}_error"] = (teacher - target).norm(dim=-1).mean()
    if loss in SETTINGS:
        slope = losses.kd_loss_grad(pred, target, **landmarks, settings=settings, reduction="none")
        values["slope"] = slope.total.abs().mean()
    return values


def check_finite(value: torch.Tensor | float, what: str, config: TrainConfig) -> None:
    """Raises a FloatingPointError where `what` has become NaN or infinite."""
    if not math.isfinite(value):
        raise FloatingPointError(
            f"{what} became {float(value)}; what earlier epochs reached is kept. Try a smaller "
            f"learning_rate than {config.learning_rate}"
        )
