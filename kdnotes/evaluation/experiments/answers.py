"""Who answers for the teachers, by name: (setting, seed, faces, which faces) to something that a
training takes for teachers."""

from collections.abc import Callable

import numpy as np
import torch

from kdnotes.stand_ins import Constant, Only, Shuffled, Softened, Together


def _both(setting, seed, faces, what):
    return setting.cache(seed, faces, what)


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
}
