"""Training: `fit` trains a teacher or a student, and goes on where it was interrupted.

One function for all networks of the course. A teacher is trained with `loss="l2"` on hard or soft
landmarks; a student with a plain loss or with KD-Loss and its teachers' answers. Everything random
follows from (seed, epoch, face), so a resumed training sees what an undisturbed one would have
seen.
"""

import hashlib
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from tqdm.auto import tqdm

from kdnotes import checkpoints, inference, losses, metrics
from kdnotes.faceset import FaceSet
from kdnotes.schedule import Average, batches, learning_rate
from kdnotes.teachers import TeacherCache, Teachers, view_key
from kdnotes.views import sample_views, to_tensor, warp_images, warp_points

#: Loss names a training can be asked for, and what they do with (pred, target, teachers' answers).
LOSSES: dict[str, Callable] = {
    "l1": lambda pred, target, answers: losses.l1(pred, target),
    "l2": lambda pred, target, answers: losses.l2(pred, target),
    "smooth_l1": lambda pred, target, answers: losses.smooth_l1(pred, target),
    "wing": lambda pred, target, answers: losses.wing(pred, target),
    "kd-paper": lambda pred, target, answers: losses.kd_loss(
        pred, target, **answers, settings=losses.PAPER
    ),
    "kd-released": lambda pred, target, answers: losses.kd_loss(
        pred, target, **answers, settings=losses.RELEASED
    ),
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
        One dict per epoch: epoch, step, learning rate, loss terms, `nme` on `validation`
        (inter-ocular, a fraction), images per second, seconds so far.

    Raises:
        ValueError: Contradicting arguments, or a run folder that belongs to another training.
        FloatingPointError: The loss is not finite any more.
    """
    _check(student, faces, config, targets, teachers, validation)
    accelerator = Accelerator(mixed_precision=_precision())
    device = accelerator.device
    net = student.to(device, memory_format=torch.channels_last).requires_grad_(True).train()
    average = Average(net, config.average)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=config.weight_decay)
    folder = checkpoints.Run(run, _key(student, faces, config, targets, teachers))
    history = _resume(folder, net, average, optimizer)
    net, optimizer = accelerator.prepare(net, optimizer)
    if isinstance(teachers, Teachers):
        teachers.to(device)

    targets = torch.as_tensor(faces.landmarks if targets is None else targets).float()
    per_epoch = max(1, len(faces) // config.batch_size)
    total, step = per_epoch * config.epochs, per_epoch * len(history)
    earlier = history[-1]["seconds"] if history else 0.0
    start = time.perf_counter()
    hidden = not progress or step == total  # a finished run is only read
    bar = tqdm(total=total, initial=step, unit=" steps", desc=folder.name, disable=hidden)
    for epoch in range(len(history), config.epochs):
        sums, began = {}, time.perf_counter()
        for chosen in batches(len(faces), config.batch_size, seed=config.seed, epoch=epoch):
            chosen = chosen[accelerator.process_index :: accelerator.num_processes]
            images, target, answers = _batch(
                student.config, faces, targets, chosen, config, epoch, teachers, device
            )
            with accelerator.autocast():
                pred = net(images)  # (B, L, 2)
            if device.type == "cpu" and not torch.isfinite(pred).all():  # a GPU would wait
                raise _diverged("an answer", pred.sum().item(), epoch, config)
            loss, terms = _named(LOSSES[config.loss](pred, target, answers))

            rate = learning_rate(step, total, config.learning_rate)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(net.parameters(), config.clip)
            optimizer.step()
            average.update(student, step)

            step += 1
            for name, value in terms.items():  # summed on the device: reading them would wait
                sums[name] = sums.get(name, 0) + value.detach()
            bar.update()
        means = {name: float(value) / per_epoch for name, value in sums.items()}
        if not math.isfinite(means["loss"]):
            raise _diverged("the loss", means["loss"], epoch, config)
        now = time.perf_counter()
        history.append(
            {"epoch": epoch + 1, "step": step, "learning_rate": rate}
            | means
            | _validate(student, average, validation)
            | {"images_per_second": round(per_epoch * config.batch_size / (now - began), 1)}
            | {"seconds": round(earlier + now - start, 1)}
        )
        if accelerator.is_main_process:
            parts = {"net": student.state_dict(), "average": average.state}
            folder.write(parts | {"optimizer": optimizer.state_dict()}, history)
        bar.set_postfix(_short(history[-1]))
    bar.close()
    student.load_state_dict(average.state)
    student.eval()
    return history


def _batch(net, faces, targets, chosen, config, epoch, teachers, device):
    """Images, landmarks and teachers' answers for the faces at the positions `chosen`."""
    rows = faces.rows[chosen]
    view = epoch % config.n_views if config.n_views else epoch
    zoom = faces.meta["stored_margin"] / net.crop_margin
    views = sample_views(rows, view, seed=config.seed, strength=config.strength, zoom=zoom)
    views = views.to(device)
    crops = to_tensor(faces.images[chosen], device)
    images = warp_images(crops, views, net.size).contiguous(memory_format=torch.channels_last)
    target = warp_points(targets[chosen].to(device), views, faces.scheme)  # (B, L, 2)
    answers = teachers.answers(rows, view, crops, views) if teachers else {}
    return images, target, answers


def _named(terms):
    """The loss to descend, and what to log of it: (total, main, tough, tolerant) or one number."""
    if isinstance(terms, losses.KDTerms):
        return terms.total, {"loss": terms.total, **terms._asdict()}
    return terms, {"loss": terms}


def _diverged(what, value, epoch, config):
    return FloatingPointError(
        f"{what} became {value} in epoch {epoch + 1}; what earlier epochs reached is kept. Try a "
        f"smaller learning_rate than {config.learning_rate}"
    )


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


def _key(student, faces, config, targets, teachers):
    """What makes this training this one: a run folder is only continued where all of it agrees."""
    key = {"config": asdict(config), "network": asdict(student.config), "faces": faces.fingerprint}
    key["rows"] = hashlib.sha256(faces.rows.tobytes()).hexdigest()
    if targets is not None:
        key["targets"] = hashlib.sha256(np.ascontiguousarray(targets).tobytes()).hexdigest()
    if teachers is not None:
        key["teachers"] = teachers.fingerprints
    return key


def _check(student, faces, config, targets, teachers, validation):
    """Refuses arguments that contradict each other, before anything is computed."""
    expected = faces.landmarks.shape
    if student.config.n_points != expected[1]:
        raise ValueError(
            f"the network has {student.config.n_points} landmarks, the faces have {expected[1]}"
        )
    if targets is not None and (targets.shape != expected or not np.isfinite(targets).all()):
        raise ValueError(f"targets must be finite and {expected}, found {targets.shape}")
    if config.loss.startswith("kd-") != (teachers is not None):
        raise ValueError(
            f"loss {config.loss!r} with {'' if teachers else 'no '}teachers: KD-Loss "
            "needs them and the plain losses have no use for them"
        )
    if teachers is not None:
        key = view_key(
            faces, config.seed, config.strength, config.n_views, student.config.crop_margin
        )
        teachers.check(key)
    if validation is not None:
        _check_apart(faces, validation)


def _check_apart(faces, validation):
    """Training and validation must not share a face; sharing people is said."""
    shared = set(faces.table["id"]) & set(validation.table["id"])
    if shared:
        raise ValueError(
            f"{len(shared)} faces are in training and validation, {min(shared)!r} among them; "
            "split them first"
        )
    people = set(faces.table["subject"].dropna()) & set(validation.table["subject"].dropna()) - {""}
    if people:
        warnings.warn(
            f"{len(people)} people are in training and validation: the error there will flatter",
            stacklevel=4,  # the line that called fit
        )
