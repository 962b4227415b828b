"""How many views of each face should the teachers' answers be stored for?

    python -m kdnotes study view-count --seeds 2

Few views are answered for quickly and seen often. With new views in every epoch the teachers must
be asked at every step. Each arm trains the same KD student from the same start for as many steps.
Its costs are the processor's time for asking the teachers and for training, without the time to
train the teachers.
"""

import time

from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.evaluation import report
from kdnotes.research.studies import collect

#: Views per face; 0 stands for new ones in every epoch.
ARMS = (1, 2, 4, 8, 0)


def run(course: recipes.Course, seeds=(0, 1)) -> dict:
    """Trains and measures every arm.

    An arm that was done before costs nothing, so begin with an empty folder.

    Returns:
        JSON values: a row per number of views and seed, with the error on validation faces and the
        processor seconds of asking and of training.
    """
    recipes.open_teachers(course)
    rows = collect(_train(course, seed, n_views) for seed in seeds for n_views in ARMS)
    return {
        "profile": course.profile.name,
        "data": report.about_data(course.faces),
        "hardware": hardware(),
        "rows": rows,
    }


def _train(course, seed, n_views):
    """The row of one arm and seed, and its line of text."""
    began = time.process_time()
    if n_views:
        recipes.teacher_cache(course, seed, n_views)
    asked = time.process_time()
    _, log = recipes.train_student(course, "kd-paper", seed=seed, n_views=n_views)
    row = {
        "n_views": n_views,
        "seed": seed,
        "nme": log[-1]["nme"],
        "asking": asked - began,
        "training": time.process_time() - asked,
    }
    return row, (
        f"{n_views or 'new'} views, seed {seed}: {row['nme']:.2%}, asking {row['asking']:.0f} s, "
        f"training {row['training']:.0f} s"
    )
