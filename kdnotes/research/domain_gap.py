"""What in a rendered face makes a network fit for photographs?

    python -m kdnotes study domain-gap --photos FACE_SET

Students are trained on embedded faces alone, with some of their variety taken away, and measured on
photographs that none of them has seen. Each arm has the same people and poses, steps and seeds.
"""

from pathlib import Path

import numpy as np

from kdnotes import metrics
from kdnotes.course import profiles, recipes
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.data.prepare import prepare_synthetic
from kdnotes.evaluation import report
from kdnotes.models import inference

ARMS = {
    "all variety": (),
    "one background": ("background",),
    "one light": ("light",),
    "perfect camera": ("camera",),
    "none of the three": ("background", "light", "camera"),
}


def run(photos: FaceSet, folder: Path, profile: str = "quick", seeds=(0, 1)) -> dict:
    """Trains and measures every arm; what was done before is found again.

    Args:
        photos: The photographs; their test split is measured.
        folder: Where face sets and networks go.
        profile: Of the students.
        seeds: Of the trainings, the same for each arm.

    Returns:
        JSON values: the mean shape's NME on the photographs and a row per arm and seed.
    """
    chosen, test, rows = profiles.get(profile), photos.split("test"), []
    for arm, without in ARMS.items():
        path = folder / arm.replace(" ", "-") / "faces"
        if not path.exists():
            prepare_synthetic(path, chosen.n_faces, size=chosen.stored_size, without=without)
        course = recipes.Course(chosen, FaceSet.open(path), path.parent)
        own = course.split("test")
        for seed in seeds:
            net, _ = recipes.train_student(course, "l1", seed=seed)
            nme = {
                where: float(
                    metrics.nme(inference.predict(net, faces), faces.landmarks, faces.scheme).mean()
                )
                for where, faces in (("photographs", test), ("own", own))
            }
            rows.append({"arm": arm, "seed": seed, **nme})
            print(
                f"{arm:20} seed {seed}: {nme['photographs']:.2%} on photographs, "
                f"{nme['own']:.2%} on its own test faces",
                flush=True,
            )
    shape = recipes.mean_shape(recipes.Course(chosen, photos, folder))
    mean = np.broadcast_to(shape, test.landmarks.shape)
    return {
        "profile": profile,
        "photographs": report.about_data(photos),
        "mean_shape": float(metrics.nme(mean, test.landmarks, test.scheme).mean()),
        "hardware": hardware(),
        "rows": rows,
    }
