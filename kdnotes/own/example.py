"""A folder of pictures to try: rendered leaves, of which everything is known.

It needs no download, and where the landmarks really are is known. So one can measure how good
labels, teacher and student are.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from kdnotes.data import schemes
from kdnotes.data.faceset import FaceSet
from kdnotes.own import leaves, steps
from kdnotes.own.labels import Label
from kdnotes.own.project import Project
from kdnotes.own.steps import Plan
from kdnotes.system.files import new_file, write_json

#: Number of pictures to learn from, and of pictures to be measured on.
LEARN, MEASURE = 120, 80

#: How far people click beside a landmark: the standard deviation of x and of y, as a share of the
#: side √(w·h) of the landmarks' box.
CLICK = 0.015

#: The teacher begins with the features of the shipped one that knows rendered faces: they are worth
#: something on leaves, too, where a training is this short.
BEGIN = {"start": "tough", "start_data": "synthetic"}

#: How large the networks of each profile are, and how long they learn.
PLANS = {
    "tiny": Plan("mobilenetv3_small_050", "mobilenetv3_small_050", 32, 32, 4, 4),
    "quick": Plan(
        teacher_size=64, student_size=64, teacher_steps=120, student_steps=200, learning_rate=2e-2,
        **BEGIN,
    ),
    "gpu": Plan(**BEGIN),
    "full": Plan(
        teacher_size=192, student_size=128, teacher_steps=1000, student_steps=2000, **BEGIN
    ),
}  # fmt: skip

#: Of the study of few labels, whose students learn until little is left to learn.
STUDY = Plan(teacher_size=96, student_size=64, teacher_steps=300, student_steps=600, **BEGIN)


def choose(profile: str) -> tuple[range, range]:
    """Numbers of the leaves to learn from and to be measured on, in a profile."""
    learn, measure = (12, 6) if profile == "tiny" else (LEARN, MEASURE)
    return range(learn), range(learn, learn + measure)


def write(
    images: Path, numbers: Iterable[int], *, progress: bool = True
) -> tuple[Project, Mapping[str, np.ndarray]]:
    """Renders leaves and makes a project of them.

    Args:
        images: The folder of the pictures.
        numbers: Of the leaves.
        progress: Show a bar.

    Returns:
        The project, with its scheme and without labels; file to the exact landmarks `(6, 2)` in
        pixels of the picture.
    """
    images.mkdir(parents=True, exist_ok=True)
    truth = {}
    for number in tqdm(numbers, "render", unit=" pictures", disable=not progress):
        picture, points = leaves.render(number)
        path = images / f"leaf-{number:03d}.png"
        with new_file(path) as part:
            Image.fromarray(picture).save(part, "PNG")
        truth[path.name] = points
    project = Project.of(images)
    if not project.scheme_file.exists():
        write_json(project.scheme_file, schemes.to_json(leaves.LEAF))
    return project, truth


def exact(project: Project, truth: Mapping[str, np.ndarray], plan: Plan) -> FaceSet:
    """The pictures of a project with exact landmarks, to be measured on."""
    known = {file: Label(p, np.zeros(len(p), bool)) for file, p in truth.items()}
    return steps.store(project, "exact", project.labels(), known, plan)


def clicked(points: np.ndarray, rng: np.random.Generator) -> Label:
    """The label of somebody who clicks about where the landmarks `(L, 2)` are."""
    side = np.sqrt(np.ptp(points, axis=0).prod())
    return Label(points + rng.normal(0, CLICK * side, points.shape), np.zeros(len(points), bool))


def label(
    project: Project, truth: Mapping[str, np.ndarray], files: list[str], seed: int = 0
) -> None:
    """Labels pictures of a project, as somebody would who clicks; those that have a label keep it.

    Args:
        project: The project.
        truth: File to exact landmarks.
        files: The pictures to label.
        seed: Of the clicks. A picture's clicks depend on this and its name alone.
    """
    labels = project.labels()
    for file in files:
        seen = labels.get(file)
        if not seen.placed.any():
            rng = np.random.default_rng([seed, *file.encode()])
            labels.save(file, clicked(truth[file], rng), seen)
