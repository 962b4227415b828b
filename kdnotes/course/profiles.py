"""Profiles: every size, network name and epoch count that the course uses, in one place.

A notebook never holds a size. It asks `profiles.current()`, which reads KDNOTES_PROFILE, so that
the same notebook runs in seconds in a test, in minutes on a laptop and in the paper's setting on a
big GPU.
"""

import os
from dataclasses import dataclass

from kdnotes.data.crops import CROP_MARGIN, STORED_MARGIN
from kdnotes.system import processes


@dataclass(frozen=True)
class Profile:
    """The sizes of one way to run the course.

    Attributes:
        name: `tiny`, `quick`, `gpu` or `full`.
        purpose: One line for people.
        n_faces: Number of embedded faces.
        stored_size: Side of the embedded faces in pixels.
        student, student_size: Student's backbone and input side in pixels.
        teacher, teacher_size: The same of both teachers.
        student_epochs, teacher_epochs: Length of the trainings.
        refining_epochs: Length of a teacher's training that begins with the Tough teacher of the
            long run, where one with this backbone and input ships for the faces; 0: none does.
        batch_size: Faces per step.
        learning_rate: Peak of the one-cycle schedule.
        head: What students and teachers read landmarks off with, see `models.building.HEADS`.
        n_views: Views of each face whose teacher landmarks are cached.
        strength: Of the views, 1 is `ViewConfig()`.
    """

    name: str
    purpose: str
    n_faces: int
    stored_size: int
    student: str
    student_size: int
    teacher: str
    teacher_size: int
    student_epochs: int
    teacher_epochs: int
    batch_size: int = 32
    learning_rate: float = 6e-3
    head: str = "linear"
    n_views: int = 4
    strength: float = 1.0
    refining_epochs: int = 0

    def __post_init__(self):
        need = max(self.student_size, self.teacher_size) * STORED_MARGIN / CROP_MARGIN
        if self.stored_size < need:
            raise ValueError(
                f"profile {self.name} stores faces of {self.stored_size} px, its networks need "
                f"{need:.0f} px"
            )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "tiny", "every notebook in seconds, to see that it runs",
            n_faces=160, stored_size=56,
            student="mobilenetv3_small_050", student_size=32,
            teacher="mobilenetv3_small_050", teacher_size=32,
            student_epochs=2, teacher_epochs=2, batch_size=16, n_views=2,
        ),
        Profile(
            "quick", "a laptop without a GPU: the course in minutes, results that mean something",
            n_faces=2500, stored_size=168,
            student="mobilenetv2_050", student_size=64,
            teacher="mobilenetv2_100", teacher_size=80,
            student_epochs=8, teacher_epochs=10, refining_epochs=3,
            learning_rate=1e-2, strength=0.5, head="heatmap",
        ),
        Profile(
            "gpu", "one GPU such as Colab's: at most ten minutes a notebook",
            n_faces=6000, stored_size=224,
            student="mobilenetv2_100", student_size=112,
            teacher="efficientnet_b0", teacher_size=128,
            student_epochs=40, teacher_epochs=40, batch_size=64, learning_rate=4e-3, n_views=10,
        ),
        Profile(
            "full", "the paper's setting: EfficientNet-B3 teachers, 224 pixels",
            n_faces=12000, stored_size=384,
            student="mobilenetv2_100", student_size=224,
            teacher="efficientnet_b3", teacher_size=224,
            student_epochs=150, teacher_epochs=150, batch_size=70, learning_rate=1e-3, n_views=10,
        ),
    )
}  # fmt: skip


def get(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ValueError: No such profile.
    """
    if name not in PROFILES:
        raise ValueError(f"no profile is called {name!r}; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]


def current() -> Profile:
    """The profile that KDNOTES_PROFILE names; without it `gpu` where there is one, else `quick`."""
    return get(_asked() or ("quick" if processes.on_cpu() else "gpu"))


def reason() -> str:
    """Why `current` chose its profile."""
    if _asked():
        return "KDNOTES_PROFILE asks for it"
    seen = "no GPU was found" if processes.on_cpu() else "a GPU was found"
    return f"{seen} (KDNOTES_PROFILE can ask for another)"


def _asked():
    return os.environ.get("KDNOTES_PROFILE", "").strip()
