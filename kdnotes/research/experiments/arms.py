"""What an experiment compares: arms that differ in one thing, and a contrast named before any run.

`Arm` and `Regime` are also what a log is searched for, so their fields keep their names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Arm:
    """One way to train the student. What is not named here is the same for all arms.

    Attributes:
        loss: A name in `training.LOSSES`.
        teachers: Who answers for the teachers, a name in `answers.STAND_INS`; "" for nobody.
        targets: What the student learns, a name in `targets.TARGETS`.
        faces: Which training faces it sees: "labelled", or "all", the others without labels.
        scale: Factor of the loss, to bring the arms' gradients to one size.
        learning_rate: Peak of the schedule.
        steps: Factor of the regime's steps. An arm with more steps is never in the contrast.
        network: Which network it is: "student", or a teacher alone, "tough" or "tolerant".
    """

    loss: str = "l1"
    teachers: str = ""
    targets: str = "hard"
    faces: str = "labelled"
    scale: float = 1.0
    learning_rate: float = 6e-3
    steps: float = 1.0
    network: str = "student"

    @property
    def taught(self) -> bool:
        """A teacher's answers are used somewhere."""
        return bool(self.teachers) or "tough" in self.targets


@dataclass(frozen=True)
class Regime:
    """What all arms of an experiment share.

    Attributes:
        people: How many people's labels student and teachers see; None: all.
        wrong: Share of the training landmarks that are moved.
        steps: Steps of each training of a student.
        student, size: Backbone of the students, and their input side in pixels.
        teacher, teacher_size, teacher_steps: The same for the teachers.
        batch_size, strength, n_views: As in `training.TrainConfig`.
        variance: Share of the shapes' variance in the soft landmarks.
        head, teacher_head: What students and teachers read landmarks off with, see
            `models.building.HEADS`.
        clip: As in `training.TrainConfig`. Without clipping Adam hardly notices how steep a loss
            is, so that all arms have one gradient scale.
    """

    people: int | None = None
    wrong: float = 0.0
    steps: int = 1200
    student: str = "mobilenetv2_050"
    size: int = 64
    teacher: str = "mobilenetv2_100"
    teacher_size: int = 96
    teacher_steps: int = 1200
    batch_size: int = 32
    strength: float = 0.5
    n_views: int = 16
    variance: float = 0.90
    head: str = "linear"
    teacher_head: str = "linear"
    clip: float | None = 1.0


@dataclass(frozen=True)
class Experiment:
    """A question, its arms and the contrast that answers it.

    Attributes:
        question: In one sentence.
        regime: What all arms share.
        arms: Name to arm.
        contrast: The arm in question and the one it is compared with, named before any run.
        seeds: Of the contrast's two arms. The other arms are run with the first of them.
        others: Number of seeds of the arms outside the contrast.
        fresh: Seeds with which the contrast is confirmed on test faces.
        others_fresh: Number of these seeds that the other arms are measured with on test faces, for
            a table.

    Raises:
        ValueError: The contrast names an arm that is not there.
    """

    question: str
    regime: Regime
    arms: Mapping[str, Arm]
    contrast: tuple[str, str]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    others: int = 2
    fresh: tuple[int, ...] = (100, 101, 102)
    others_fresh: int = 0

    def __post_init__(self):
        missing = set(self.contrast) - set(self.arms)
        if missing:
            raise ValueError(f"the contrast names arms that are not there: {sorted(missing)}")

    def comparing(self, arm: str, reference: str) -> "Experiment":
        """The same arms with another contrast, to look at what was not asked in advance."""
        return replace(self, contrast=(arm, reference))

    def in_short(self) -> "Experiment":
        """The contrast alone, with three seeds and half the steps."""
        steps, teacher_steps = self.regime.steps // 2, self.regime.teacher_steps // 2
        regime = replace(self.regime, steps=steps, teacher_steps=teacher_steps)
        return replace(self, regime=regime, seeds=self.seeds[:3], others=0)

    def runs(self, *, confirm: bool = False) -> list[tuple[str, int]]:
        """Arm and seed of every run: seed by seed, so that a stop leaves whole comparisons.

        The contrast's arms come first. A teacher is the same network whatever the seed, and is
        there once.

        Args:
            confirm: The runs with fresh seeds, to be measured on test faces.
        """
        seeds, n = (self.fresh, self.others_fresh) if confirm else (self.seeds, self.others)
        primary = [(arm, seed) for seed in seeds for arm in self.contrast]
        rest = [
            (name, seed)
            for seed in seeds[:n]
            for name, arm in self.arms.items()
            if name not in self.contrast and (arm.network == "student" or seed == seeds[0])
        ]
        return primary + rest
