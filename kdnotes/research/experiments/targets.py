"""What an arm learns: functions from a setting to landmarks `(N, L, 2)` in stored-crop units."""

from collections.abc import Callable

import numpy as np

from kdnotes.models import inference
from kdnotes.research.experiments.arms import Arm


def _labels_else(setting, pred):
    """Labels where there are any, `pred` `(N, L, 2)` for the other training faces."""
    targets = pred.copy()
    targets[np.isin(setting.train.rows, setting.labelled.rows)] = setting.hard
    return targets


def _labels_else_teacher(setting):
    return _labels_else(setting, inference.predict(setting.teacher("tough"), setting.train))


def _confirmed_labels(setting):
    """Labels, and the teacher's landmarks in place of those that lie far from them.

    Far means three times the median distance of that landmark.
    """
    teacher = inference.predict(setting.teacher("tough"), setting.labelled)
    apart = np.linalg.norm(setting.hard - teacher, axis=-1)  # (N, L)
    wrong = apart > 3 * np.median(apart, axis=0)
    return np.where(wrong[..., None], teacher, setting.hard)


def _labels_else_own(setting):
    net, _ = setting.train_arm(Arm(), seed=2000)
    return _labels_else(setting, inference.predict(net, setting.train))


TARGETS: dict[str, Callable[..., np.ndarray]] = {
    "hard": lambda setting: setting.hard,
    "tough's": lambda setting: inference.predict(setting.teacher("tough"), setting.labelled),
    "labels that tough's confirm, else tough's": _confirmed_labels,
    "labels, else tough's": _labels_else_teacher,
    "labels, else own": _labels_else_own,
    "tough's everywhere": lambda setting: inference.predict(
        setting.teacher("tough"), setting.train
    ),
}
