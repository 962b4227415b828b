"""What is learnt in the landmarks' place: a setting to `(N, L, 2)` in stored-crop units."""

from collections.abc import Callable

import numpy as np

from kdnotes.models import inference
from kdnotes.research.experiments.arms import Arm


def _of_all(setting, pred):
    """Labels where there are any, `pred` `(N, L, 2)` for the other training faces."""
    targets = pred.copy()
    position = {row: i for i, row in enumerate(setting.train.rows)}
    targets[[position[row] for row in setting.labelled.rows]] = setting.hard
    return targets


def _taught(setting):
    return _of_all(setting, inference.predict(setting.teacher("tough"), setting.train))


def _trusted(setting):
    """The label, or the teacher's landmark where the two are far apart: three times as far as half
    of the faces' are, at that landmark."""
    teacher = inference.predict(setting.teacher("tough"), setting.labelled)
    apart = np.linalg.norm(setting.hard - teacher, axis=-1)  # (N, L)
    wrong = apart > 3 * np.median(apart, axis=0)
    return np.where(wrong[..., None], teacher, setting.hard)


def _own(setting):
    net, _ = setting.train_arm(Arm(), seed=2000)
    return _of_all(setting, inference.predict(net, setting.train))


TARGETS: dict[str, Callable[..., np.ndarray]] = {
    "hard": lambda setting: setting.hard,
    "tough's": lambda setting: inference.predict(setting.teacher("tough"), setting.labelled),
    "labels that tough's confirm, else tough's": _trusted,
    "labels, else tough's": _taught,
    "labels, else own": _own,
    "tough's everywhere": lambda setting: inference.predict(
        setting.teacher("tough"), setting.train
    ),
}
