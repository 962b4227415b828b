"""`fit`: the training loop of all networks of the course."""

import threading
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
from kdnotes.system import processes
from kdnotes.teachers import TeacherCache, Teachers
from kdnotes.training import preflight
from kdnotes.training.checkpoints import Run, State
from kdnotes.training.config import TrainConfig
from kdnotes.training.interrupt import between_steps
from kdnotes.training.progress import READ_EVERY, Bar, EpochSums, tensorboard_options
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
    save_every: int = 1,
    tensorboard: bool = False,
    progress: bool = True,
) -> list[dict]:
    """Trains a network in place; it ends with the averaged weights, in evaluation mode.

    What is kept is the running average as the last epoch leaves it. No epoch is chosen by its
    validation error, which would make that error too good.

    Args:
        student: The network that learns. Teachers are trained in the same way.
        faces: Training faces.
        config: Loss, schedule, views and sizes.
        targets: `(N, L, 2)` landmarks of `faces` to learn in place of the hard ones, in stored-crop
            units; soft landmarks make the Tolerant teacher.
        teachers: Live or cached; needed by KD-Loss.
        validation: Faces on which the error is measured after every epoch.
        run: Folder of checkpoint and log. A run that is there is continued, a finished one is read.
        save_every: Epochs between two saves; the last is always saved.
        tensorboard: Also write the log as events for TensorBoard, to `run`/tensorboard.
        progress: Show a progress bar.

    Returns:
        One dict per epoch: epoch, step, learning rate, loss terms, with teachers what
        `step.compare` says in the first and every 20th step after it, `nme` on `validation` as a
        fraction, images per second, seconds of training so far.

    Raises:
        ValueError: Contradicting arguments, too few faces in a step for batch norm, validation
            faces without an error, or a run folder that belongs to another training.
        FloatingPointError: The loss is not finite any more.
        OSError: The run's folder cannot be written to; what was written last is still there.
        KeyboardInterrupt: Ctrl-C, once the current step is done and, with a `run`, saved. The
            network is left as it is, in training mode. Several processes stop without finishing
            their step, and resume from the last whole epoch.
    """
    student = models.plain(student)
    accelerator = Accelerator(
        mixed_precision=precision(),
        cpu=processes.on_cpu(),
        **tensorboard_options(run, tensorboard),
    )
    preflight.check(student, faces, config, targets, teachers, validation, accelerator)
    folder = Run(run, preflight.key(student, faces, config, targets, teachers))
    training = Training(student, faces, config, targets, teachers, folder, accelerator)
    resumed = folder.restore(training.state)
    if tensorboard:
        accelerator.init_trackers("tensorboard")
    first = accelerator.is_main_process  # of several processes one shows the bar and writes files
    total, done = training.total_steps, training.steps_done
    with (
        Bar(folder.name, total, done, show=progress and first) as bar,
        processes.fork_rng(),
        between_steps(enabled=accelerator.num_processes == 1) as interrupted,
    ):
        if resumed and done < total:
            bar.say(f"going on after step {done} of {total}, found in {folder.folder}")
        while training.epoch < config.epochs:
            training.train_epoch(bar, interrupted)
            entry = training.close_epoch(validation)
            if first and (training.epoch % save_every == 0 or training.epoch == config.epochs):
                folder.write(training.state)
            accelerator.wait_for_everyone()
            accelerator.log(entry, step=entry["step"])
            bar.epoch(entry)
            if interrupted.is_set():  # while it was measured and saved
                raise KeyboardInterrupt
    for tracker in accelerator.trackers:
        tracker.finish()
    return training.finish()


