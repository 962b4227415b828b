"""The course's own steps: each is one call that notebooks and command line share.

    course = recipes.open_course()                  # profile, faces, a folder for what is trained
    tough, log = recipes.train_teacher(course, "tough")
    student, log = recipes.train_student(course, "kd-paper")

What was trained once is found again: a notebook that needs the teachers of an earlier one calls the
same function and gets them at once, or trains them if it is the first to ask.
"""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from kdnotes import asm, models, training
from kdnotes.course import profiles, scenes
from kdnotes.course.profiles import Profile
from kdnotes.data import synthetic
from kdnotes.data.faceset import FaceSet
from kdnotes.data.prepare import prepare_synthetic
from kdnotes.models import zoo
from kdnotes.system import processes
from kdnotes.system.files import turn
from kdnotes.teachers import TeacherCache, Teachers, build_cache
from kdnotes.views import ViewConfig

#: Share of the shapes' variance that the Tolerant teacher's soft landmarks keep (the paper's 90 %).
SOFT_VARIANCE = 0.90

#: Peak of the learning rate of a teacher that begins with a trained network.
REFINING_RATE = 2e-3


def checkout() -> Path | None:
    """The copy of the repository that the working folder lies in, if it does."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "kdnotes" / "__init__.py").exists() and (folder / "notebooks").exists():
            return folder
    return None


def build_folder() -> Path:
    """Where everything generated goes: KDNOTES_BUILD, or `build/` of the checkout we are in."""
    if os.environ.get("KDNOTES_BUILD"):
        return Path(os.environ["KDNOTES_BUILD"])
    here = checkout()
    return here / "build" if here else Path.cwd() / "kdnotes-build"


@dataclass(frozen=True)
class Course:
    """One run of the course.

    Attributes:
        profile: Sizes, networks and epochs.
        faces: The whole face set.
        folder: Where trained networks, logs and caches of this profile and face set lie.
        progress: Show progress bars.
    """

    profile: Profile
    faces: FaceSet
    folder: Path
    progress: bool = True

    @property
    def zoom(self) -> float:
        """Network-crop units per stored-crop unit."""
        return self.faces.zoom()

    @property
    def view_config(self) -> ViewConfig:
        """How far views stray; where the scheme has no flip, without mirror images."""
        return ViewConfig().on(self.faces.scheme)

    def split(self, name: str) -> FaceSet:
        return self.faces.split(name)

    def showing(self, *needs: str) -> "Course":
        """This course where its faces have what a scene needs, else one with a few embedded faces.

        The second prints a sentence that says what is missing.

        Args:
            needs: Keys of `scenes.NEEDS`.
        """
        if not (missing := scenes.missing(self.faces, needs)):
            return self
        faces = embedded_faces(self.profile, scenes.N_FACES, progress=self.progress)
        print(scenes.sentence(missing, len(faces)))
        return open_course(self.profile.name, faces.path, progress=self.progress)


def open_course(
    profile: str | None = None, data: str | Path | None = None, *, progress: bool = True
) -> Course:
    """Profile and faces: those named, else KDNOTES_PROFILE and KDNOTES_DATA, else the defaults.

    Without a face set, or with "" for it, the embedded faces are used; they are rendered the first
    time.

    Raises:
        ValueError: Unknown profile, or a face set that is not whole or lacks a split.
    """
    chosen = profiles.get(profile) if profile else profiles.current()
    if data is None:
        data = os.environ.get("KDNOTES_DATA", "").strip()
    faces = FaceSet.open(data) if data else embedded_faces(chosen, progress=progress)
    for split in ("train", "validation", "test"):
        faces.split(split)
    name = f"{chosen.name}-{faces.name}-{faces.fingerprint[:8]}"
    return Course(chosen, faces, build_folder() / "runs" / name, progress)


def embedded_faces(
    profile: Profile, at_most: int | None = None, *, progress: bool = True
) -> FaceSet:
    """The rendered faces of a profile, or the first of them; from disk or made now."""
    n, size = profile.n_faces, profile.stored_size
    n = n if at_most is None else min(n, at_most)
    path = build_folder() / "faces" / f"embedded-v{synthetic.VERSION}-{n}-{size}px"
    if processes.state().is_main_process and not _rendered_at(path):
        with turn(path):
            if not _rendered_at(path):  # else another run has made them meanwhile
                prepare_synthetic(path, n, size=size, replace=path.exists(), progress=progress)
    processes.state().wait_for_everyone()
    return FaceSet.open(path)


def _rendered_at(path):
    """Whether embedded faces are there; a set of an earlier version does not say so of itself."""
    return path.exists() and FaceSet.open(path).rendered


def soft_landmarks(course: Course, variance: float = SOFT_VARIANCE) -> np.ndarray:
    """Soft landmarks `(N, L, 2)` of the whole face set, stored-crop units.

    The shape model is fitted on the training faces and their mirror images alone.
    """
    train = course.split("train")
    model = asm.fit_shapes(train.landmarks, train.scheme, variance=variance)
    return asm.soften(model, course.faces.landmarks)


def mean_shape(course: Course) -> np.ndarray:
    """Mean of the training shapes and their mirror images, `(L, 2)` in stored-crop units."""
    train = course.split("train")
    shapes = asm.with_mirror_images(train.landmarks, train.scheme)
    return shapes.mean(axis=0, dtype=np.float64).astype(np.float32)


def new_network(
    course: Course, name: str, size: int, seed: int = 0, *, head: str = "linear"
) -> models.LandmarkNet:
    """A new network, whose first answers lie near the mean shape of the training faces.

    Args:
        name: Backbone, a timm name.
        size: Input side in pixels.
        seed: Of its weights.
        head: A name in `models.building.HEADS`.
    """
    shape = mean_shape(course) * course.zoom
    with processes.fork_rng():
        torch.manual_seed(seed)
        return models.create(
            name,
            course.faces.scheme,
            mean_shape=shape,
            size=size,
            crop_margin=course.faces.crop_margin,
            head=head,
            box=course.faces.box,
        )


def fit(
    course: Course,
    net: models.LandmarkNet,
    config: training.TrainConfig,
    folder: Path,
    targets: np.ndarray | None = None,
    teachers: Teachers | TeacherCache | None = None,
    *,
    tensorboard: bool = False,
) -> list[dict]:
    """`training.fit` on a course's training faces, measured on its validation faces."""
    return training.fit(
        net,
        course.split("train"),
        config,
        targets=targets,
        teachers=teachers,
        validation=course.split("validation"),
        run=folder,
        tensorboard=tensorboard,
        progress=course.progress,
    )


