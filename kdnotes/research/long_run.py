"""The long run: how the networks are trained that ship with the course.

    python -m kdnotes long-run student-kd --data FACE_SET           # some hours on one core
    python -m kdnotes long-run student-kd --data FACE_SET --ship    # and into `kdnotes.models.zoo`

Without a face set they are trained on the embedded faces.

They go on from one base network, trained with a plain loss: what it has learnt need not be learnt
again. (One that ships is taken where there is one.) Both students see the same faces and views for
as many steps, and differ in the loss alone. The teachers have a larger input.

Two things differ from the notebooks' short runs. The views are shifted and scaled farther, since a
face detector's box lies elsewhere than the landmarks' box. And the labels of photographs are
*centred*: if they lie to one side of what they mean, mirrored views contradict them, and a network
learns the middle of both. So that side is measured, taken from the labels for the training, and put
back into the bias of the trained network. (Labels of embedded faces are exact: nothing to centre.)
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from kdnotes import models, teachers, training
from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.evaluation import report
from kdnotes.models import inference, zoo
from kdnotes.research.shipping import add, add_exported
from kdnotes.system import processes
from kdnotes.views import ViewConfig

#: Shifted and scaled farther than the notebooks' views, for the boxes of a detector.
WIDE = ViewConfig(shift=0.10, scale=0.16)


@dataclass(frozen=True)
class LongRun:
    """How one of the networks is trained.

    Attributes:
        epochs: Of the training.
        loss: A name in `training.LOSSES`.
        size: Input side in pixels.
        start: The network whose weights it starts with; "" for a new one.
        targets: "hard" or "soft" landmarks.
        learning_rate: Peak of the one-cycle schedule.
        network: Backbone, a timm name.
        n_views: Number of different views of each face.
    """

    epochs: int
    loss: str = "l1"
    size: int = 96
    start: str = ""
    targets: str = "hard"
    learning_rate: float = 6e-3
    network: str = "mobilenetv2_100"
    n_views: int = 20


#: What ships for photographs, and "base", which all of them start from, with a smaller input that
#: makes its many epochs affordable. The students differ in the loss alone.
FROM_BASE = {"start": "base", "learning_rate": 3e-3}
PHOTOGRAPHS = {
    "base": LongRun(100),
    "tough": LongRun(20, size=128, **FROM_BASE),
    "tolerant": LongRun(8, size=128, start="tough", targets="soft", learning_rate=2e-3),
    "student-plain": LongRun(80, size=112, **FROM_BASE),
    "student-kd": LongRun(80, loss="kd-paper", size=112, **FROM_BASE),
}
#: The same for embedded faces: the networks of the profile `quick`, so that a reader's own short
#: run can be laid beside it. The teachers are another network than the students, and begin anew.
SMALL = {"network": "mobilenetv2_050", "size": 64}
EMBEDDED = {
    "base": LongRun(100, **SMALL),
    "tough": LongRun(60, size=80),
    "tolerant": LongRun(12, size=80, start="tough", targets="soft", learning_rate=2e-3),
    "student-plain": LongRun(30, n_views=10, **FROM_BASE, **SMALL),
    "student-kd": LongRun(30, loss="kd-paper", n_views=10, **FROM_BASE, **SMALL),
}
#: A short one on the labels as they are, which shows to which side they lie.
FIRST = LongRun(5, size=64, network="mobilenetv2_050")


def train(course: recipes.Course, name: str) -> tuple[models.LandmarkNet, list[dict]]:
    """The network of that name, trained on centred labels: now, or found, or gone on with.

    Returns:
        The network, whose landmarks are centred too (see `shifted`), and its log.

    Raises:
        ValueError: No such network.
    """
    how, faces = plan(course, name), course.split("train")
    labels = faces.landmarks
    if how.targets == "soft":
        labels = recipes.soft_landmarks(course)[faces.rows]
    start = _known(course, how.start) if how.start else None
    return _fit(course, name, how, labels - shift_of_labels(course), start)


def plan(course: recipes.Course, name: str) -> LongRun:
    """How a network is trained on these faces.

    Raises:
        ValueError: No such network.
    """
    plans = EMBEDDED if course.faces.rendered else PHOTOGRAPHS
    if name not in plans:
        raise ValueError(f"no long run is called {name!r}; there are {', '.join(plans)}")
    return plans[name]


def folder_of(course: recipes.Course, name: str) -> Path:
    """Where a long run lies."""
    return course.folder / "long-run" / name


def _known(course, name):
    """The network of that name, its landmarks centred: one that ships, or one trained here."""
    ready = {} if folder_of(course, name).exists() else zoo.shipped(course.faces)
    if name in ready:
        net = ready[name]
        return shifted(net, np.array(net.card["labels_moved_by"]), course.zoom)
    return train(course, name)[0]


def shift_of_labels(course: recipes.Course) -> np.ndarray:
    """How far the training labels lie to the right of what they mean, `(x, 0)` in stored-crop
    units: the mean distance from a network that has also seen the mirror images. (Downwards the
    mirror image says nothing, and a network learns whatever the labels say.) Rendered labels lie
    where they should; a short training's own error would be taken for a side of theirs."""
    if course.faces.rendered:
        return np.zeros(2)
    faces = course.split("train")
    net, _ = _fit(course, "first", FIRST, faces.landmarks)
    x = (faces.landmarks - inference.predict(net, faces))[..., 0].mean(dtype=np.float64)
    return np.array([x, 0.0])


