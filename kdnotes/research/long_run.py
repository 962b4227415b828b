"""The long run: how the networks are trained that ship with the course.

    python -m kdnotes long-run student-kd --data FACE_SET           # some hours on one core
    python -m kdnotes long-run student-kd --data FACE_SET --ship    # and into `kdnotes.models.zoo`

Without a face set they are trained on the embedded faces.

Both students start with the same weights and see the same faces and views for as many steps; they
differ in the loss alone. The teachers have more channels and a larger input. All of them read their
landmarks off heatmaps (`kdnotes.models.heatmaps`).

Two things differ from the notebooks' short runs. The views are shifted and scaled farther, since a
face detector's box lies elsewhere than the landmarks' box. And the labels of photographs are
*centred*: if all of them lie too far to one side, mirrored views contradict them, and a network
learns the mean of both. So that shift is measured, subtracted from the labels for the training, and
added to the bias of the trained network. Labels of embedded faces are exact and not centred.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from kdnotes import models, teachers, training
from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.models import inference, zoo
from kdnotes.research import studies
from kdnotes.research.shipping import add, add_exported
from kdnotes.system import processes
from kdnotes.views import ViewConfig

#: Shifted and scaled farther than the notebooks' views, for the boxes of a detector.
WIDE = ViewConfig(shift=0.10, scale=0.16)


@dataclass(frozen=True)
class LongRun:
    """How one of the networks is trained.

    Attributes:
        epochs: Epochs of the training.
        loss: A name in `training.LOSSES`.
        size: Input side in pixels.
        start: Name of the network whose weights it starts with; "" for a new one.
        start_data: The face set that this network was trained on, and ships for; "": the same.
        targets: "hard" or "soft" landmarks.
        learning_rate: Peak of the one-cycle schedule.
        network: Backbone, a timm name.
        n_views: Number of different views of each face.
    """

    epochs: int
    loss: str = "l1"
    size: int = 96
    start: str = ""
    start_data: str = ""
    targets: str = "hard"
    learning_rate: float = 6e-3
    network: str = "mobilenetv2_050"
    n_views: int = 20


TEACHER = {"network": "mobilenetv2_100", "size": 128}
TOLERANT = {"start": "tough", "targets": "soft", "learning_rate": 2e-3}

#: What ships for photographs.
PHOTOGRAPHS = {
    "tough": LongRun(60, **TEACHER),
    "tolerant": LongRun(8, **TEACHER, **TOLERANT),
    "student-plain": LongRun(100),
    "student-kd": LongRun(100, loss="kd-paper"),
}
#: 300W has fewer faces: its networks start with those for `zoo.PHOTOGRAPHS`. Its pictures are
#: sharper, so that its teachers have more pixels.
ON_300W = TEACHER | {"size": 160}
STARTED = {"start_data": zoo.PHOTOGRAPHS, "learning_rate": 3e-3}
HAND_MADE = {
    "tough": LongRun(80, start="tough", **ON_300W, **STARTED),
    "tolerant": LongRun(12, **ON_300W, **TOLERANT),
    "student-plain": LongRun(180, start="student-plain", **STARTED),
    "student-kd": LongRun(180, loss="kd-paper", start="student-plain", **STARTED),
}
EMBEDDED = {
    "tough": LongRun(60, **TEACHER),
    "tolerant": LongRun(8, **TEACHER, **TOLERANT),
    "student-plain": LongRun(60),
    "student-kd": LongRun(60, loss="kd-paper"),
}
#: A short run on the labels as they are, which shows how far they are shifted.
FIRST = LongRun(5, size=64)


def train(course: recipes.Course, name: str) -> tuple[models.LandmarkNet, list[dict]]:
    """Trains the network of that name on centred labels.

    A run that is there is resumed, a finished one is read.

    Returns:
        The network, whose landmarks are centred too (see `shifted`), and its log.

    Raises:
        ValueError: No such network.
    """
    config, faces = plan(course, name), course.split("train")
    labels = faces.landmarks
    if config.targets == "soft":
        labels = recipes.soft_landmarks(course)[faces.rows]
    return _fit(course, name, config, labels - shift_of_labels(course), _start(course, config))


def plan(course: recipes.Course, name: str) -> LongRun:
    """How a network is trained on these faces.

    Raises:
        ValueError: No such network.
    """
    plans = HAND_MADE if course.faces.name == "300w" else PHOTOGRAPHS
    if course.faces.rendered:
        plans = EMBEDDED
    if name not in plans:
        raise ValueError(f"no long run is called {name!r}; there are {', '.join(plans)}")
    return plans[name]


def folder_of(course: recipes.Course, name: str) -> Path:
    """The folder of a long run."""
    return course.folder / "long-run" / name


def _start(course, config):
    """The network whose weights a long run starts with, or None."""
    if config.start_data:
        return _unshifted(zoo.load(config.start, config.start_data))
    return _centred(course, config.start) if config.start else None


def _centred(course, name):
    """The network of that name, its landmarks centred: one that ships, or one trained here."""
    shipped = {} if folder_of(course, name).exists() else zoo.shipped(course.faces)
    if name in shipped:
        return _unshifted(shipped[name])
    return train(course, name)[0]


def _unshifted(net):
    """A network that ships, its landmarks centred again."""
    zoom = net.card["data"]["stored_margin"] / net.config.crop_margin
    return shifted(net, np.array(net.card["labels_moved_by"]), zoom)


def shift_of_labels(course: recipes.Course) -> np.ndarray:
    """How far the training labels lie to the right of the true landmarks.

    It is their mean distance from the answers of a network that has also seen mirror images. A
    vertical shift is the same in the mirror image, so it cannot be measured. Rendered labels are
    exact: they are not measured, since the error of a short training would look like a shift.

    Returns:
        `(x, 0)` in stored-crop units.
    """
    if course.faces.rendered:
        return np.zeros(2)
    faces = course.split("train")
    net, _ = _fit(course, "first", FIRST, faces.landmarks)
    x = (faces.landmarks - inference.predict(net, faces))[..., 0].mean(dtype=np.float64)
    return np.array([x, 0.0])


def _fit(course, name, long_run, targets, start=None):
    config = training.TrainConfig(
        long_run.loss,
        long_run.epochs,
        learning_rate=long_run.learning_rate,
        n_views=long_run.n_views,
        view_config=WIDE,
        average=0.999,
    )
    return studies.train(
        course,
        long_run.network,
        long_run.size,
        config,
        folder_of(course, name),
        head="heatmap",
        start=start,
        targets=targets.astype(np.float32),
        teachers=_teacher_cache(course, config) if long_run.loss in training.SETTINGS else None,
    )


def _teacher_cache(course, config):
    """The teachers' landmarks, for every view that a student of the long run sees."""
    return teachers.build_cache(
        teachers.Teachers(_centred(course, "tough"), _centred(course, "tolerant")),
        course.split("train"),
        folder_of(course, "teacher-landmarks"),
        seed=config.seed,
        n_views=config.n_views,
        strength=config.strength,
        config=config.view_config,
        device=processes.state().device,
        progress=course.progress,
    )


