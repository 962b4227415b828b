"""Who answers for the teachers, by name: (setting, seed, faces, which faces) to something that a
training takes for teachers."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.decomposition import PCA

from kdnotes import models
from kdnotes.data.faceset import FaceSet
from kdnotes.models import LandmarkNet
from kdnotes.research.stand_ins import Constant, OnFaces, Only, Shuffled, Softened, Together
from kdnotes.views import ViewConfig, sample_views, to_tensor, warp_images


def _both(setting, seed, faces, what):
    return setting.cache(seed, faces, what)


class Hints(OnFaces):
    """What a teacher's pooled features say of each face and view: their principal components, as
    many numbers as `n_hints` points have, scaled until they stray as far as landmarks do."""

    MOST = 32
    STRAY = 0.1

    def __init__(self, teacher: LandmarkNet, faces: FaceSet, *, seed, n_views, strength):
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
        found = self.hints[view_ids, self.position[rows]]
        return {"hint": torch.from_numpy(found).to(crops.device)}


def _hints(setting, seed, faces, what):
    regime = setting.regime
    return Hints(
        setting.teacher("tough"), faces,
        seed=seed, n_views=regime.n_views, strength=regime.strength,
    )  # fmt: skip


class CrossFitted:
    """Each face is answered for by teachers that never saw its person."""

    def __init__(self, caches, half_of_row: np.ndarray):
        self.caches, self.half_of_row = caches, half_of_row
        self.fingerprints = {
            name: "+".join(cache.fingerprints[name] for cache in caches)
            for name in caches[0].fingerprints
        }

    def check(self, expected: dict) -> None:
        for cache in self.caches:
            cache.check(expected)

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        first, second = (cache.answers(rows, view_ids, crops, views) for cache in self.caches)
        own = torch.as_tensor(self.half_of_row[rows] == 0, device=views.matrix.device)
        # a face of the first half is answered for by the teachers of the second
        return {k: torch.where(own[:, None, None], second[k], first[k]) for k in first}


def _cross_fitted(setting, seed, faces, what):
    if what != "labelled":
        raise ValueError("cross-fitting is about labelled faces")
    half_of_row = np.zeros(int(faces.rows.max()) + 1, dtype=int)
    half_of_row[faces.rows] = setting.halves()
    return CrossFitted([setting.cache(seed, faces, what, half) for half in (0, 1)], half_of_row)


def _tough_and_soft(variance=None):
    """The Tough teacher, and soft landmarks of that share of the variance for the Tolerant one."""

    def stand_in(setting, seed, faces, what):
        soft = Softened(faces, setting.soft(variance))
        return Together(Only(_both(setting, seed, faces, what), "tough"), soft)

    return stand_in


STAND_INS: dict[str, Callable] = {
    "both": _both,
    "tough": lambda *about: Only(_both(*about), "tough"),
    "tolerant": lambda *about: Only(_both(*about), "tolerant"),
    "shuffled": lambda setting, seed, faces, what: Shuffled(
        _both(setting, seed, faces, what), faces
    ),
    "constant": lambda setting, seed, faces, what: Constant(faces, setting.errors_of_teachers()),
    "tough and soft landmarks": _tough_and_soft(),
    "tough and softer landmarks": _tough_and_soft(0.80),
    "tough and harder landmarks": _tough_and_soft(0.97),
    "cross-fitted": _cross_fitted,
    "hints": _hints,
}
