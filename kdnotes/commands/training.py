"""Commands that train a teacher or a student."""

from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, ProfileName

Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on where a run stopped, or train it again.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write the log as events for TensorBoard.")
]


def teacher(
    which: str,
    profile: ProfileName = None,
    data: FaceSetPath = None,
    resume: Resume = True,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a teacher: tough (hard landmarks) or tolerant (soft landmarks)."""
    from kdnotes.course import recipes

    opened = recipes.open_course(profile, data)
    more = {"fresh": not resume, "tensorboard": tensorboard}
    _, log = recipes.train_teacher(opened, which, **more)
    say_trained(opened, opened.folder / which, log)


def student(
    loss: Annotated[str, typer.Option(help="l1, l2, smooth_l1, wing, kd-paper, kd-released.")],
    seed: Annotated[int, typer.Option(min=0, help="Of start, order and views.")] = 0,
    profile: ProfileName = None,
    data: FaceSetPath = None,
    views: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Views of each face (else the profile's); 0: always new ones, teachers live.",
        ),
    ] = None,
    optimizer: Annotated[str, typer.Option(help="The course's or the paper's.")] = "course",
    compile: Annotated[bool, typer.Option("--compile", help="Use torch.compile.")] = False,
    resume: Resume = True,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a student with a plain loss, or with KD-Loss and both teachers."""
    from kdnotes.course import recipes

    if optimizer not in ("course", "paper"):
        raise ValueError(f'--optimizer is "course" or "paper", found {optimizer!r}')
    opened = recipes.open_course(profile, data)
    how = {"n_views": views, "paper_optimizer": optimizer == "paper", "compile": compile}
    more = {"fresh": not resume, "tensorboard": tensorboard}
    _, log = recipes.train_student(opened, loss, seed=seed, **how, **more)
    say_trained(opened, opened.folder / recipes.student_run(loss, seed, **how), log)


def say_trained(course, folder, log) -> None:
    """What came out of a training, in one line, from the first process."""
    from kdnotes.system import processes

    last = log[-1]
    processes.state().print(
        f"{last['epoch']} epochs, {last['seconds']:.0f} s, validation NME {last['nme']:.2%} of the "
        f"{course.faces.scheme.distance}; weights and log in {folder}"
    )
