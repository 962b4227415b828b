"""Commands that train a teacher or a student."""

from typing import Annotated

import typer

from kdnotes.commands.options import FaceSetPath, ProfileName

Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Resume a stopped training, or train from scratch.")
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write the log as TensorBoard events.")
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

    course = recipes.open_course(profile, data)
    _, log = recipes.train_teacher(course, which, fresh=not resume, tensorboard=tensorboard)
    print_trained(course, course.folder / which, log)


def student(
    loss: Annotated[str, typer.Option(help="l1, l2, smooth_l1, wing, kd-paper or kd-released.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of initial weights, order and views.")] = 0,
    profile: ProfileName = None,
    data: FaceSetPath = None,
    views: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Stored views of each face. 0: new views in every epoch, with the teachers "
            "running along. Default: the profile's.",
        ),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="course or paper: whose optimizer to use.")
    ] = "course",
    compile: Annotated[bool, typer.Option("--compile", help="Use torch.compile.")] = False,
    resume: Resume = True,
    tensorboard: TensorBoard = False,
) -> None:
    """Train a student with a plain loss, or with KD-Loss and both teachers."""
    from kdnotes.course import recipes

    if optimizer not in ("course", "paper"):
        raise ValueError(f'--optimizer is "course" or "paper", found {optimizer!r}')
    course = recipes.open_course(profile, data)
    variant = {"n_views": views, "paper_optimizer": optimizer == "paper", "compile": compile}
    _, log = recipes.train_student(
        course, loss, seed=seed, fresh=not resume, tensorboard=tensorboard, **variant
    )
    print_trained(course, course.folder / recipes.student_run(loss, seed, **variant), log)


def print_trained(course, folder, log) -> None:
    """Prints the outcome of a training in one line, from the first process only."""
    from kdnotes.system import processes

    last = log[-1]
    processes.state().print(
        f"{last['epoch']} epochs, {last['seconds']:.0f} s, validation NME {last['nme']:.2%} of the "
        f"{course.faces.scheme.distance}; weights and log in {folder}"
    )
