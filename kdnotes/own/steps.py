"""From a few labelled pictures to a small network: teach, propose, distil.

Each step is found again when it has been done, and an interrupted one goes on. What it used stands
in the card of its network.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from kdnotes import metrics, models, training
from kdnotes.data import crops
from kdnotes.data.crops import BadSample, Sample
from kdnotes.data.faceset import FaceSet
from kdnotes.data.pictures import PictureError
from kdnotes.models import zoo
from kdnotes.own.labels import Label, Labels
from kdnotes.own.looks import Seen, look_around
from kdnotes.own.project import Project, check_scheme
from kdnotes.system import processes
from kdnotes.system.files import json_text, turn
from kdnotes.views import ViewConfig

#: Steps between two saves of a training: an epoch of few pictures is a step or two.
SAVED = 50
#: Columns of the proposals: how far the teacher's looks lie apart, and which teacher it was.
SPREAD, TEACHER = "spread", "teacher"
#: Fewer labelled pictures than this teach nobody.
LEAST = 3


@dataclass(frozen=True)
class Plan:
    """How large the networks are and how long they learn: minutes on two cores.

    Attributes:
        teacher, student: Backbones, timm names.
        teacher_size, student_size: Input sides in pixels.
        teacher_steps, student_steps: Lengths of the trainings.
        batch_size: Pictures per step, at most.
        learning_rate: Peak of the schedule.
        strength: Of the views, as in `training.TrainConfig`.
        start: Network whose backbone the teacher begins with: the name of one that ships, or a
            file. "": a new one.
        start_data: The face set that a network that ships was trained on.
        seed: Of weights, order and views.
    """

    teacher: str = "mobilenetv2_100"
    student: str = "mobilenetv2_050"
    teacher_size: int = 128
    student_size: int = 96
    teacher_steps: int = 400
    student_steps: int = 700
    batch_size: int = 16
    learning_rate: float = 1.5e-2
    strength: float = 1.0
    start: str = ""
    start_data: str = zoo.PHOTOGRAPHS
    seed: int = 0


def teach(project: Project, plan: Plan = Plan(), *, progress: bool = True) -> models.LandmarkNet:
    """Trains the teacher on the pictures that people have labelled.

    Raises:
        ValueError: Fewer than three pictures are labelled to the end, or the network to begin with
            has another backbone.
    """
    labels = project.labels()
    read, complete = labels.read(), labels.complete()
    if len(complete) < LEAST:
        raise ValueError(
            f"{len(complete)} pictures have all of their landmarks; a teacher needs {LEAST} or more"
        )
    faces = store(project, "labelled", labels, {name: read[name] for name in complete}, plan)
    return _train(
        project, "teacher", faces, plan.teacher, plan.teacher_size, plan.teacher_steps, plan,
        made_of={"labelled": complete}, progress=progress,
    )  # fmt: skip


def add(project: Project, table: Path) -> tuple[int, int]:
    """Takes in the labels of another table. A picture that has a label keeps it.

    Returns:
        How many pictures were added, and how many were kept as they were.

    Raises:
        FileNotFoundError: No such table.
        ValueError: A table of another scheme.
    """
    if not table.exists():
        raise FileNotFoundError(f"no table at {table}")
    others = Labels(table, project.images, project.scheme()).read()
    added = project.labels().add(others)
    return added, len(others) - added


def guesser(teacher: models.LandmarkNet) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """What the labelling figure asks of a picture: the teacher's landmarks, and which are unsure.

    Unsure are those whose looks lie farther apart than twice the median of the picture's.
    """

    def guess(image):
        seen = look_around(teacher, image)
        return seen.points, seen.spread > 2 * np.median(seen.spread)

    return guess


def order(project: Project) -> list[str]:
    """The pictures, those without labels first, the ones that the teacher is least sure of ahead.

    A picture for which nothing is proposed comes after them.
    """
    labels = project.labels()
    done, spread = set(labels.complete()), project.proposals().column(SPREAD)
    return sorted(labels.files, key=lambda f: (f in done, -float(spread.get(f) or -1)))


def propose(
    project: Project, teacher: models.LandmarkNet, *, progress: bool = True
) -> Mapping[str, Seen]:
    """Lets the teacher label the pictures that nobody has labelled, and stores it as a table.

    Returns:
        File to what the teacher saw: landmarks, and how far its looks lie apart.
    """
    check_scheme(project, teacher)
    labels, seen = project.labels(), {}
    done = set(labels.complete())
    for file in tqdm([f for f in labels.files if f not in done], "propose", disable=not progress):
        try:
            seen[file] = look_around(teacher, labels.picture(file))
        except PictureError as error:
            print(f"left out: {error}")
    nothing = np.zeros(labels.scheme.n_points, bool)
    project.proposals().replace(
        {file: Label(s.points, nothing) for file, s in seen.items()},
        {
            SPREAD: {file: f"{s.spread.mean():.4f}" for file, s in seen.items()},
            TEACHER: dict.fromkeys(seen, models.fingerprint(teacher)[:8]),
        },
    )
    return seen


def outdated(project: Project) -> bool:
    """Whether an earlier teacher has made the proposals than the one that is there now."""
    made_by = set(project.proposals().column(TEACHER).values()) - {""}  # made by hand
    if not made_by or not project.network("teacher").exists():
        return False
    return bool(made_by - {models.fingerprint(project.teacher())[:8]})


def checked(project: Project) -> tuple[float, int]:
    """How far the proposals lie from what somebody has placed since on the same pictures.

    Returns:
        The mean error, a share of the scheme's distance, NaN where there is no such picture; and
        the number of pictures.
    """
    labels, proposals = project.labels(), project.proposals().read()
    read = labels.read()
    both = [file for file in labels.complete() if file in proposals]
    if not both:
        return math.nan, 0
    told, placed = (np.stack([table[file].points for file in both]) for table in (proposals, read))
    return float(metrics.nme(told, placed, labels.scheme).mean()), len(both)


def distil(
    project: Project,
    seen: Mapping[str, Seen] | None = None,
    plan: Plan = Plan(),
    *,
    name: str = "student",
    progress: bool = True,
) -> models.LandmarkNet:
    """Trains the student on people's labels and on the teacher's proposals.

    Args:
        seen: What is taken of the proposals; None: all of them; an empty one: none, for a student
            to compare with.
        name: Of the network's file.
    """
    labels, proposals = project.labels(), project.proposals()
    read, complete = labels.read(), labels.complete()
    usable = set(labels.files) - set(complete)
    if seen is not None:
        usable &= set(seen)
    proposed = {file: p for file, p in proposals.read().items() if file in usable}
    told = {file: _corrected(p, read.get(file)) for file, p in proposed.items()}
    told |= {file: read[file] for file in complete}
    faces = store(project, f"of-{name}", labels, told, plan)
    return _train(
        project, name, faces, plan.student, plan.student_size, plan.student_steps, plan,
        made_of={"labelled": complete, "proposed": sorted(proposed)}, progress=progress,
    )  # fmt: skip


def _corrected(proposal: Label, label: Label | None) -> Label:
    """What the teacher proposes, with what somebody has placed in its stead."""
    if label is None:
        return proposal
    return Label(np.where(label.placed[:, None], label.points, proposal.points), label.hidden)


def store(
    project: Project, name: str, labels: Labels, told: Mapping[str, Label], plan: Plan
) -> FaceSet:
    """The pictures with the landmarks that are told of them, as a face set of one split.

    A picture that does not open is left out, with a message.
    """
    side = max(plan.teacher_size, plan.student_size)
    path = project.folder / "faces" / name
    with turn(path):
        return FaceSet.write(
            path,
            list(_samples(labels, told)),
            scheme=labels.scheme,
            size=math.ceil(side * 1.1 * crops.PICTURE_STORED_MARGIN),
            box="picture",
            name=project.images.name,
            source=f"the pictures of {project.images.name}",
            progress=False,
            replace=path.exists(),
            max_bad=1.0,
            extra={"labels": name},
        )


def _samples(labels, told) -> Iterator:
    def sample(file, label):
        try:
            image = labels.picture(file)
        except PictureError as error:
            return BadSample(file, error.fault)
        return Sample(image, label.points, ~label.hidden, id=file, split="train")

    for file in labels.files:
        if file in told:
            yield lambda file=file: sample(file, told[file])


def _train(project, name, faces, backbone, size, steps, plan, *, made_of, progress):
    """Trains, resumes or finds a network of the project."""
    batch = min(plan.batch_size, len(faces))
    config = training.TrainConfig(
        seed=plan.seed,
        loss="l1",
        epochs=max(1, round(steps / (len(faces) // batch))),
        batch_size=batch,
        learning_rate=plan.learning_rate,
        strength=plan.strength,
        view_config=ViewConfig().on(faces.scheme),
        average=0.98,
    )
    with processes.fork_rng():
        torch.manual_seed(plan.seed)
        net = models.create(
            backbone, faces.scheme, size=size, crop_margin=faces.crop_margin, head="heatmap",
            box=faces.box,
        )  # fmt: skip
    made_by = json_text(asdict(plan))
    if plan.start and name == "teacher":
        known = models.load(zoo.find(plan.start, plan.start_data))
        models.begin_with(net, known)
        made_by += models.fingerprint(known)
    digest = hashlib.sha256(made_by.encode()).hexdigest()
    run = project.folder / "runs" / f"{faces.fingerprint[:8]}-{digest[:8]}" / name
    save_every = max(1, SAVED // (len(faces) // batch))
    log = training.fit(net, faces, config, run=run, progress=progress, save_every=save_every)
    card = {"name": f"{name} of {project.images.name}", "log": log[-1], "plan": asdict(plan)}
    models.save(net, project.network(name).with_suffix(""), card=card | made_of)
    return models.freeze(net)