def _fit(course, name, how, targets, start=None):
    net = recipes.new_network(course, how.network, how.size)
    if start is not None:
        net.load_state_dict(start.state_dict())
    config = training.TrainConfig(
        how.loss,
        how.epochs,
        learning_rate=how.learning_rate,
        n_views=how.n_views,
        view_config=WIDE,
        average=0.999,
    )
    log = training.fit(
        net,
        course.split("train"),
        config,
        targets=targets.astype(np.float32),
        teachers=_answers(course, config) if how.loss in training.SETTINGS else None,
        validation=course.split("validation"),
        run=folder_of(course, name),
        progress=course.progress,
    )
    return net, log


def _answers(course, config):
    """The teachers' landmarks, for every view that a student of the long run sees."""
    both = teachers.Teachers(**{which: _known(course, which) for which in ("tough", "tolerant")})
    return teachers.build_cache(
        both,
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
    """The network with `shift` (stored-crop units) added to all its landmarks, in its bias."""
    step = torch.as_tensor(shift * zoom, dtype=torch.float32, device=net.head.bias.device)
    net.head.bias += step.repeat(net.config.n_points)
    return net


def ship(course: recipes.Course, name: str) -> Path:
    """Puts the trained network into this checkout's `kdnotes.models.zoo`.

    The side of its labels is put back into it. Its card says where it comes from and what it
    reaches. Test faces are read here, once.

    Returns:
        The file.
    """
    how, (net, log), shift = plan(course, name), train(course, name), shift_of_labels(course)
    net = shifted(net, shift, course.zoom).cpu()
    meta, data = course.faces.meta, course.faces.name
    source = "" if course.faces.rendered else "--data FACE_SET "
    soft = recipes.soft_landmarks(course)
    scores = {}
    for split in report.SPLITS:
        faces = course.split(split)
        pred = inference.predict(net, faces)
        scores[split] = report.score(pred, faces)
        if how.targets == "soft":
            scores[f"{split}, against soft landmarks"] = report.score(pred, faces, soft[faces.rows])
    about = report.about_data(course.faces)
    card = {
        "name": name,
        "data": about,
        "labels": meta.get("labels") or "see the data set",
        "split": meta["split_rule"],
        "command": f"python -m kdnotes long-run {name} {source}--ship",
        "how": asdict(how) | {"views": asdict(WIDE)},
        "seed": 0,
        "labels_moved_by": (-shift).tolist(),  # for the training, in stored-crop units
        "scores": scores,
        "curve": [round(entry["nme"], 5) for entry in log],
        "seconds": log[-1]["seconds"],
        "hardware": hardware(),
        "use": USE,
        "licence": LICENCE.format(data=meta.get("licence") or "see the data set"),
    }
    path = add(net, name, data, card)
    if name == "student-kd":
        add_exported(name, course.faces)
    return path


USE = (
    "Landmarks of faces for learning and for demonstrations. Not for recognising people, nor for "
    "judging them; not measured on faces of children, nor by skin tone where the data do not say "
    "it. On photographs unlike the training data expect larger errors than the scores."
)
LICENCE = "The weights are MIT, like the code. Data they were trained on: {data}."
