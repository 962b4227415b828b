"""The course on 29 and 98 points, and on a scheme of one's own without eyes and mirror image."""

import pytest
from foreign_runs import EVERY, REST, pairs, report_has_all_its_rows, runs_whole
from foreign_sets import BARE

from kdnotes.course import recipes
from kdnotes.models import zoo

NAMES = ("29 points", "98 points", "own scheme")


@pytest.mark.parametrize("name, stem", pairs(EVERY, *NAMES))
def test_notebook_runs_on_every_set(foreign, name, stem):
    runs_whole(foreign(name), name, stem)


@pytest.mark.long
@pytest.mark.parametrize("name, stem", pairs(REST, *NAMES))
def test_notebook_runs_on_every_set_long(foreign, name, stem):
    runs_whole(foreign(name), name, stem)


@pytest.mark.parametrize("name", NAMES)
def test_report_has_all_its_rows(foreign, name):
    report_has_all_its_rows(foreign(name), name)


def test_a_table_called_synthetic_is_no_rendered_set(foreign):
    course = foreign("own scheme")
    assert course.faces.meta["name"] == "synthetic" and course.faces.name == "own-synthetic"
    assert not course.faces.rendered and course.faces.scheme == BARE
    assert not zoo.shipped(course.faces)
    assert recipes.train_student(course, "l1")[0].config.scheme["n_points"] == BARE.n_points
