"""The faces, labels, teachers and stand-ins of one regime; what was made before is found again."""

import functools
import hashlib
import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from kdnotes import asm, metrics, models, training
from kdnotes.data.faceset import FaceSet
from kdnotes.models import inference
from kdnotes.research.experiments.arms import Arm, Regime
from kdnotes.system import processes
from kdnotes.teachers import TeacherCache, Teachers, build_cache

#: How far a wrong label is moved, in longer sides of the landmarks' box.
WRONG_BY = (0.05, 0.15)


class Setting:
    """What the arms of a regime share.

    Args:
        regime: Sizes, people, steps.
        faces: A whole face set.
        root: Below it lie students, and teachers with their answers, each in a folder that is named
            by what they depend on: regimes that differ in the student alone share the teachers.
    """

    def __init__(self, regime: Regime, faces: FaceSet, root: Path):
        self.regime, self.faces = regime, faces
        self.device = processes.state().device
        self.students = root / f"students-{_digest(regime, faces)}"
        without_student = replace(regime, student="", size=0, steps=0)
        self.of_teachers = root / f"teachers-{_digest(without_student, faces)}"
        self.train, self.validation = faces.split("train"), faces.split("validation")
        self.test = faces.split("test")
        self.labelled = self.train.select(np.flatnonzero(self._chosen()))
        self.hard = self._labels()
        self.zoom = faces.zoom()

    def _chosen(self):
        """Which training faces have labels: those of some people, the same for every arm. Where
        nobody is named, each face is a person of its own."""
        people = self.train.people()
        names = np.random.default_rng(0).permutation(np.unique(people))
        return np.isin(people, names[: self.regime.people])

    def _labels(self):
        """The labels that are seen `(N, L, 2)`; a share of the points is moved to one side."""
        hard = np.array(self.labelled.landmarks)
        rng = np.random.default_rng(1)
        wrong = rng.random(hard.shape[:2]) < self.regime.wrong
        sides = np.ptp(hard, axis=1).max(axis=-1)[:, None]
        length, angle = rng.uniform(*WRONG_BY, wrong.shape), rng.uniform(0, 2 * np.pi, wrong.shape)
        away = (sides * length)[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return np.where(wrong[..., None], hard + away, hard).astype(np.float32)

    def soft(self, variance: float | None = None) -> np.ndarray:
        """Soft landmarks of the labelled faces, by a shape model of their labels alone."""
        variance = variance or self.regime.variance
        model = asm.fit_shapes(self.hard, self.labelled.scheme, variance=variance)
        return asm.soften(model, self.hard)

    def mean_shape(self) -> np.ndarray:
        """Of the labels and their mirror images, in network-crop units."""
        shapes = asm.with_mirror_images(self.hard, self.labelled.scheme)
        return (shapes.mean(axis=0) * self.zoom).astype(np.float32)

    def network(self, name: str, size: int, seed: int, n_more: int = 0) -> models.LandmarkNet:
        """A new network, with outputs for so many points more than there are landmarks."""
        shape = np.concatenate([self.mean_shape(), np.zeros((n_more, 2), np.float32)])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            scheme = len(shape) if n_more else self.faces.scheme
            return models.create(name, scheme, mean_shape=shape, size=size)

    def config(self, loss: str, n_faces: int, steps: int, **more) -> training.TrainConfig:
        """A training of at least `steps` steps, in whole epochs."""
        per_epoch = max(1, n_faces // self.regime.batch_size)
        return training.TrainConfig(
            loss,
            math.ceil(steps / per_epoch),
            self.regime.batch_size,
            strength=self.regime.strength,
            **more,
        )

    def trained(self, path, net, faces, config, **more) -> tuple[models.LandmarkNet, dict]:
        """The network in that file and the end of its log: trained now, or found.

        A training of few faces has thousands of short epochs, and saving after each of them would
        take longer than they do. So it is saved at its end, and a stop loses one training.
        """
        if not path.exists():
            log = training.fit(net, faces, config, **more)
            last = log[-1]
            if "slope" in last:
                last = last | {"mean_slope": float(np.mean([line["slope"] for line in log]))}
            models.save(net, path, card={"config": asdict(config), "log": last})
        net = models.load(path, self.device)
        if net.card["config"] != asdict(config):
            raise ValueError(f"{path} was trained otherwise; delete it or choose another folder")
        return net, net.card["log"]

    # --- teachers ---------------------------------------------------------------------------------

    @functools.cache  # noqa: B019 - one setting lives as long as its experiment
    def teacher(self, which: str, half: int | None = None) -> models.LandmarkNet:
        """The "tough" or the "tolerant" teacher; of a `half` of the people, for cross-fitting."""
        regime, faces, targets = self.regime, self.labelled, self.hard
        if which == "tolerant":
            targets = self.soft()
        name = f"teacher-{which}"
        if half is not None:
            mine = self.halves() == half
            faces, targets = faces.select(np.flatnonzero(mine)), targets[mine]
            name += f"-half{half}"
        net = self.network(regime.teacher, regime.teacher_size, seed=1000)
        config = self.config("l1", len(faces), regime.teacher_steps, seed=1000)
        path = self.of_teachers / f"{name}.safetensors"
        return models.freeze(self.trained(path, net, faces, config, targets=targets)[0])

    def halves(self) -> np.ndarray:
        """0 or 1 for each labelled face, whole people on one side."""
        people = self.labelled.people()
        names = np.random.default_rng(2).permutation(np.unique(people))
        return np.isin(people, names[len(names) // 2 :]).astype(int)

    def teachers(self, half: int | None = None) -> Teachers:
        return Teachers(self.teacher("tough", half), self.teacher("tolerant", half))

    def cache(self, seed: int, faces: FaceSet, what: str, half: int | None = None) -> TeacherCache:
        """Both teachers' answers for all views of a student with this seed."""
        name = f"answers-{what}-seed{seed}" + ("" if half is None else f"-half{half}")
        regime = self.regime
        return build_cache(
            self.teachers(half), faces, self.of_teachers / name,
            seed=seed, n_views=regime.n_views, strength=regime.strength, device=self.device,
        )  # fmt: skip

    def errors_of_teachers(self) -> dict[str, np.ndarray]:
        """Each teacher's mean distance t from the labels, `(L, 2)` in network-crop widths."""
        return {
            which: self.zoom
            * np.abs(inference.predict(self.teacher(which), self.labelled) - self.hard).mean(axis=0)
            for which in ("tough", "tolerant")
        }

    @functools.cache  # noqa: B019
    def strength_of_teachers(self) -> dict[str, dict[str, float]]:
        """Each teacher's error on the faces that it has seen and on those that it has
        not; one that knows its faces by heart has nothing to say about them."""
        truth = {"seen": (self.labelled, self.hard)}
        truth["unseen"] = (self.validation, self.validation.landmarks)
        return {
            which: {
                name: float(metrics.nme(inference.predict(net, faces), target, faces.scheme).mean())
                for name, (faces, target) in truth.items()
            }
            for which, net in self.teachers().nets.items()
        }

    # --- arms -------------------------------------------------------------------------------------

    def train_arm(self, arm: Arm, seed: int) -> tuple[models.LandmarkNet, dict]:
        """The student of an arm and the end of its log."""
        from kdnotes.research.experiments.answers import STAND_INS
        from kdnotes.research.experiments.targets import TARGETS

        regime = self.regime
        faces = self.train if arm.faces == "all" else self.labelled
        targets = TARGETS[arm.targets](self)
        known = STAND_INS[arm.teachers](self, seed, faces, arm.faces) if arm.teachers else None
        n_more = getattr(known, "n_hints", 0)
        net = self.network(regime.student, regime.size, seed, n_more)
        config = self.config(
            arm.loss, len(faces), round(regime.steps * arm.steps), seed=seed, scale=arm.scale,
            learning_rate=arm.learning_rate, n_views=regime.n_views,
        )  # fmt: skip
        digest = hashlib.sha256(json.dumps(asdict(arm), sort_keys=True).encode()).hexdigest()
        path = self.students / f"{arm.loss}-{digest[:8]}-seed{seed}.safetensors"
        net, log = self.trained(path, net, faces, config, targets=targets, teachers=known)
        return models.without_last(net, n_more) if n_more else net, log

    def predict(self, net: models.LandmarkNet, split: str) -> np.ndarray:
        return inference.predict(net, getattr(self, split))


def _digest(regime: Regime, faces: FaceSet) -> str:
    text = json.dumps(asdict(regime), sort_keys=True) + faces.fingerprint
    return f"{faces.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