def _train(course, net, config, run, *, targets=None, teachers=None, fresh, tensorboard):
    """Trains, resumes or finds the network of one run; its weights lie beside its log."""
    folder = course.folder / run
    with processes.first_one_in(turn(folder)):
        with processes.state().main_process_first():
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
        log = fit(course, net, config, folder, targets, teachers, tensorboard=tensorboard)
        if processes.state().is_main_process:
            card = {"profile": course.profile.name, "faces": course.faces.name, "log": log[-1]}
            models.save(net, folder / "network", card=card)
    return net, log


def config_of(
    profile: Profile, loss: str, epochs: int, *, paper_optimizer: bool = False, **options
) -> training.TrainConfig:
    """How a network of this profile is trained, in batches that the processes can share evenly."""
    config = training.TrainConfig(
        loss=loss,
        epochs=epochs,
        batch_size=profile.batch_size,
        learning_rate=profile.learning_rate,
        strength=profile.strength,
        **options,
    )
    if paper_optimizer:
        config = replace(config, **training.PAPER_OPTIMIZER)
    n = processes.state().num_processes
    return replace(config, batch_size=max(1, config.batch_size // n) * n)


def train_teacher(
    course: Course, which: str, *, fresh: bool = False, tensorboard: bool = False
) -> tuple[models.LandmarkNet, list[dict]]:
    """The "tough" teacher (L2 to the hard landmarks) or the "tolerant" one (L2 to the soft ones).

    Both begin with the same weights: those of the long run's Tough teacher, where one of this size
    ships for the faces and the profile asks for it, else random ones.

    Args:
        fresh: Train again, even if it was trained.
        tensorboard: Also write the log for TensorBoard.

    Returns:
        The frozen network and its log, one dict per epoch.
    """
    if which not in ("tough", "tolerant"):
        raise ValueError(f'a teacher is "tough" or "tolerant", found {which!r}')
    profile = course.profile
    net = shipped_teacher(course)
    if net:
        config = config_of(profile, "l2", profile.refining_epochs)
        config = replace(config, learning_rate=REFINING_RATE)
    else:
        net = new_network(course, profile.teacher, profile.teacher_size, head=profile.head)
        config = config_of(profile, "l2", profile.teacher_epochs)
    targets = None
    if which == "tolerant":
        targets = soft_landmarks(course)[course.split("train").rows]
    net, log = _train(
        course, net, config, which, targets=targets, fresh=fresh, tensorboard=tensorboard
    )
    return models.freeze(net), log


def shipped_teacher(course: Course) -> models.LandmarkNet | None:
    """The network that both teachers begin with, where the profile begins with one that ships."""
    if not course.profile.refining_epochs:
        return None
    net = zoo.shipped(course.faces).get("tough")
    asked = (course.profile.teacher, course.profile.teacher_size)
    return net if net and (net.config.name, net.config.size) == asked else None


def open_teachers(course: Course) -> Teachers:
    """Both teachers, trained now if need be."""
    nets = {which: train_teacher(course, which)[0] for which in ("tough", "tolerant")}
    return Teachers(**nets, crop_margin=course.faces.crop_margin)


def teacher_cache(course: Course, seed: int = 0, n_views: int | None = None) -> TeacherCache:
    """Both teachers' landmarks for every view that a student with this seed will see."""
    name = f"teacher-landmarks-seed{seed}" + (f"-views{n_views}" if n_views else "")
    return build_cache(
        open_teachers(course),
        course.split("train"),
        course.folder / name,
        seed=seed,
        n_views=n_views or course.profile.n_views,
        strength=course.profile.strength,
        device=processes.state().device,
        progress=course.progress,
    )


def train_student(
    course: Course,
    loss: str,
    *,
    seed: int = 0,
    n_views: int | None = None,
    scale: float = 1.0,
    paper_optimizer: bool = False,
    compile: bool = False,
    fresh: bool = False,
    tensorboard: bool = False,
) -> tuple[models.LandmarkNet, list[dict]]:
    """A student with a plain loss such as "l1", or with both teachers, as in "kd-paper".

    Whatever the loss: same network, same start, same faces in the same views, same steps.

    Args:
        loss: A name in `training.LOSSES`.
        seed: Of start, order and views.
        n_views: Another number of views than the profile's; 0: new ones every epoch, and teachers
            that are asked at every step.
        scale: Factor of the loss, to compare losses of one gradient scale.
        paper_optimizer: Train with `training.PAPER_OPTIMIZER`.
        compile: Let `torch.compile` make kernels first.
        fresh: Train again, even if it was trained.
        tensorboard: Also write the log for TensorBoard.

    Returns:
        The network and its log, one dict per epoch.
    """
    profile = course.profile
    net = new_network(course, profile.student, profile.student_size, seed, head=profile.head)
    config = config_of(
        profile,
        loss,
        profile.student_epochs,
        paper_optimizer=paper_optimizer,
        n_views=profile.n_views if n_views is None else n_views,
        seed=seed,
        scale=scale,
        compile=compile,
    )
    options = {"scale": scale, "paper_optimizer": paper_optimizer, "compile": compile}
    run = student_run(loss, seed, n_views, **options)
    known = None
    if loss in training.TAUGHT:
        known = teacher_cache(course, seed, n_views) if config.n_views else open_teachers(course)
    return _train(course, net, config, run, teachers=known, fresh=fresh, tensorboard=tensorboard)


def first_student(course: Course) -> tuple[models.LandmarkNet, str]:
    """A student to look at before the course has come to training one, and what it is in words.

    The KD student if it is there; else a plain one, trained for a quarter of the usual epochs.
    """
    trained = course.folder / student_run("kd-paper") / "network.safetensors"
    if trained.exists():
        return models.load(trained), "the KD student of notebook 04"
    profile = course.profile
    net = new_network(course, profile.student, profile.student_size, head=profile.head)
    config = config_of(profile, "l1", max(1, profile.student_epochs // 4))
    net, _ = _train(course, net, config, "first-student", fresh=False, tensorboard=False)
    return net, f"a plain student after {config.epochs} of {profile.student_epochs} epochs"


def student_run(
    loss: str,
    seed: int = 0,
    n_views: int | None = None,
    *,
    scale: float = 1.0,
    paper_optimizer: bool = False,
    compile: bool = False,
) -> str:
    """Name of a student's folder in `course.folder`."""
    name = f"student-{loss}-seed{seed}"
    if n_views is not None:
        name += f"-views{n_views}"
    if scale != 1:
        name += f"-times{scale:.4g}"
    if paper_optimizer:
        name += "-paper-optimizer"
    if compile:
        name += "-compiled"
    return name
