"""Training: `fit` trains a teacher or a student, and resumes where it was interrupted.

    log = training.fit(net, faces, training.TrainConfig("l1", epochs=20), run="runs/plain")

One function for all networks of the course. A teacher is trained with `loss="l2"` on hard or soft
landmarks; a student with a plain loss or with KD-Loss and its teachers' answers. Everything random
follows from seed, step and face, so a resumed training sees what an undisturbed one would have
seen. To be read in this order: `step` (one batch), `schedule` (what happens at which step), `loop`
(`fit`), `checkpoints`; `objectives` lists the losses by name.
"""

from kdnotes.training.config import PAPER_OPTIMIZER, TrainConfig
from kdnotes.training.loop import fit
from kdnotes.training.objectives import LOSSES, PLAIN, SETTINGS, TAUGHT
from kdnotes.training.step import REGION_WORDS, descend, make_batch

__all__ = [
    "LOSSES",
    "PAPER_OPTIMIZER",
    "PLAIN",
    "REGION_WORDS",
    "SETTINGS",
    "TAUGHT",
    "TrainConfig",
    "descend",
    "fit",
    "make_batch",
]