@torch.no_grad()
def shifted(net: models.LandmarkNet, shift: np.ndarray, zoom: float) -> models.LandmarkNet:
    """Adds a shift to all landmarks of a network, in place.

    Args:
        net: The network; its bias is changed.
        shift: `(2,)` in stored-crop units.
        zoom: Network-crop units per stored-crop unit.

    Returns:
        The same network.
    """
    step = torch.as_tensor(shift * zoom, dtype=torch.float32, device=net.head.bias.device)
    net.head.bias += step.repeat(net.config.n_points)
    return net


def ship(course: recipes.Course, name: str) -> Path:
    """Puts the trained network into this checkout's `kdnotes.models.zoo`.

    The shift of the labels is added to its landmarks. Its card says where it comes from and how
    good it is. Test faces are read here, once.

    Returns:
        The file.

    Raises:
        ValueError: No such network.
    """
    config, (net, log), shift = plan(course, name), train(course, name), shift_of_labels(course)
    net = shifted(net, shift, course.zoom).cpu()
    meta = course.faces.meta
    source = "" if course.faces.rendered else "--data FACE_SET "
    card = {
        "name": name,
        "data": report.about_data(course.faces),
        "labels": meta.get("labels") or "see the data set",
        "split": meta["split_rule"],
        "command": f"python -m kdnotes long-run {name} {source}--ship",
        "how": asdict(config) | {"views": asdict(WIDE)},
        "seed": 0,
        "labels_moved_by": (-shift).tolist(),  # for the training, in stored-crop units
        "scores": _scores(course, net, soft=config.targets == "soft"),
        "curve": [round(entry["nme"], 5) for entry in log],
        "seconds": log[-1]["seconds"],
        "hardware": hardware(),
        "use": USE,
        "licence": licence(course.faces),
    }
    path = add(net, name, course.faces.name, card)
    if name == "student-kd":
        add_exported(name, course.faces)
    return path


def _scores(course, net, soft):
    """Scores of a network on each split, with `soft` also against the soft landmarks.

    Those of the training faces show how much of them is known by heart.
    """
    scores = {}
    for split in ("train", *report.SPLITS):
        faces = course.split(split)
        pred = inference.predict(net, faces)
        scores[split] = report.score(pred, faces)
        if soft:
            targets = recipes.soft_landmarks(course)[faces.rows]
            scores[f"{split}, against soft landmarks"] = report.score(pred, faces, targets)
    return scores


USE = (
    "Landmarks of faces for learning and for demonstrations. Not for recognising people, nor for "
    "judging them; not measured on faces of children, nor by skin tone where the data do not say "
    "it. On photographs unlike the training data expect larger errors than the scores."
)

#: What a data set's licence says when networks that were trained on it may be used for everything.
FREE = ("MIT", "CC BY 4.0", "CC0")


def licence(faces: FaceSet) -> str:
    """What a card says of the licence of weights that were trained on these faces."""
    if faces.rendered:
        return "The weights are MIT, like the code. The faces they were trained on are rendered."
    data = faces.meta.get("licence") or "not known"
    free = data.startswith(FREE)
    weights = "are MIT, like the code" if free else "are for research only"
    return f"The weights {weights}. Licence of the data they were trained on: {data}."
