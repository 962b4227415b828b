"""The experiments on X-rays of heads in profile, 19 points set by doctors: few labels, much to see.

    python -m kdnotes data prepare csv --table cephalograms.csv --scheme scheme.json \\
        --box picture --size 200 --out build/faces/cephalograms
    python -m kdnotes experiment few-labels-20 --data build/faces/cephalograms

The setting of `python -m kdnotes own`: a teacher with more pixels and channels learns from a few
labelled pictures and labels the others, a small student learns from both. The plain student learns
from the labelled pictures alone, for as many steps. Each picture is another patient's. Errors are
in units of the landmarks' box √(w·h).
"""

from dataclasses import replace

from kdnotes.research.experiments.arms import Arm, Experiment, Regime

REGIME = Regime(
    size=96,
    steps=800,
    head="heatmap",
    teacher_size=128,
    teacher_steps=800,
    teacher_head="heatmap",
    batch_size=16,
    strength=1.0,
)

#: How many pictures are labelled; None: all of the training pictures.
LABELLED = (5, 10, 20, 40, 80, None)


def _few_labels(n: int | None) -> Experiment:
    arms = {
        "L1 on the labelled pictures": Arm(),
        "teacher's landmarks on the others": Arm(targets="labels, else tough's", faces="all"),
        "the teacher itself": Arm(network="tough"),
    }
    seeds, fresh = ((0, 1, 2, 3, 4), (100, 101, 102, 103, 104)) if n == 20 else ((0, 1), (100, 101))
    if n is None:
        del arms["teacher's landmarks on the others"]
        contrast = ("the teacher itself", "L1 on the labelled pictures")
    else:
        contrast = ("teacher's landmarks on the others", "L1 on the labelled pictures")
    return Experiment(
        f"With {n or 'all'} X-rays labelled: how good are teacher and student?",
        replace(REGIME, people=n),
        arms,
        contrast,
        seeds,
        others=1,
        fresh=fresh,
        others_fresh=1,
    )


EXPERIMENTS = {f"few-labels-{n or 'all'}": _few_labels(n) for n in LABELLED}
