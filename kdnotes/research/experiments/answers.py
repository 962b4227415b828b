"""Who answers for the teachers in an arm.

A function in `STAND_INS` takes a setting, the student's seed, its training faces and which faces
these are ("labelled" or "all"). It returns something that a training accepts as teachers.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from sklearn.decomposition import PCA

from kdnotes import models
from kdnotes.data.faceset import FaceSet
from kdnotes.models import LandmarkNet
from kdnotes.research.stand_ins import (
    Combined,
    Constant,
    OnFaces,
    Only,
    Shuffled,
    Softened,
    Together,
)
from kdnotes.teachers import TeacherCache
from kdnotes.views import ViewConfig, sample_views, to_tensor, warp_images


def _both(setting, seed, faces, which):
    return setting.cache(seed, faces, which)


def _only(teacher, *request):
    """One teacher alone."""
    return Only(_both(*request), teacher)


class Hints(OnFaces):
    """Principal components of a teacher's pooled features, for each face and view.

    There are as many numbers as `n_hints` points have. They are scaled to vary as landmarks do.

    Args:
        teacher: The network whose features are used.
        faces: Training faces.
        seed, n_views, strength: Of the student's views.

    Attributes:
        MOST: Upper limit of `n_hints`.
        STRAY: Standard deviation of each number.
    """

    MOST = 32
    STRAY = 0.1

    def __init__(
        self, teacher: LandmarkNet, faces: FaceSet, *, seed: int, n_views: int, strength: float
    ):
        super().__init__(faces)
        self.fingerprints = {"hint": models.fingerprint(teacher)}
        size, device = teacher.config.size, teacher.mean.device
        zoom = faces.zoom(teacher.config.crop_margin)
        config = ViewConfig().on(faces.scheme)
        features = []
        for view in range(n_views):
            for chosen in np.array_split(np.arange(len(faces)), -(-len(faces) // 64)):
                views = sample_views(
                    faces.rows[chosen], view, seed=seed, strength=strength, config=config, zoom=zoom
                ).to(device)
                images = warp_images(to_tensor(faces.images[chosen], device), views, size)
                with torch.no_grad():
                    features.append(teacher.backbone((images - teacher.mean) / teacher.std))
        features = torch.cat(features).cpu().numpy()  # (K·N, C)
        self.n_hints = min(self.MOST, (min(features.shape) - 1) // 2)
        pca = PCA(2 * self.n_hints, whiten=True, svd_solver="randomized", random_state=0)
        hints = self.STRAY * pca.fit_transform(features)
        self.hints = hints.astype(np.float32).reshape(n_views, len(faces), self.n_hints, 2)

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        hints = self.hints[view_ids, self.position[rows]]
        return {"hint": torch.from_numpy(hints).to(crops.device)}


def _hints(setting, seed, faces, which):
    regime = setting.regime
    return Hints(
        setting.teacher("tough"), faces,
        seed=seed, n_views=regime.n_views, strength=regime.strength,
    )  # fmt: skip


class CrossFitted(Combined):
    """Teachers of which each face gets the answers of those that never saw its person.

    Args:
        caches: Answers of the teachers that were trained on the first half of the people, and of
            those that were trained on the second.
        half_of_row: 0 or 1 for each row of the whole face set.
    """

    def __init__(self, caches: list[TeacherCache], half_of_row: np.ndarray):
        super().__init__(*caches)
        self.half_of_row = half_of_row
        self.fingerprints = {
            name: "+".join(cache.fingerprints[name] for cache in caches)
            for name in caches[0].fingerprints
        }

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        first, second = (cache.answers(rows, view_ids, crops, views) for cache in self.parts)
        in_first = torch.as_tensor(self.half_of_row[rows] == 0, device=views.matrix.device)
        return {k: torch.where(in_first[:, None, None], second[k], first[k]) for k in first}


def _cross_fitted(setting, seed, faces, which):
    if which != "labelled":
        raise ValueError("cross-fitting is about labelled faces")
    half_of_row = np.zeros(int(faces.rows.max()) + 1, dtype=int)
    half_of_row[faces.rows] = setting.halves()
    return CrossFitted([setting.cache(seed, faces, which, half) for half in (0, 1)], half_of_row)


def _tough_and_soft(variance, setting, seed, faces, which):
    """The Tough teacher, and soft landmarks in place of the Tolerant one.

    Args:
        variance: Share of the shapes' variance that the soft landmarks keep; None: the regime's.
    """
    soft = Softened(faces, setting.soft(variance))
    return Together(_only("tough", setting, seed, faces, which), soft)


STAND_INS: dict[str, Callable] = {
    "both": _both,
    "tough": partial(_only, "tough"),
    "tolerant": partial(_only, "tolerant"),
    "shuffled": lambda setting, seed, faces, which: Shuffled(
        _both(setting, seed, faces, which), faces
    ),
    "constant": lambda setting, seed, faces, which: Constant(faces, setting.errors_of_teachers()),
    "tough and soft landmarks": partial(_tough_and_soft, None),
    "tough and softer landmarks": partial(_tough_and_soft, 0.80),
    "tough and harder landmarks": partial(_tough_and_soft, 0.97),
    "cross-fitted": _cross_fitted,
    "hints": _hints,
}
