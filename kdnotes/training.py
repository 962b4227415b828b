"""Training: `fit` trains a teacher or a student, and goes on where it was interrupted.

One function for all networks of the course. A teacher is trained with `loss="l2"` on hard or soft
landmarks; a student with a plain loss or with KD-Loss and its teachers' answers. Everything random
follows from (seed, epoch, face), so a resumed training sees what an undisturbed one would have
seen.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import nn
from tqdm.auto import tqdm

from kdnotes import checkpoints, inference, losses, metrics, preflight
from kdnotes.faceset import FaceSet
from kdnotes.processes import share_the_cpu
from kdnotes.schedule import Average, batches, learning_rate
from kdnotes.teachers import TeacherCache, Teachers
from kdnotes.views import sample_views, to_tensor, warp_images, warp_points

#: KD-Loss by the name of its settings, and what the log calls the regions of its assistance.
SETTINGS = {"kd-paper": losses.PAPER, "kd-released": losses.RELEASED}
REGION_WORDS = {"pulled": losses.POSITIVE, "pushed": losses.NEGATIVE, "let_go": losses.LOW}


def _kd(settings):
    return lambda pred, target, answers: losses.kd_loss(pred, target, **answers, settings=settings)


#: Loss names a training can be asked for, and what they do with (pred, target, teachers' answers).
LOSSES: dict[str, Callable] = {
    "l1": lambda pred, target, answers: losses.l1(pred, target),
    "l2": lambda pred, target, answers: losses.l2(pred, target),
    "smooth_l1": lambda pred, target, answers: losses.smooth_l1(pred, target),
    "wing": lambda pred, target, answers: losses.wing(pred, target),
    **{name: _kd(settings) for name, settings in SETTINGS.items()},
}


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained.

    Attributes:
        loss: A name in `LOSSES`.
        epochs: Times that every face is seen.
        batch_size: Faces per step.
        learning_rate: Peak of the schedule.
        weight_decay: AdamW's.
        n_views: Number of different views of each face; 0 gives a new one every epoch.
        strength: Of the views, 1 is `ViewConfig()`.
        average: Decay of the running average of the weights, which is what is kept.
        clip: Largest norm of the gradient.
        seed: Of order and views.
    """

    loss: str
    epochs: int
    batch_size: int = 32
    learning_rate: float = 6e-3
    weight_decay: float = 1e-4
    n_views: int = 0
    strength: float = 1.0
    average: float = 0.99
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise ValueError(f"no loss is called {self.loss!r}; choose one of {', '.join(LOSSES)}")
        if self.epochs < 1 or self.batch_size < 1 or self.n_views < 0:
            raise ValueError(
                f"expected at least one epoch, one face per batch and no negative n_views, found "
                f"{self.epochs}, {self.batch_size} and {self.n_views}"
            )


