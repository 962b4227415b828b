"""The experiments on 300W, whose landmarks were set by hand: the paper's question, on its faces.

`paper` and `better-than-plain` ask it with the same runs, against the paper's baseline and against
L1. Nobody is named in 300W, so that every face counts as a person: 50 people are 50 faces.

What differs from the paper: the student has half the channels and 96 pixels instead of 224, it
reads its landmarks off heatmaps, and there are 1,806 training faces instead of 3,148. Gradients are
not clipped, since Adam then hardly notices how steep a loss is.

The regime was chosen with the plain student alone, one seed each, on validation faces, 2,000 steps:
heatmaps 5.14 % with all labels and 6.38 % with 200, a linear head 5.81 % and 6.99 %. So labels
matter in it. The experiments have 1,500 steps, so that all of them fit into about twelve hours.

The teachers' 128 pixels need a face set of at least 217: `data prepare 300w --size 272 --without
ibug`.
"""

from dataclasses import replace

from kdnotes.research.experiments.arms import Arm, Experiment, Regime

REGIME = Regime(
    size=96,
    steps=1500,
    head="heatmap",
    teacher_size=128,
    teacher_steps=2400,
    teacher_head="heatmap",
    n_views=8,
    clip=None,
)

EIGHT = tuple(range(8))
EIGHT_FRESH = tuple(range(100, 108))
KD, L1 = "KD-Loss (PAPER)", "L1"

PLAIN = {L1: Arm(), "L2": Arm("l2"), "Wing": Arm("wing")}
TAUGHT = {
    KD: Arm("kd-paper", "both"),
    "KD-Loss (PAPER), Tough only": Arm("kd-paper", "tough"),
    "KD-Loss (PAPER), Tolerant only": Arm("kd-paper", "tolerant"),
    "KD-Loss (RELEASED)": Arm("kd-released", "both"),
    "L1 to label and to Tough": Arm("l1+teachers", "tough"),
}
TEACHERS = {
    "the Tough teacher itself": Arm(network="tough"),
    "the Tolerant teacher itself": Arm(network="tolerant"),
}


def _few_labels(n: int, seeds: tuple, fresh: tuple) -> Experiment:
    """The teacher's landmarks on unlabelled faces against L1 on the labelled faces alone."""
    return Experiment(
        f"With {n} faces labelled: does a teacher help that tells the student about the others?",
        replace(REGIME, people=n),
        {
            "L1 on the labelled faces": Arm(),
            "teacher's landmarks on the others": Arm(targets="labels, else tough's", faces="all"),
            "KD-Loss on the labelled faces": TAUGHT[KD],
        },
        ("teacher's landmarks on the others", "L1 on the labelled faces"),
        seeds,
        others=5,
        fresh=fresh,
    )


EXPERIMENTS = {
    "paper": Experiment(
        "Is KD-Loss better than L2, as the paper says?",
        REGIME,
        PLAIN | TAUGHT | TEACHERS,
        (KD, "L2"),
        EIGHT,
        fresh=EIGHT_FRESH,
        others_fresh=2,
    ),
    "better-than-plain": Experiment(
        "Is KD-Loss better than plain L1?",
        REGIME,
        {L1: PLAIN[L1], KD: TAUGHT[KD]},
        (KD, L1),
        EIGHT,
        fresh=EIGHT_FRESH,
    ),
    "weighting": Experiment(
        "Is it the teachers, or the weighting that they bring?",
        REGIME,
        {
            L1: PLAIN[L1],
            "real teachers": TAUGHT[KD],
            "errors shuffled among faces": Arm("kd-paper", "shuffled"),
            "constant errors, no teacher": Arm("kd-paper", "constant"),
        },
        ("real teachers", "errors shuffled among faces"),
        others=5,
        fresh=EIGHT_FRESH[:5],
        others_fresh=5,
    ),
    "few-labels-50": _few_labels(50, EIGHT, EIGHT_FRESH),
    "few-labels-200": _few_labels(200, EIGHT[:5], EIGHT_FRESH[:5]),
}
