"""What the studies share: how a network is trained and found again, and how rows are collected.

A study is a question with a few trainings for an answer, such as `domain_gap`, `teacher_search` and
`view_count`. Their results are in `kdnotes/results/`.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kdnotes import models, training
from kdnotes.course import recipes


def train(
    course: recipes.Course,
    network: str,
    size: int,
    config: training.TrainConfig,
    folder: Path,
    *,
    head: str = "linear",
    start: models.LandmarkNet | None = None,
    targets: np.ndarray | None = None,
    teachers=None,
) -> tuple[models.LandmarkNet, list[dict]]:
    """Trains a network on the training faces of a course.

    Args:
        course: Faces, and whether to show progress.
        network: Backbone, a timm name.
        size: Input side in pixels.
        config: How to train.
        folder: Of the run. A run that is there is resumed, a finished one is read.
        head: A name in `models.building.HEADS`.
        start: The network whose weights it starts with; None: a new network.
        targets: `(N, L, 2)` landmarks to learn in place of the hard ones, in stored-crop units.
        teachers: Live or cached; needed by KD-Loss.

    Returns:
        The network and its log, one dict per epoch.

    Raises:
        ValueError: The folder holds another training, or another network is to be started with.
    """
    net = recipes.new_network(course, network, size, head=head)
    if start is not None:
        if (start.config.name, start.config.head) != (network, head):
            raise ValueError(
                f"the network to start with is a {start.config.name} with a {start.config.head} "
                f"head; expected a {network} with a {head} head"
            )
        net.load_state_dict(start.state_dict())
    return net, recipes.fit(course, net, config, folder, targets, teachers)


def collect(rows: Iterable[tuple[dict, str]]) -> list[dict]:
    """The rows of a study. Each is announced by its line of text as soon as it is measured.

    Args:
        rows: Row, as JSON values, and text of each training.
    """
    collected = []
    for row, line in rows:
        print(line, flush=True)
        collected.append(row)
    return collected