def fit(
    student: nn.Module,
    faces: FaceSet,
    config: TrainConfig,
    *,
    targets: np.ndarray | None = None,
    teachers: Teachers | TeacherCache | None = None,
    validation: FaceSet | None = None,
    run: str | Path | None = None,
    progress: bool = True,
) -> list[dict]:
    """Trains a network in place; it ends with the averaged weights, in evaluation mode.

    Args:
        student: The network that learns (a teacher in its youth is one too).
        faces: Training faces.
        config: How.
        targets: `(N, L, 2)` landmarks of `faces` to learn in place of the hard ones, in stored-crop
            units; soft landmarks make the Tolerant teacher.
        teachers: Live or cached; needed by KD-Loss.
        validation: Faces on which the error is measured after every epoch.
        run: Folder of checkpoint and log. A run that is there is continued, a finished one is read.
        progress: Show a progress bar.

    Returns:
        One dict per epoch: epoch, step, learning rate, loss terms and (of KD-Loss) shares of the
        regions, `nme` on `validation` (inter-ocular, a fraction), images per second, seconds of
        training so far.

    Raises:
        ValueError: Contradicting arguments, or a run folder that belongs to another training.
        FloatingPointError: The loss is not finite any more.
    """
    preflight.check(student, faces, config, targets, teachers, validation)
    accelerator = Accelerator(mixed_precision=_precision(), cpu=share_the_cpu())
    student.to(accelerator.device, memory_format=torch.channels_last).requires_grad_(True).train()
    if isinstance(teachers, Teachers):
        teachers.to(accelerator.device)
    average = Average(student, config.average)
    optimizer = torch.optim.AdamW(
        student.parameters(), weight_decay=config.weight_decay, fused=True
    )
    folder = checkpoints.Run(run, preflight.key(student, faces, config, targets, teachers))
    history = _resume(folder, student, average, optimizer)
    net, optimizer = accelerator.prepare(student, optimizer)

    targets = torch.as_tensor(faces.landmarks if targets is None else targets).float()
    per_epoch = max(1, len(faces) // config.batch_size)
    total, step = per_epoch * config.epochs, per_epoch * len(history)
    # a finished run is only read; of several processes the first one shows the bar
    hidden = not progress or step == total or not accelerator.is_local_main_process
    bar = tqdm(total=total, initial=step, unit=" steps", desc=folder.name, disable=hidden)
    for epoch in range(len(history), config.epochs):
        sums, began = {}, time.perf_counter()
        for chosen in batches(len(faces), config.batch_size, seed=config.seed, epoch=epoch):
            chosen = chosen[accelerator.process_index :: accelerator.num_processes]
            batch = make_batch(student, faces, targets, chosen, config, epoch, teachers)
            rate = learning_rate(step, total, config.learning_rate)
            terms = descend(net, batch, config, rate, optimizer, accelerator)
            average.update(student, step)
            step += 1
            for name, value in terms.items():  # summed on the device: reading them would wait
                sums[name] = sums.get(name, 0) + value
            bar.update()
        means = {name: float(accelerator.reduce(s, "mean")) / per_epoch for name, s in sums.items()}
        average.state = broadcast(average.state)  # batch norm's statistics are each process's own
        _check_finite(means["loss"], "the loss", config)
        history.append(
            {"epoch": epoch + 1, "step": step, "learning_rate": rate}
            | means
            | _speed(history, per_epoch * config.batch_size, time.perf_counter() - began)
            | _validate(student, average, validation)
        )
        if accelerator.is_main_process:
            parts = {"net": student.state_dict(), "average": average.state}
            folder.write(parts | {"optimizer": optimizer.state_dict()}, history)
        accelerator.wait_for_everyone()
        bar.set_postfix(_short(history[-1]))
    bar.close()
    student.load_state_dict(average.state)
    student.eval()
    return history


def make_batch(student, faces, targets, chosen, config, epoch, teachers):
    """Images, landmarks and teachers' answers for the faces at the positions `chosen`."""
    device = next(student.parameters()).device
    rows, size = faces.rows[chosen], student.config.size
    view = epoch % config.n_views if config.n_views else epoch
    zoom = faces.meta["stored_margin"] / student.config.crop_margin
    views = sample_views(rows, view, seed=config.seed, strength=config.strength, zoom=zoom)
    views = views.to(device)
    crops = to_tensor(faces.images[chosen], device)
    images = warp_images(crops, views, size).contiguous(memory_format=torch.channels_last)
    target = warp_points(targets[chosen].to(device), views, faces.scheme)  # (B, L, 2)
    answers = teachers.answers(rows, view, crops, views) if teachers else {}
    return images, target, answers


def descend(net, batch, config, rate, optimizer, accelerator):
    """One step: the network's answer, its loss, and a little way down. Returns the loss terms."""
    images, target, answers = batch
    with accelerator.autocast():
        pred = net(images)  # (B, L, 2)
    if pred.device.type == "cpu":  # a GPU would wait
        _check_finite(pred.detach().sum(), "an answer", config)
    terms = _named(LOSSES[config.loss](pred, target, answers))
    if config.loss in SETTINGS:
        terms |= region_shares(pred.detach(), target, answers, SETTINGS[config.loss])
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    accelerator.backward(terms["loss"])
    accelerator.clip_grad_norm_(net.parameters(), config.clip)
    optimizer.step()
    return {name: value.detach() for name, value in terms.items()}


def _named(terms):
    """The loss to descend, and KD-Loss's terms where there are any, by the names of the log."""
    if isinstance(terms, losses.KDTerms):
        return {"loss": terms.total, **terms._asdict()}
    return {"loss": terms}


def region_shares(pred, target, answers, settings):
    """For the log: which share of the coordinates each teacher pulls in, pushes on, lets go."""
    shares = {}
    for name, teacher in answers.items():
        how = getattr(settings, name)
        found = losses.region(pred, target, teacher, beta=how.beta, low_influence=how.low_influence)
        for word, number in REGION_WORDS.items():
            shares[f"{name}_{word}"] = (found == number).float().mean()
    return shares


def _check_finite(value, what, config):
    if not math.isfinite(value):
        raise FloatingPointError(
            f"{what} became {float(value)}; what earlier epochs reached is kept. Try a smaller "
            f"learning_rate than {config.learning_rate}"
        )


def _speed(history, images, seconds):
    """What an epoch of training took, and all of them so far."""
    earlier = history[-1]["seconds"] if history else 0.0
    return {
        "images_per_second": round(images / seconds, 1),
        "seconds": round(earlier + seconds, 1),
    }


def _short(entry):
    """What the progress bar shows of an epoch."""
    nme = {"NME": f"{entry['nme']:.2%}"} if "nme" in entry else {}
    return {"epoch": entry["epoch"], "loss": f"{entry['loss']:.4f}"} | nme


def _precision():
    """bf16 where the GPU has it, else fp16 with loss scaling; full precision on a CPU."""
    if not torch.cuda.is_available():
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def _validate(net, average, faces):
    """The averaged network's inter-ocular NME on `faces`."""
    if faces is None:
        return {}
    current = {key: value.detach().clone() for key, value in net.state_dict().items()}
    net.load_state_dict(average.state)
    errors = metrics.nme(inference.predict(net, faces), faces.landmarks, faces.scheme)
    net.load_state_dict(current)
    return {"nme": float(errors.mean())}


def _resume(folder, net, average, optimizer):
    """Puts back what an interrupted training had reached; returns its history."""
    found = folder.read()
    if found is None:
        return []
    parts, history = found
    net.load_state_dict(parts["net"])
    average.state = {
        key: value.to(average.state[key].device) for key, value in parts["average"].items()
    }
    checkpoints.restore_optimizer(optimizer, parts["optimizer"])
    return history
