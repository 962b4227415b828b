"""How many views of each face should the teachers' answers be stored for?

    python -m kdnotes study view-count --seeds 2

Few views are asked about quickly and seen often; with new ones in every epoch the teachers must be
asked at every step. The same KD student, start and number of steps for each; what it costs is the
processor's time of asking the teachers and of training, the teachers' own training left out.
"""

import time

from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.evaluation import report

#: Views per face; 0 stands for new ones in every epoch.
ARMS = (1, 2, 4, 8, 0)


def run(course: recipes.Course, seeds=(0, 1)) -> dict:
    """Trains and measures every arm; an arm that was done before costs nothing, so begin afresh.

    Returns:
        JSON values: a row per number of views and seed, with the error on validation and the
        processor seconds of asking and of training.
    """
    recipes.open_teachers(course)
    rows = []
    for seed in seeds:
        for n_views in ARMS:
            began = time.process_time()
            if n_views:
                recipes.teacher_cache(course, seed, n_views)
            asked = time.process_time()
            _, log = recipes.train_student(course, "kd-paper", seed=seed, n_views=n_views)
            seconds = {"asking": asked - began, "training": time.process_time() - asked}
            rows.append({"n_views": n_views, "seed": seed, "nme": log[-1]["nme"]} | seconds)
            print(
                f"{n_views or 'new'} views, seed {seed}: {log[-1]['nme']:.2%}, asking "
                f"{seconds['asking']:.0f} s, training {seconds['training']:.0f} s",
                flush=True,
            )
    about = {"profile": course.profile.name, "data": report.about_data(course.faces)}
    return about | {"hardware": hardware(), "rows": rows}
