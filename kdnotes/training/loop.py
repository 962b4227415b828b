"""`fit`: the training loop of all networks of the course."""

import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from kdnotes import metrics, models
from kdnotes.data.faceset import FaceSet
from kdnotes.models import inference
from kdnotes.system.processes import on_cpu
from kdnotes.teachers import TeacherCache, Teachers
from kdnotes.training import preflight
from kdnotes.training.checkpoints import Run, State
from kdnotes.training.config import TrainConfig
from kdnotes.training.interrupt import between_steps
from kdnotes.training.progress import Bar, EpochSums, tensorboard_options
from kdnotes.training.schedule import Average, batches, learning_rate, seed_step
from kdnotes.training.step import check_finite, descend, make_batch


def fit(
    student: nn.Module,
    faces: FaceSet,
    config: TrainConfig,
    *,
    targets: np.ndarray | None = None,
    teachers: Teachers | TeacherCache | None = None,
    validation: FaceSet | None = None,
    run: str | Path | None = None,
    tensorboard: bool = False,
    progress: bool = True,
) -> list[dict]:
    """Trains a network in place; it ends with the averaged weights, in evaluation mode.

    What is kept is the running average as the last epoch leaves it. No epoch is chosen by its
    validation error, which would make that error too good.

    Args:
        student: The network that learns; teachers are trained in the same way.
        faces: Training faces.
        config: How.
        targets: `(N, L, 2)` landmarks of `faces` to learn in place of the hard ones, in stored-crop
            units; soft landmarks make the Tolerant teacher.
        teachers: Live or cached; needed by KD-Loss.
        validation: Faces on which the error is measured after every epoch.
        run: Folder of checkpoint and log. A run that is there is continued, a finished one is read.
        tensorboard: Also write the log as events for TensorBoard, to `run`/tensorboard.
        progress: Show a progress bar.

    Returns:
        One dict per epoch: epoch, step, learning rate, loss terms and (of KD-Loss) what
        `step.compare` says of each teacher, `nme` on `validation` (a fraction),
        images per second, seconds of training so far.

    Raises:
        ValueError: Contradicting arguments, too few faces in a step for batch norm, validation
            faces without an error, or a run folder that belongs to another training.
        FloatingPointError: The loss is not finite any more.
        OSError: The run's folder cannot be written to; what was written last is still there.
        KeyboardInterrupt: Ctrl-C, after the step at hand was finished and saved (several processes
            stop at once, and go on from the last whole epoch).
    """
    student = models.plain(student)
    accelerator = Accelerator(
        mixed_precision=precision(), cpu=on_cpu(), **tensorboard_options(run, tensorboard)
    )
    preflight.check(student, faces, config, targets, teachers, validation, accelerator)
    student.to(accelerator.device, memory_format=torch.channels_last).requires_grad_(True).train()
    if isinstance(teachers, Teachers):
        teachers.to(accelerator.device)
    optimizer = torch.optim.AdamW(
        student.parameters(), weight_decay=config.weight_decay, eps=config.epsilon, fused=True
    )
    state = State(student, Average(student, config.average), optimizer, accelerator.scaler)
    folder = Run(run, preflight.key(student, faces, config, targets, teachers))
    resumed = folder.restore(state)
    optimizer = accelerator.prepare_optimizer(optimizer)
    net = _shared(student, accelerator)
    if config.compile:
        net = torch.compile(net)
    if tensorboard:
        accelerator.init_trackers("tensorboard")

    targets = torch.as_tensor(faces.landmarks if targets is None else targets).float()
    per_epoch = max(1, len(faces) // config.batch_size)
    total, step = per_epoch * config.epochs, per_epoch * len(state.history) + state.epoch.steps
    first = accelerator.is_main_process  # of several processes one shows the bar and writes files
    with (
        Bar(folder.name, total, step, show=progress and first) as bar,
        torch.random.fork_rng(),
        between_steps(enabled=accelerator.num_processes == 1) as interrupted,
    ):
        if resumed and step < total:
            bar.say(f"going on after step {step} of {total}, found in {folder.folder}")
        while (epoch := len(state.history)) < config.epochs:
            order = batches(len(faces), config.batch_size, seed=config.seed, epoch=epoch)
            began = time.perf_counter() - state.epoch.seconds
            for chosen in order[state.epoch.steps :]:
                seed_step(config.seed, step, accelerator.process_index)
                chosen = chosen[accelerator.process_index :: accelerator.num_processes]
                batch = make_batch(student, faces, targets, chosen, config, epoch, teachers)
                rate = learning_rate(step, total, config.learning_rate, config.schedule)
                terms = descend(net, batch, config, rate, optimizer, accelerator)
                state.average.update(step)
                step += 1
                state.epoch.add(terms)
                bar.step(epoch + 1, state.epoch)
                if interrupted.is_set():
                    state.epoch.seconds = time.perf_counter() - began
                    check_finite(state.epoch.read()["sums"]["loss"], "the loss", config)
                    folder.write(state)
                    if run is not None:
                        bar.say(f"stopped after step {step}; the same again goes on from there")
                    raise KeyboardInterrupt
            n_seen = sum(map(len, order))
            entry = _close_epoch(state, config, step, total, n_seen, accelerator, began)
            entry |= _validate(student, state.average, validation, accelerator)
            if first:
                folder.write(state)
            accelerator.wait_for_everyone()
            accelerator.log(entry, step=step)
            bar.epoch(entry)
            if interrupted.is_set():  # while it was measured and saved
                raise KeyboardInterrupt
    for tracker in accelerator.trackers:
        tracker.finish()
    student.load_state_dict(state.average.state)
    student.eval()
    return state.history


def precision() -> str:
    """bf16 where the GPU has it, else fp16 with loss scaling; full precision on a CPU."""
    if not torch.cuda.is_available():
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def _shared(student, accelerator):
    """The network as it is called in training; of several processes, with gradients averaged.

    (`accelerator.prepare` would also change how the network answers after the training.)
    """
    if accelerator.num_processes == 1:
        return student
    device = accelerator.device
    return DistributedDataParallel(student, [device] if device.type == "cuda" else None)


def _close_epoch(state, config, step, total, n_seen, accelerator, began):
    """Turns the sums of an epoch of `n_seen` faces into a line of the log, and returns it."""
    means = state.epoch.means(accelerator)
    seconds = time.perf_counter() - began  # after reading the sums: a GPU has come to the end
    check_finite(means["loss"], "the loss", config)
    state.average.state = broadcast(state.average.state)  # batch norm's is each process's own
    earlier = state.history[-1]["seconds"] if state.history else 0.0
    entry = {
        "epoch": len(state.history) + 1,
        "step": step,
        "learning_rate": learning_rate(step - 1, total, config.learning_rate, config.schedule),
        **means,
        "images_per_second": round(n_seen / seconds, 1),
        "seconds": round(earlier + seconds, 1),
    }
    state.history.append(entry)
    state.epoch = EpochSums()
    return entry


def _validate(net, average, faces, accelerator):
    """The averaged network's NME on `faces`; each process looks at its share."""
    if faces is None:
        return {}
    processes = accelerator.num_processes
    share = -(-len(faces) // processes)  # as many for each; what is too many is dropped below
    mine = (np.arange(share) * processes + accelerator.process_index) % len(faces)
    mine = faces if processes == 1 else faces.select(mine)
    current = {key: value.detach().clone() for key, value in net.state_dict().items()}
    net.load_state_dict(average.state)
    errors = metrics.nme(inference.predict(net, mine), mine.landmarks, mine.scheme)
    net.load_state_dict(current)
    errors = torch.as_tensor(errors, dtype=torch.float32, device=accelerator.device)
    errors = accelerator.gather(errors).view(processes, -1).T.flatten()[: len(faces)]
    return {"nme": float(errors.mean(dtype=torch.float32))}
