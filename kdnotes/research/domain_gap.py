"""What in a rendered face makes a network fit for photographs?

    python -m kdnotes study domain-gap --photos FACE_SET

Students are trained on embedded faces alone, with some of their variety taken away, and measured on
photographs. Each arm has the same people, poses, steps and seeds.
"""

from pathlib import Path

import numpy as np

from kdnotes import metrics
from kdnotes.course import profiles, recipes
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.data.prepare import prepare_synthetic
from kdnotes.evaluation import report
from kdnotes.research.studies import collect

#: Arm to what its faces do not vary in.
ARMS = {
    "all variety": (),
    "one background": ("background",),
    "one light": ("light",),
    "perfect camera": ("camera",),
    "none of the three": ("background", "light", "camera"),
}


def run(photos: FaceSet, folder: Path, profile: str = "quick", seeds=(0, 1)) -> dict:
    """Trains and measures every arm; what was trained before is found again.

    Args:
        photos: The photographs; their test split is measured.
        folder: For face sets and networks.
        profile: Name of the students' profile.
        seeds: Of the trainings, the same for each arm.

    Returns:
        JSON values: the mean shape's NME on the photographs and a row per arm and seed.
    """
    chosen, test = profiles.get(profile), photos.split("test")
    rows = collect(_rows(chosen, test, folder, seeds))
    shape = recipes.mean_shape(recipes.Course(chosen, photos, folder))
    mean = np.broadcast_to(shape, test.landmarks.shape)
    return {
        "profile": profile,
        "photographs": report.about_data(photos),
        "mean_shape": float(metrics.nme(mean, test.landmarks, test.scheme).mean()),
        "hardware": hardware(),
        "rows": rows,
    }


def _rows(profile, photos, folder, seeds):
    """The row of each arm and seed, and its line of text."""
    for arm, without in ARMS.items():
        path = folder / arm.replace(" ", "-") / "faces"
        if not path.exists():
            prepare_synthetic(path, profile.n_faces, size=profile.stored_size, without=without)
        course = recipes.Course(profile, FaceSet.open(path), path.parent)
        own = course.split("test")
        for seed in seeds:
            net, _ = recipes.train_student(course, "l1", seed=seed)
            on_photos = float(report.errors(net, photos).mean())
            on_own = float(report.errors(net, own).mean())
            yield (
                {"arm": arm, "seed": seed, "photographs": on_photos, "own": on_own},
                f"{arm:20} seed {seed}: {on_photos:.2%} on photographs, "
                f"{on_own:.2%} on its own test faces",
            )
