"""What are the teachers worth? Questions, arms and contrasts, named before anything was run.

Every experiment has one primary contrast: the arm in question against the best plain loss with the
same labels and steps. It is judged on validation faces over five seeds, and confirmed once, with
fresh seeds, on test faces. The other arms are there to understand the answer.
"""

from kdnotes.evaluation.experiments.arms import Arm, Experiment, Regime

__all__ = ["EXPERIMENTS", "Arm", "Experiment", "Regime"]

FEW = Regime(people=15)

PLAIN = {
    "L1": Arm("l1"),
    "L2": Arm("l2"),
    "Wing": Arm("wing"),
    "L1, scaled like KD-Loss": Arm("l1", scale=4.0),
}
KD = Arm("kd-paper", "both")


def _few_labels(people: int) -> Experiment:
    unlabelled = {"faces": "all"}
    return Experiment(
        f"With {people} people labelled: does a teacher help that tells the student about the "
        "faces of everybody else?",
        Regime(people=people),
        {
            "L1 on the labelled faces": Arm(),
            "KD-Loss on the labelled faces": KD,
            "teacher's landmarks on the others": Arm(targets="labels, else tough's", **unlabelled),
            "own landmarks on the others": Arm(targets="labels, else own", **unlabelled),
            "teacher's landmarks everywhere": Arm(targets="tough's everywhere", **unlabelled),
            "KD-Loss, teacher's landmarks on the others": Arm(
                "kd-paper", "both", "labels, else tough's", **unlabelled
            ),
        },
        ("teacher's landmarks on the others", "L1 on the labelled faces"),
    )


EXPERIMENTS: dict[str, Experiment] = {
    "better-than-plain": Experiment(
        "Is KD-Loss better than the best plain loss?",
        FEW,
        PLAIN
        | {
            "KD-Loss (PAPER), Tough only": Arm("kd-paper", "tough"),
            "KD-Loss (PAPER), Tolerant only": Arm("kd-paper", "tolerant"),
            "KD-Loss (PAPER)": KD,
            "KD-Loss (RELEASED)": Arm("kd-released", "both"),
        },
        ("KD-Loss (PAPER)", "L1"),
    ),
    "weighting": Experiment(
        "Is it the teachers, or the weighting that they bring?",
        FEW,
        {
            "L1": PLAIN["L1"],
            "real teachers": KD,
            "errors shuffled among faces": Arm("kd-paper", "shuffled"),
            "constant errors, no teacher": Arm("kd-paper", "constant"),
            "soft landmarks for the Tolerant one": Arm("kd-paper", "tough and soft landmarks"),
            "teachers that never saw the face": Arm("kd-paper", "cross-fitted"),
            "teacher-bounded regression": Arm("l1+bounded", "tough"),
            "the plain hinge": Arm("l1+hinge", "both"),
        },
        ("real teachers", "errors shuffled among faces"),
    ),
    "direction": Experiment(
        "Does the teacher's direction help, which KD-Loss throws away?",
        FEW,
        {
            "L1": PLAIN["L1"],
            "L1 to the Tough teacher": Arm("to-teachers", "tough"),
            "L1 to label and to Tough": Arm("l1+teachers", "tough"),
            "attentive imitation": Arm("l1+attentive", "tough"),
        },
        ("L1 to label and to Tough", "L1"),
    ),
    "few-labels-5": _few_labels(5),
    "few-labels-15": _few_labels(15),
    "few-labels-60": _few_labels(60),
    "wrong-labels": Experiment(
        "With a fifth of the training landmarks moved: KD-Loss cannot correct a label, plain "
        "distillation can. Does it?",
        Regime(people=15, wrong=0.2),
        PLAIN
        | {
            "KD-Loss (PAPER)": KD,
            "L1 to the Tough teacher": Arm("to-teachers", "tough"),
            "L1 to label and to Tough": Arm("l1+teachers", "tough"),
        },
        ("L1 to the Tough teacher", "L1"),
    ),
}