class Training:
    """One training between its first step and its last.

    Attributes:
        state: What changes from step to step, as a checkpoint keeps it.
        total_steps: Steps of all epochs.
    """

    def __init__(self, student, faces, config, targets, teachers, folder, accelerator):
        self.student, self.faces, self.config = student, faces, config
        self.teachers, self.folder, self.accelerator = teachers, folder, accelerator
        self.targets = torch.as_tensor(faces.landmarks if targets is None else targets).float()
        device = accelerator.device
        student.to(device, memory_format=torch.channels_last).requires_grad_(True).train()
        if isinstance(teachers, Teachers):
            teachers.to(device)
        optimizer = torch.optim.AdamW(
            student.parameters(), weight_decay=config.weight_decay, eps=config.epsilon, fused=True
        )
        average = Average(student, config.average)
        self.state = State(student, average, optimizer, accelerator.scaler)
        self.began = time.perf_counter()  # of the current epoch
        self.optimizer = accelerator.prepare_optimizer(optimizer)
        self.net = _shared(student, accelerator)
        if config.compile:
            self.net = torch.compile(self.net)
        self.steps_per_epoch = max(1, len(faces) // config.batch_size)
        self.total_steps = self.steps_per_epoch * config.epochs

    @property
    def epoch(self) -> int:
        """The epoch at hand, from 0."""
        return len(self.state.history)

    @property
    def steps_done(self) -> int:
        return self.steps_per_epoch * self.epoch + self.state.epoch.steps

    def train_epoch(self, bar: Bar, interrupted: threading.Event) -> None:
        """Takes the steps that this epoch still has.

        Raises:
            KeyboardInterrupt: The event was set; the state after the last whole step is stored.
        """
        state = self.state
        self.began = time.perf_counter() - state.epoch.seconds
        for chosen in self._order()[state.epoch.steps :]:
            step, terms = self.steps_done, self.step(chosen)
            state.average.update(step)
            state.epoch.add(terms)
            bar.step(self.epoch + 1, state.epoch)
            if interrupted.is_set():
                state.epoch.seconds = time.perf_counter() - self.began
                check_finite(state.epoch.read()["sums"]["loss"], "the loss", self.config)
                self.folder.write(state)
                if self.folder.folder is not None:
                    bar.say(f"stopped after step {step + 1}; the same again goes on from there")
                raise KeyboardInterrupt

    def step(self, chosen: np.ndarray) -> dict[str, torch.Tensor]:
        """One batch of views, and one step; returns the loss terms."""
        config, accelerator, step = self.config, self.accelerator, self.steps_done
        seed_step(config.seed, step, accelerator.process_index)
        chosen = chosen[accelerator.process_index :: accelerator.num_processes]
        with accelerator.autocast():
            batch = make_batch(
                self.student, self.faces, self.targets, chosen, config, self.epoch, self.teachers
            )
        return descend(
            self.net,
            batch,
            config,
            self._rate(step),
            self.optimizer,
            accelerator,
            compare_teachers=self.state.epoch.steps % READ_EVERY == 0,
        )

    def _rate(self, step):
        config = self.config
        return learning_rate(step, self.total_steps, config.learning_rate, config.schedule)

    def _order(self):
        """The positions of the faces in each batch of this epoch."""
        config = self.config
        return batches(len(self.faces), config.batch_size, seed=config.seed, epoch=self.epoch)

    def close_epoch(self, validation: FaceSet | None) -> dict:
        """Turns the sums of the epoch into a line of the log, and returns it."""
        state, step = self.state, self.steps_done
        means = state.epoch.means(self.accelerator)
        seconds = time.perf_counter() - self.began  # reading the means has waited for the GPU
        check_finite(means["loss"], "the loss", self.config)
        state.average.state = broadcast(state.average.state)  # batch norm differs by process
        n_seen = sum(map(len, self._order()))
        earlier = state.history[-1]["seconds"] if state.history else 0.0
        entry = {
            "epoch": self.epoch + 1,
            "step": step,
            "learning_rate": self._rate(step - 1),
            **means,
            "images_per_second": round(n_seen / seconds, 1),
            "seconds": round(earlier + seconds, 1),
        }
        state.history.append(entry)
        state.epoch = EpochSums()
        if validation is not None:
            entry["nme"] = self._validate(validation)
        return entry

    @torch.no_grad()
    def predict(self, faces: FaceSet) -> np.ndarray:
        """The averaged network's landmarks `(N, L, 2)`, in stored-crop units."""
        net = self.student
        current = {key: value.detach().clone() for key, value in net.state_dict().items()}
        net.load_state_dict(self.state.average.state)
        with self.accelerator.autocast():
            pred = inference.predict(net, faces)
        net.load_state_dict(current)
        return pred

    def _validate(self, faces):
        """The averaged network's NME on `faces`; each process looks at its share."""
        accelerator = self.accelerator
        n = accelerator.num_processes
        share = -(-len(faces) // n)  # the same for each process; repeated faces are dropped below
        rows = (np.arange(share) * n + accelerator.process_index) % len(faces)
        mine = faces if n == 1 else faces.select(rows)
        errors = metrics.nme(self.predict(mine), mine.landmarks, mine.scheme)
        errors = torch.as_tensor(errors, dtype=torch.float32, device=accelerator.device)
        errors = accelerator.gather(errors).view(n, -1).T.flatten()[: len(faces)]
        return float(errors.mean(dtype=torch.float32))

    def finish(self) -> list[dict]:
        """Leaves the averaged weights in the network, and returns the log."""
        self.student.load_state_dict(self.state.average.state)
        self.student.eval()
        return self.state.history


def precision() -> str:
    """bf16 where a CUDA GPU has it, else fp16 with loss scaling; elsewhere full precision."""
    if processes.device().type != "cuda":
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def _shared(student, accelerator):
    """The network as it is called in training. Several processes average its gradients.

    `accelerator.prepare` would also change how the network answers after the training.
    """
    if accelerator.num_processes == 1:
        return student
    device = accelerator.device
    return DistributedDataParallel(student, [device] if device.type == "cuda" else None)
