"""The faces, labels, teachers and students of one regime; what was made before is found again."""

import functools
import hashlib
import json
import math
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from kdnotes import asm, models, training
from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.models import inference
from kdnotes.research.experiments.answers import STAND_INS
from kdnotes.research.experiments.arms import Arm, Regime
from kdnotes.research.experiments.targets import TARGETS
from kdnotes.system import processes
from kdnotes.system.files import turn
from kdnotes.teachers import TeacherCache, Teachers, build_cache
from kdnotes.views import ViewConfig

#: How far a wrong label is moved, in longer sides of the landmarks' box.
WRONG_BY = (0.05, 0.15)

#: Steps in an epoch that is long enough to be saved after.
LONG = 20


class Setting:
    """What the arms of a regime share.

    Args:
        regime: Sizes, people, steps.
        faces: A whole face set.
        root: Folder of students, and of teachers with their answers. Both have a folder in it that
            is named by what they depend on, so regimes that differ in the student alone share the
            teachers.

    Attributes:
        train, validation: The faces of these splits.
        labelled: The training faces that have labels.
        hard: `(N, L, 2)` labels of `labelled` in stored-crop units.
        zoom: Network-crop units per stored-crop unit.
    """

    def __init__(self, regime: Regime, faces: FaceSet, root: Path):
        self.regime, self.faces = regime, faces
        self.device = processes.state().device
        self.student_folder = root / f"students-{_digest(regime, faces)}"
        without_student = replace(regime, student="", size=0, steps=0, head="")
        self.teacher_folder = root / f"teachers-{_digest(without_student, faces)}"
        self.train, self.validation = faces.split("train"), faces.split("validation")
        self.labelled = self.train.select(np.flatnonzero(self._has_label()))
        self.hard = self._labels()
        self.zoom = faces.zoom()
        self._teachers = {}

    def _has_label(self):
        """Which training faces have labels, `(N,)` bool: those of some people, for every arm.

        Where nobody is named, each face counts as a person.
        """
        people = self.train.people()
        names = np.random.default_rng(0).permutation(np.unique(people))
        return np.isin(people, names[: self.regime.people])

    def _labels(self):
        """The labels that are seen, `(N, L, 2)`; a share of the points is moved."""
        hard = np.array(self.labelled.landmarks)
        rng = np.random.default_rng(1)
        wrong = rng.random(hard.shape[:2]) < self.regime.wrong
        sides = np.ptp(hard, axis=1).max(axis=-1)[:, None]
        length, angle = rng.uniform(*WRONG_BY, wrong.shape), rng.uniform(0, 2 * np.pi, wrong.shape)
        away = (sides * length)[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return np.where(wrong[..., None], hard + away, hard).astype(np.float32)

    def soft(self, variance: float | None = None) -> np.ndarray:
        """Soft landmarks of the labelled faces, by a shape model of their labels alone.

        Args:
            variance: Share of the shapes' variance that they keep; None: the regime's.

        Returns:
            `(N, L, 2)` in stored-crop units.
        """
        variance = variance or self.regime.variance
        model = asm.fit_shapes(self.hard, self.labelled.scheme, variance=variance)
        return asm.soften(model, self.hard)

    def mean_shape(self) -> np.ndarray:
        """The mean of the labels and their mirror images, `(L, 2)` in network-crop units."""
        shapes = asm.with_mirror_images(self.hard, self.labelled.scheme)
        return (shapes.mean(axis=0) * self.zoom).astype(np.float32)

    def network(
        self, name: str, size: int, seed: int, n_more: int = 0, head: str = "linear"
    ) -> models.LandmarkNet:
        """A new network that answers with the mean shape.

        Args:
            name: Backbone, a timm name.
            size: Input side in pixels.
            seed: Of the weights.
            n_more: Number of points that it has beyond the landmarks.
            head: A name in `models.building.HEADS`.
        """
        shape = np.concatenate([self.mean_shape(), np.zeros((n_more, 2), np.float32)])
        with processes.fork_rng():
            torch.manual_seed(seed)
            scheme = len(shape) if n_more else self.faces.scheme
            return models.create(
                name,
                scheme,
                mean_shape=shape,
                size=size,
                crop_margin=self.faces.crop_margin,
                head=head,
                box=self.faces.box,
            )

    def config(self, loss: str, n_faces: int, steps: int, **options) -> training.TrainConfig:
        """A training of at least `steps` steps, in whole epochs.

        Args:
            loss: A name in `training.LOSSES`.
            n_faces: Number of training faces.
            steps: Number of steps.
            options: More arguments of `training.TrainConfig`.
        """
        per_epoch = max(1, n_faces // self.regime.batch_size)
        return training.TrainConfig(
            loss,
            math.ceil(steps / per_epoch),
            self.regime.batch_size,
            strength=self.regime.strength,
            clip=self.regime.clip,
            view_config=ViewConfig().on(self.faces.scheme),
            **options,
        )

    def trained(
        self,
        path: Path,
        net: models.LandmarkNet,
        faces: FaceSet,
        config: training.TrainConfig,
        targets: np.ndarray,
        teachers=None,
    ) -> tuple[models.LandmarkNet, dict]:
        """The network in a file and the last entry of its log; trained now if it is not there.

        A training that was stopped goes on. With few faces it has thousands of short epochs, and
        saving after each of them would take longer than the training; so it then begins anew.

        Args:
            path: File of the network.
            net: The network to train.
            faces, config, targets, teachers: As in `training.fit`.

        Raises:
            ValueError: The file holds a network with another configuration.
        """
        with turn(path):  # several experiments may share a network
            if not path.exists():
                run = path.with_suffix("") if len(faces) >= LONG * config.batch_size else None
                log = training.fit(net, faces, config, targets=targets, teachers=teachers, run=run)
                last = log[-1]
                if "slope" in last:
                    last["mean_slope"] = float(np.mean([entry["slope"] for entry in log]))
                models.save(net, path, card={"config": asdict(config), "log": last})
                if run:
                    shutil.rmtree(run, ignore_errors=True)
        net = models.load(path, self.device)
        if net.card["config"] != asdict(config):
            raise ValueError(f"{path} was trained otherwise; delete it or choose another folder")
        return net, net.card["log"]

    # --- teachers ---------------------------------------------------------------------------------

    def teacher(self, which: str, half: int | None = None) -> models.LandmarkNet:
        """A frozen teacher.

        Args:
            which: "tough" or "tolerant".
            half: The half of the people that it is trained on, 0 or 1; None: all people.
        """
        if (which, half) not in self._teachers:
            self._teachers[which, half] = self._train_teacher(which, half)
        return self._teachers[which, half]

    def _train_teacher(self, which, half):
        regime, faces, targets = self.regime, self.labelled, self.hard
        if which == "tolerant":
            targets = self.soft()
        name = f"teacher-{which}"
        if half is not None:
            inside = self.halves() == half
            faces, targets = faces.select(np.flatnonzero(inside)), targets[inside]
            name += f"-half{half}"
        net = self.network(regime.teacher, regime.teacher_size, seed=1000, head=regime.teacher_head)
        config = self.config("l1", len(faces), regime.teacher_steps, seed=1000)
        path = self.teacher_folder / f"{name}.safetensors"
        return models.freeze(self.trained(path, net, faces, config, targets)[0])

    def halves(self) -> np.ndarray:
        """The half of each labelled face, `(N,)` 0 or 1; a person is in one half only."""
        people = self.labelled.people()
        names = np.random.default_rng(2).permutation(np.unique(people))
        return np.isin(people, names[len(names) // 2 :]).astype(int)

    def teachers(self, half: int | None = None) -> Teachers:
        """Both teachers, see `teacher`."""
        return Teachers(
            self.teacher("tough", half),
            self.teacher("tolerant", half),
            crop_margin=self.faces.crop_margin,
        )

    def cache(self, seed: int, faces: FaceSet, what: str, half: int | None = None) -> TeacherCache:
        """Both teachers' answers for all views of a student.

        Args:
            seed: Of the student.
            faces: Its training faces.
            what: Which faces these are, "labelled" or "all"; part of the cache's name.
            half: As in `teacher`.
        """
        name = f"answers-{what}-seed{seed}"
        if half is not None:
            name += f"-half{half}"
        return build_cache(
            self.teachers(half),
            faces,
            self.teacher_folder / name,
            seed=seed,
            n_views=self.regime.n_views,
            strength=self.regime.strength,
            device=self.device,
        )

    def errors_of_teachers(self) -> dict[str, np.ndarray]:
        """Each teacher's mean distance t from the labels, `(L, 2)` in network-crop widths."""
        return {
            which: self.zoom
            * np.abs(inference.predict(net, self.labelled) - self.hard).mean(axis=0)
            for which, net in self.teachers().nets.items()
        }

    @functools.cached_property
    def strength_of_teachers(self) -> dict[str, dict[str, float]]:
        """Each teacher's NME on the faces that it was trained on, and on other faces.

        A teacher that has memorised its faces has nothing to say about them.

        Returns:
            "tough" and "tolerant" to "seen" and "unseen" to a fraction.
        """
        return {
            which: {
                "seen": float(report.errors(net, self.labelled, self.hard).mean()),
                "unseen": float(report.errors(net, self.validation).mean()),
            }
            for which, net in self.teachers().nets.items()
        }

    # --- arms -------------------------------------------------------------------------------------

    def train_arm(self, arm: Arm, seed: int) -> tuple[models.LandmarkNet, dict]:
        """The network of an arm and the last entry of its log; found if it was trained before."""
        if arm.network != "student":
            net = self.teacher(arm.network)
            return net, net.card["log"]
        regime = self.regime
        if arm.teachers == "hints" and "heatmap" in (regime.head, regime.teacher_head):
            raise ValueError("hints are pooled features, which a network with heatmaps has not")
        faces = self.train if arm.faces == "all" else self.labelled
        targets = TARGETS[arm.targets](self)
        teachers = None
        if arm.teachers:
            teachers = STAND_INS[arm.teachers](self, seed, faces, arm.faces)
        n_hints = getattr(teachers, "n_hints", 0)
        net = self.network(regime.student, regime.size, seed, n_hints, regime.head)
        config = self.config(
            arm.loss,
            len(faces),
            round(regime.steps * arm.steps),
            seed=seed,
            scale=arm.scale,
            learning_rate=arm.learning_rate,
            n_views=regime.n_views,
        )
        path = self.student_folder / f"{arm.loss}-{_hash(arm)[:8]}-seed{seed}.safetensors"
        net, last = self.trained(path, net, faces, config, targets, teachers)
        if n_hints:
            net = models.without_last(net, n_hints)
        return net, last


def _hash(config, suffix=""):
    """A hexadecimal hash of a configuration and a text that follows it."""
    text = json.dumps(asdict(config), sort_keys=True) + suffix
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(regime, faces):
    """A name for what depends on a regime and a face set."""
    return f"{faces.name}-{_hash(regime, faces.fingerprint)[:10]}"
