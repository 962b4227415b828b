"""The steps that the benchmark times: the engine's own, with each switch, and the naive loop."""

import contextlib
import copy
import functools
import io
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image

from kdnotes import losses, models, training
from kdnotes.course import profiles
from kdnotes.data.crops import CROP_MARGIN, STORED_MARGIN
from kdnotes.data.prepare import prepare_synthetic
from kdnotes.system import processes
from kdnotes.teachers import Teachers, build_cache
from kdnotes.training.loop import precision
from kdnotes.training.progress import READ_EVERY
from kdnotes.training.schedule import Average


class Setting:
    """Faces, teachers, their stored answers, and a student to copy.

    Args:
        profile: Sizes and networks.
        batch: Faces per step.
        folder: For the files of the face set and of the cache.
        progress: Show progress bars.
    """

    def __init__(self, profile: profiles.Profile, batch: int, folder: Path, progress: bool):
        self.profile, self.batch = profile, batch
        self.accelerator = Accelerator(mixed_precision=precision(), cpu=processes.on_cpu())
        self.device = self.accelerator.device
        with contextlib.redirect_stdout(io.StringIO()):  # hides its summary
            self.faces = prepare_synthetic(
                folder / "faces", max(2 * batch, 64), size=profile.stored_size, progress=progress
            )
        self.targets = torch.as_tensor(self.faces.landmarks)
        self.config = training.TrainConfig(
            "kd-paper", 1, batch, n_views=1, strength=profile.strength
        )
        tough, tolerant = (
            models.create(profile.teacher, 68, size=profile.teacher_size) for _ in range(2)
        )
        self.teachers = Teachers(tough, tolerant).to(self.device)
        self.cache = build_cache(
            self.teachers,
            self.faces,
            folder / "cache",
            seed=0,
            n_views=1,
            strength=profile.strength,
            device=self.device,
            progress=progress,
        )
        self.net = models.create(profile.student, 68, size=profile.student_size).to(self.device)
        self._order = np.random.default_rng(0)

    def chosen(self) -> np.ndarray:
        """The positions of the next batch of faces, `(batch,)`."""
        return self._order.permutation(len(self.faces))[: self.batch]

    def views(self, teachers=None):
        """Images, landmarks and teachers' answers of the next batch, as the student gets them."""
        return training.make_batch(
            self.net, self.faces, self.targets, self.chosen(), self.config, 0, teachers
        )

    def student(self, channels_last: bool = True, fused: bool = True):
        """A new copy of the student, and its optimiser."""
        layout = torch.channels_last if channels_last else torch.contiguous_format
        net = copy.deepcopy(self.net).to(self.device, memory_format=layout).train()
        optimizer = torch.optim.AdamW(net.parameters(), fused=fused)
        return net, self.accelerator.prepare_optimizer(optimizer)

    def step(
        self,
        teachers,
        *,
        other_precision: bool = False,
        average: bool = True,
        clip: float | None = 1.0,
        compiled: bool = False,
        channels_last: bool = True,
        fused: bool = True,
    ) -> Callable[[], None]:
        """The whole step of `training.fit`, or a step with a switch turned.

        Args:
            teachers: Live or cached.
            other_precision: Compute in float32 where the engine uses 16 bits, else in bf16.
            average: Keep a running average of the weights.
            clip: Length of the gradient beyond which it is shortened.
            compiled: Use `torch.compile`.
            channels_last, fused: As in `student`.
        """
        net, optimizer = self.student(channels_last, fused)
        mean = Average(net, self.config.average)
        config = training.TrainConfig("kd-paper", 1, self.batch, n_views=1, clip=clip)
        if other_precision:
            bf16 = precision() == "no"
            net.forward = torch.autocast(self.device.type, torch.bfloat16, enabled=bf16)(
                net.forward
            )
        called = torch.compile(net) if compiled else net
        steps = itertools.count()

        def work():
            batch = self.views(teachers)
            looks = next(steps) % READ_EVERY == 0
            training.descend(
                called, batch, config, 1e-4, optimizer, self.accelerator, compare_teachers=looks
            )
            if average:
                mean.update(1000)

        return work

    def bare(self) -> Callable[[], None]:
        """The network alone: forward, backward and optimiser on a batch that is in memory."""
        net, optimizer = self.student()
        images, target, _ = self.views()

        def work():
            optimizer.zero_grad(set_to_none=True)
            with self.accelerator.autocast():
                loss = (net(images) - target).abs().mean()
            self.accelerator.backward(loss)
            optimizer.step()

        return work


