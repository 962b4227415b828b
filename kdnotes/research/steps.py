"""The steps that the benchmark times: the engine's own, with each switch, and the naive loop."""

import contextlib
import copy
import functools
import io
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
from kdnotes.training.schedule import Average


class Setting:
    """Faces, teachers and their stored answers, and as many students as there are to time.

    Args:
        profile: Sizes and networks.
        batch: Faces per step.
        folder: For the files of the face set and the cache.
    """

    def __init__(self, profile: profiles.Profile, batch: int, folder: Path, progress: bool):
        self.profile, self.batch = profile, batch
        self.accelerator = Accelerator(mixed_precision=precision(), cpu=processes.on_cpu())
        self.device = self.accelerator.device
        with contextlib.redirect_stdout(io.StringIO()):  # its summary is of no interest here
            self.faces = prepare_synthetic(
                folder / "faces", max(2 * batch, 64), size=profile.stored_size, progress=progress
            )
        self.targets = torch.as_tensor(self.faces.landmarks)
        self.config = training.TrainConfig(
            "kd-paper", 1, batch, n_views=1, strength=profile.strength
        )
        nets = {name: models.create(profile.teacher, 68, size=profile.teacher_size) for name in
                ("tough", "tolerant")}  # fmt: skip
        self.teachers = Teachers(**nets).to(self.device)
        how = {"n_views": 1, "strength": profile.strength, "device": self.device}
        self.cache = build_cache(
            self.teachers, self.faces, folder / "cache", seed=0, progress=progress, **how
        )
        self.net = models.create(profile.student, 68, size=profile.student_size).to(self.device)
        self._order = np.random.default_rng(0)

    def chosen(self) -> np.ndarray:
        """The positions of another batch of faces."""
        return self._order.permutation(len(self.faces))[: self.batch]

    def views(self, teachers=None):
        """A batch as the student gets it."""
        more = (self.chosen(), self.config, 0, teachers)
        return training.make_batch(self.net, self.faces, self.targets, *more)

    def student(self, channels_last: bool = True, fused: bool = True):
        """A student of its own, and its optimiser."""
        layout = torch.channels_last if channels_last else torch.contiguous_format
        net = copy.deepcopy(self.net).to(self.device, memory_format=layout).train()
        optimizer = torch.optim.AdamW(net.parameters(), fused=fused)
        return net, self.accelerator.prepare_optimizer(optimizer)

    def step(
        self, teachers, *, accelerator=None, average=True, clip=1.0, compiled=False, **student
    ) -> Callable[[], None]:
        """The whole step of `training.fit`, or one with a switch turned."""
        net, optimizer = self.student(**student)
        mean = Average(net, self.config.average)
        config = training.TrainConfig("kd-paper", 1, self.batch, n_views=1, clip=clip)
        called = torch.compile(net) if compiled else net

        def work():
            batch = self.views(teachers)
            training.descend(
                called, batch, config, 1e-4, optimizer, accelerator or self.accelerator
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


class OtherPrecision:
    """Stands in for the accelerator, to time the precision that it does not use here."""

    def __init__(self, device: torch.device):
        # where the engine computes in bf16 the other one is float32, and the other way round
        self.on, self.type = precision() == "no", device.type

    def autocast(self):
        return torch.autocast(self.type, torch.bfloat16, enabled=self.on)

    def backward(self, loss):
        loss.backward()

    def unscale_gradients(self, optimizer):
        pass


def naive_step(setting: Setting, folder: Path) -> Callable[[], None]:
    """The loop of the released code: for every batch decode the pictures, resize them, ask both
    teachers, and read the loss."""
    folder.mkdir()
    for i, picture in enumerate(setting.faces.images[:]):
        Image.fromarray(picture).save(folder / f"{i}.jpg", quality=95)
    nets = (setting.net, *setting.teachers.nets.values())
    layout = {"memory_format": torch.contiguous_format}
    net, *teachers = (copy.deepcopy(net).to(setting.device, **layout) for net in nets)
    net.train()
    optimizer = torch.optim.Adam(net.parameters())
    side = setting.profile.stored_size * CROP_MARGIN / STORED_MARGIN
    edge = (setting.profile.stored_size - side) / 2

    def read(number, size):
        with Image.open(folder / f"{number}.jpg") as picture:
            picture = picture.resize((size, size), Image.BILINEAR, box=(edge, edge, edge + side,
                                                                        edge + side))  # fmt: skip
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
    """What is timed, by name; each call works on one batch."""
    device, cache = setting.device, setting.cache
    net, _ = setting.student()
    images, target, answers = setting.views(cache)
    net(images).sum().backward()
    pred = (target + 0.01).requires_grad_()
    mean = Average(net, 0.99)
    rows = setting.faces.rows[: setting.batch]
    how = training.SETTINGS["kd-paper"]

    def loss():
        terms = losses.kd_loss(pred, target, **answers, settings=how)
        terms.total.backward()
        training.step.compare(pred.detach(), target, answers, how)

    other = "bf16" if precision() == "no" else "float32"
    step = functools.partial(setting.step, cache)
    found = {
        "student alone": setting.bare(),
        "step, teachers' landmarks stored": step(),
        "step, teachers asked every time": setting.step(setting.teachers),
        "naive loop": naive_step(setting, folder / "pictures"),
        "views": setting.views,
        "both teachers": lambda: setting.views(setting.teachers),
        "stored landmarks": lambda: cache.answers(rows, 0, images, None),
        "KD-Loss and log": loss,
        "clipping": lambda: training.step.clip(net, 1.0),
        "running average": lambda: mean.update(1000),
        "step without channels_last": step(channels_last=False),
        "step without fused optimiser": step(fused=False),
        "step without clipping": step(clip=None),
        "step without running average": step(average=False),
        f"step in {other}": step(accelerator=OtherPrecision(device)),
    }
    if compiled:
        found["step, compiled"] = step(compiled=True)
    return found
