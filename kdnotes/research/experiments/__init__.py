"""What are the teachers worth? Questions, arms and contrasts, all named before any run.

    python -m kdnotes experiment few-labels-5 --data FACE_SET              # on validation faces
    python -m kdnotes experiment few-labels-5 --data FACE_SET --confirm    # once, on test faces
    python -m kdnotes experiment few-labels-5                              # in short

Every experiment has one primary contrast: the arm in question against the best plain loss with the
same labels and steps. It is judged on validation faces over several seeds: five for the two main
questions, three for the others. It is confirmed once, with fresh seeds, on test faces. The other
arms help to understand the answer and have two seeds each. `learning-rates` and the experiments
after it have few seeds and support no claim.

300W, labelled by hand, has experiments of its own, see `on_300w`. Without a face set, the main
contrasts are repeated in short on the embedded faces.
"""

from dataclasses import replace

from kdnotes.research.experiments import on_300w
from kdnotes.research.experiments.arms import Arm, Experiment, Regime

__all__ = ["EXPERIMENTS", "IN_SHORT", "Arm", "Experiment", "Regime", "on"]

FEW = Regime(people=15)
THREE = (0, 1, 2)
KD = Arm("kd-paper", "both")

#: L1 as steep as KD-Loss is on average (`mean_slope` in the log of its first run).
PLAIN = {
    "L1": Arm("l1"),
    "L2": Arm("l2"),
    "Wing": Arm("wing"),
    "L1, as steep as KD-Loss": Arm("l1", scale=3.76),
}
DISTILLED = {
    "KD-Loss (PAPER)": KD,
    "KD-Loss (RELEASED)": Arm("kd-released", "both"),
    "KD-Loss (PAPER), Tough only": Arm("kd-paper", "tough"),
    "KD-Loss (PAPER), Tolerant only": Arm("kd-paper", "tolerant"),
}
#: The same small grid for each loss.
RATES = (3e-3, 6e-3, 12e-3)


def _few_labels(people: int, others: dict[str, Arm], seeds=THREE) -> Experiment:
    """The teacher's landmarks on unlabelled faces against L1 on the labelled faces alone."""
    return Experiment(
        f"With {people} people labelled: does a teacher help that tells the student about the "
        "faces of everybody else?",
        Regime(people=people),
        {
            "L1 on the labelled faces": Arm(),
            "teacher's landmarks on the others": Arm(targets="labels, else tough's", faces="all"),
            "own landmarks on the others": Arm(targets="labels, else own", faces="all"),
        }
        | others,
        ("teacher's landmarks on the others", "L1 on the labelled faces"),
        seeds,
    )


def _short(question: str, regime: Regime, seeds=(0, 1)) -> Experiment:
    """KD-Loss against L1 in another regime."""
    arms = {"L1": PLAIN["L1"], "KD-Loss (PAPER)": KD}
    return Experiment(question, regime, arms, ("KD-Loss (PAPER)", "L1"), seeds)


EXPERIMENTS: dict[str, Experiment] = {
    "few-labels-5": _few_labels(
        5,
        {
            "L1 on the labelled faces, three times as long": Arm(steps=3),
            "teacher's landmarks everywhere": Arm(targets="tough's everywhere", faces="all"),
            "KD-Loss on the labelled faces": KD,
            "KD-Loss, teacher's landmarks on the others": Arm(
                "kd-paper", "both", "labels, else tough's", "all"
            ),
        },
        seeds=(0, 1, 2, 3, 4),
    ),
    "better-than-plain": Experiment(
        "Is KD-Loss better than the best plain loss?",
        FEW,
        PLAIN | DISTILLED | {"L1, six times as long (the teachers' time)": Arm("l1", steps=6)},
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
        THREE,
    ),
    "direction": Experiment(
        "Does the teacher's direction help, which KD-Loss throws away?",
        FEW,
        {
            "L1": PLAIN["L1"],
            "L1 to the Tough teacher": Arm("to-teachers", "tough"),
            "L1 to label and to Tough": Arm("l1+teachers", "tough"),
            "attentive imitation": Arm("l1+attentive", "tough"),
            "a hint: the teacher's features": Arm("l1+hint", "hints"),
        },
        ("L1 to label and to Tough", "L1"),
        THREE,
    ),
    "few-labels-15": _few_labels(15, {"KD-Loss on the labelled faces": KD}),
    "few-labels-60": _few_labels(60, {"KD-Loss on the labelled faces": KD}),
    "wrong-labels": Experiment(
        "With a fifth of the training landmarks moved: is L1 to the teacher better than L1 to the "
        "labels?",
        Regime(people=15, wrong=0.2),
        {
            "L1": PLAIN["L1"],
            "L2": PLAIN["L2"],
            "KD-Loss (PAPER)": KD,
            "L1 to the Tough teacher": Arm("to-teachers", "tough"),
            "L1 to label and to Tough": Arm("l1+teachers", "tough"),
            "L1 to the label, to Tough where far from it": Arm(
                targets="labels that tough's confirm, else tough's"
            ),
        },
        ("L1 to the Tough teacher", "L1"),
        THREE,
    ),
    "learning-rates": Experiment(
        "Which learning rate does each loss like best?",
        FEW,
        {
            f"{name}, peak {rate:g}": replace(arm, learning_rate=rate)
            for name, arm in (PLAIN | DISTILLED).items()
            for rate in RATES
        },
        ("L1, peak 0.012", "L1, peak 0.006"),
        seeds=(0,),
        others=1,
    ),
    "knobs": Experiment(
        "Which knob of KD-Loss matters?",
        FEW,
        {
            "KD-Loss (PAPER)": KD,
            "β 0.2 (the truth is no minimum)": Arm("kd-beta-0.2", "both"),
            "β 0.8": Arm("kd-beta-0.8", "both"),
            "α⁻ 0": Arm("kd-alpha-0", "both"),
            "α⁻ -0.9 (the truth is no minimum)": Arm("kd-alpha-0.9", "both"),
            "soft landmarks for the Tolerant one": Arm("kd-paper", "tough and soft landmarks"),
            "the same, 80 % of the variance": Arm("kd-paper", "tough and softer landmarks"),
            "the same, 97 % of the variance": Arm("kd-paper", "tough and harder landmarks"),
        },
        ("α⁻ 0", "KD-Loss (PAPER)"),
        seeds=(0,),
        others=1,
    ),
    "weak-teachers": _short(
        "Teachers that are hardly trained: what is left of KD-Loss?",
        Regime(people=15, teacher_steps=300),
    ),
    "all-labels": _short(
        "With everybody labelled, so that the teachers are good and know nothing by heart: does "
        "KD-Loss help then?",
        Regime(),
        seeds=(0,),
    ),
    "bigger-student": _short(
        "A student with the teachers' network: does KD-Loss help it?",
        Regime(people=15, student="mobilenetv2_100"),
    ),
}


#: The experiments on the embedded faces: the contrasts alone, three seeds, half the steps.
IN_SHORT = {
    name: EXPERIMENTS[name].in_short()
    for name in ("few-labels-5", "better-than-plain", "weighting", "wrong-labels")
}


def on(data: str) -> dict[str, Experiment]:
    """The experiments on a face set.

    Args:
        data: Its `FaceSet.name`.
    """
    return {"synthetic": IN_SHORT, "300w": on_300w.EXPERIMENTS}.get(data, EXPERIMENTS)
