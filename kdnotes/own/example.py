"""A folder of pictures to try: rendered heads whose hairline and ears are to be found.

It needs no download, the landmarks are no subset of any face scheme, and where they really are is
known. So one can measure how good labels, teacher and student are.
"""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from kdnotes.data import schemes, synthetic
from kdnotes.data.faceset import FaceSet
from kdnotes.data.synthetic import PER_SUBJECT
from kdnotes.data.synthetic.other_points import HAIRLINE_AND_EARS, hairline_and_ears
from kdnotes.own import steps
from kdnotes.own.labels import Label
from kdnotes.own.steps import Plan, Project
from kdnotes.system.files import new_file, write_json

#: Side in pixels of what is rendered. A picture is a square in it, `AROUND` times as large as the
#: landmarks' box, whose middle strays from the box's by up to `STRAY` of its side.
SIDE, AROUND, STRAY = 280, (1.5, 2.0), 0.1

#: The pictures come from one studio: this variety of the rendered world is left out.
STUDIO = ("camera", "light", "background")

#: How far people click beside a landmark: the standard deviation of x and of y, as a share of the
#: side √(w·h) of the landmarks' box.
CLICK = 0.01

#: Number of pictures to learn from, and of pictures to be measured on.
LEARN, MEASURE = 120, 80

#: What hides ears or hairline is left out: these heads of hair, and faces turned farther than this,
#: in degrees.
HIDING, TURNED = ("long", "scarf", "cap"), 25.0

#: How long the networks of each profile learn. The teacher begins with the shipped one that knows
#: rendered faces.
PLANS = {
    "tiny": Plan("mobilenetv3_small_050", "mobilenetv3_small_050", 32, 32, 4, 4),
    "quick": Plan(
        teacher_size=64, student_size=64, teacher_steps=120, student_steps=200, start="tough",
        start_data="synthetic",
    ),
    "gpu": Plan(start="tough", start_data="synthetic"),
    "full": Plan(
        teacher_size=192, student_size=128, teacher_steps=1000, student_steps=2000, start="tough",
        start_data="synthetic",
    ),
}  # fmt: skip


def choose(profile: str) -> tuple[list[int], list[int]]:
    """Which rendered faces to learn from and to be measured on in a profile, one of each person."""
    learn, measure = (12, 6) if profile == "tiny" else (LEARN, MEASURE)
    chosen = itertools.islice(filter(_shows_all, itertools.count(0, PER_SUBJECT)), learn + measure)
    chosen = list(chosen)
    return chosen[:learn], chosen[learn:]


def _shows_all(index):
    person, shot = synthetic.shown(index, 0)
    turned = abs(shot.camera.yaw) > TURNED
    return person.hair_style not in HIDING and shot.occluder == "none" and not turned


def write(
    images: Path, faces: Iterable[int], *, progress: bool = True
) -> tuple[Project, Mapping[str, np.ndarray]]:
    """Renders faces, unless they are there, and makes a project of them.

    Args:
        images: The folder of the pictures.
        faces: Numbers of rendered faces.
        progress: Show a bar.

    Returns:
        The project, with its scheme and without labels; file to the exact landmarks `(9, 2)` in
        pixels of the picture.
    """
    images.mkdir(parents=True, exist_ok=True)
    truth = {}
    for index in tqdm(faces, "render", unit=" pictures", disable=not progress):
        path, points = images / f"head-{index:04d}.jpg", (hairline_and_ears(index) + 0.5) * SIDE
        left, top, side = _window(index, points)
        if not path.exists():
            image = Image.fromarray(synthetic.render_face(index, SIDE, without=STUDIO)[0])
            with new_file(path) as part:
                image.crop((left, top, left + side, top + side)).save(part, "JPEG", quality=92)
        truth[path.name] = points - [left, top] - 0.5
    project = Project.of(images)
    if not project.scheme_file.exists():
        write_json(project.scheme_file, schemes.to_json(HAIRLINE_AND_EARS))
    return project, truth


def _window(index, points):
    """Left, top and side of a picture, in whole pixels within what is rendered."""
    rng, (low, high) = np.random.default_rng([index]), (points.min(axis=0), points.max(axis=0))
    side = round(min((high - low).max() * rng.uniform(*AROUND), SIDE))
    corner = (low + high) / 2 + rng.uniform(-STRAY, STRAY, 2) * side - side / 2
    left, top = np.clip(corner.round().astype(int), 0, SIDE - side)
    return int(left), int(top), side


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