def naive_step(setting: Setting, folder: Path) -> Callable[[], None]:
    """The loop of the released code.

    For every batch it decodes the pictures, resizes them, asks both teachers and reads the loss.

    Args:
        setting: Faces and networks.
        folder: A new folder for the pictures.
    """
    folder.mkdir()
    for i, picture in enumerate(setting.faces.images[:]):
        Image.fromarray(picture).save(folder / f"{i}.jpg", quality=95)
    net, *teachers = (
        copy.deepcopy(net).to(setting.device, memory_format=torch.contiguous_format)
        for net in (setting.net, *setting.teachers.nets.values())
    )
    net.train()
    optimizer = torch.optim.Adam(net.parameters())
    side = setting.profile.stored_size * CROP_MARGIN / STORED_MARGIN
    edge = (setting.profile.stored_size - side) / 2
    box = (edge, edge, edge + side, edge + side)

    def read(number, size):
        with Image.open(folder / f"{number}.jpg") as picture:
            picture = picture.resize((size, size), Image.BILINEAR, box=box)
        return np.asarray(picture, np.float32).transpose(2, 0, 1) / 255

    def load(chosen, size):
        images = np.stack([read(number, size) for number in chosen])
        return torch.from_numpy(images).to(setting.device)

    def work():
        chosen, sizes = setting.chosen(), {net.config.size for net in (net, *teachers)}
        images = {size: load(chosen, size) for size in sizes}
        target = setting.targets[chosen].to(setting.device) * STORED_MARGIN / CROP_MARGIN
        with torch.no_grad():
            answers = [teacher(images[teacher.config.size]) for teacher in teachers]
        optimizer.zero_grad()
        loss = losses.kd_loss(net(images[net.config.size]), target, *answers).total
        loss.backward()
        optimizer.step()
        loss.item()

    return work


def works(setting: Setting, folder: Path, compiled: bool) -> dict[str, Callable[[], None]]:
    """What is timed, by name; each call works on one batch.

    Args:
        setting: Faces and networks.
        folder: For the pictures of the naive loop.
        compiled: Also a step with `torch.compile`.
    """
    cache = setting.cache
    net, _ = setting.student()
    images, target, answers = setting.views(cache)
    net(images).sum().backward()
    pred = (target + 0.01).requires_grad_()
    mean = Average(net, 0.99)
    rows = setting.faces.rows[: setting.batch]
    settings = training.SETTINGS["kd-paper"]

    def loss():
        terms = losses.kd_loss(pred, target, **answers, settings=settings)
        terms.total.backward()

    def comparison():
        training.step.compare(pred.detach(), target, answers, "kd-paper")

    other = "bf16" if precision() == "no" else "float32"
    step = functools.partial(setting.step, cache)
    steps = {
        "student alone": setting.bare(),
        "step, teachers' landmarks stored": step(),
        "step, teachers asked every time": setting.step(setting.teachers),
        "naive loop": naive_step(setting, folder / "pictures"),
        "views": setting.views,
        "both teachers": lambda: setting.views(setting.teachers),
        "stored landmarks": lambda: cache.answers(rows, 0, images, None),
        "KD-Loss": loss,
        "comparison for the log": comparison,
        "clipping": lambda: training.step.clip(net, 1.0),
        "running average": lambda: mean.update(1000),
        "step without channels_last": step(channels_last=False),
        "step without fused optimiser": step(fused=False),
        "step without clipping": step(clip=None),
        "step without running average": step(average=False),
        f"step in {other}": step(other_precision=True),
    }
    if compiled:
        steps["step, compiled"] = step(compiled=True)
    return steps
