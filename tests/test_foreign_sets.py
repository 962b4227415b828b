"""The course on face sets that are not its own: 300W's, COFW's, WFLW's, and a reader's own scheme.

None of them names people, and no network ships for them. The notebooks share one process and one
set after the other, so this file is the longest of the suite.
"""

import json
import os

import pytest
from foreign_sets import BARE, MADE
from notebook_runs import run

from kdnotes.course import recipes, scenes
from kdnotes.evaluation import published, report
from kdnotes.models import zoo

#: What is run in every test; `make test-all` runs all of them on all sets.
EVERY = {
    "300w": ("00", "01", "02", "03", "04", "05", "06", "07"),
    "29 points": ("01", "02", "06", "07"),
    "98 points": ("01", "02", "06", "07"),
    "own scheme": ("01", "02", "05", "06", "07"),
}
REST = {name: [f"0{i}" for i in range(8) if f"0{i}" not in EVERY[name]] for name in EVERY}
#: Scenes that need people; a set of 68 points shows all others on its own faces.
ON_PEOPLE = {"01": ["9e76f8b2"], "02": ["41e8e7d8"]}
ELSEWHERE = {
    "300w": ON_PEOPLE,
    "29 points": ON_PEOPLE | {"07": ["cell-36"]},
    "98 points": ON_PEOPLE | {"07": ["cell-36"]},
    "own scheme": {
        "01": ["903437b4", "9e76f8b2", "38826efd"],
        "02": ["41e8e7d8"],
        "05": ["cell-14"],
        "07": ["cell-36"],
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Each set and its open course; made when it is asked for."""
    root, courses = tmp_path_factory.mktemp("foreign"), {}
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("KDNOTES_BUILD"):
            patch.setenv("KDNOTES_BUILD", str(root / "build"))
        patch.setenv("KDNOTES_PROFILE", "tiny")

        def course(name):
            if name not in courses:
                (root / name).mkdir()
                faces = MADE[name](root / name)
                courses[name] = recipes.open_course("tiny", faces.path, progress=False)
            patch.setenv("KDNOTES_DATA", str(courses[name].faces.path))
            return courses[name]

        yield course


def pairs(table):
    return [(name, stem) for name, stems in table.items() for stem in stems]


@pytest.mark.parametrize("name, stem", pairs(EVERY))
def test_notebook_runs_on_every_set(made, name, stem):
    runs_whole(made(name), name, stem)


@pytest.mark.long
@pytest.mark.parametrize("name, stem", pairs(REST))
def test_notebook_runs_on_every_set_long(made, name, stem):
    runs_whole(made(name), name, stem)


def runs_whole(course, name, stem):
    """Without an error, and with its scenes on the reader's own faces wherever these can carry
    them; the others say what is missing."""
    printed = run(stem)
    told = {cell: text for cell, text in printed.items() if "embedded faces." in text}
    assert list(told) == ELSEWHERE[name].get(stem, []), told
    for text in told.values():
        assert "This face set has no " in text
        n = int(text.split("shown on ")[1].split()[0])
        assert 0 < n <= scenes.N_FACES


@pytest.mark.parametrize("name", MADE)
def test_report_has_all_its_rows(made, name):
    """For the reader's own set: every network on both splits, each subset, its own normaliser."""
    course = made(name)
    results = report.build(course)
    faces = {split: len(course.split(split)) for split in report.SPLITS}
    rows = {(row["network"], row["split"]): row["n"] for row in results["scores"]}
    networks = [*report.SHORT, report.TOLERANT_SOFT]
    assert rows == {(row, split): n for row in networks for split, n in faces.items()}
    assert results["normaliser"] == ("box" if name == "own scheme" else "interocular")
    assert results["data"]["people"] == results["data"]["faces"], "every face is its own person"
    subsets = {row["subset"] for row in results["subsets"] if row["split"] == "test"}
    official = {"300w": {"common", "challenging", "helen", "lfpw", "ibug"}}
    if name in official:
        assert subsets == official[name]
        common = course.split("test").table["common"].sum()
        assert all(row["n"] == common for row in results["subsets"] if row["subset"] == "common")
    text = json.dumps(results)
    assert "NaN" not in text and report.caption(results)
    assert list(report.table(results).index) == networks


def test_a_table_called_synthetic_is_no_rendered_set(made):
    course = made("own scheme")
    assert course.faces.meta["name"] == "synthetic" and course.faces.name == "own-synthetic"
    assert not course.faces.rendered and course.faces.scheme == BARE
    assert not zoo.shipped(course.faces)
    assert recipes.train_student(course, "l1")[0].config.scheme["n_points"] == BARE.n_points


def test_published_rows_stand_beside_whole_official_parts_alone():
    """554 common faces are 300W's; some of them are not."""
    row = {"network": report.KD, "split": "test", "nme": 0.0402}
    common = {**row, "subset": "common", "n": 554}
    few = {**row, "subset": "challenging", "n": 100}
    results = {
        "profile": "quick",
        "data": {"name": "300w"},
        "scores": [{**row, "n": 654}],
        "subsets": [common, few],
    }
    table = published.beside(results)
    assert table.loc[("common", report.KD)].tolist() == ["3.56", "4.02"]
    assert table.loc[("common", report.PLAIN)].tolist() == ["3.93", "–"]
    assert set(table.index.get_level_values(0)) == {"common"}
    assert published.beside(results | {"data": {"name": "mine"}}).empty
