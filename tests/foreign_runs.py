"""Notebooks and report on face sets that are not the course's own, and what they must show."""

import json

from notebook_runs import run

from kdnotes.course import scenes
from kdnotes.evaluation import report

#: What is run in every test; `make test-all` runs all of them on all sets.
EVERY = {
    "300w": ("05",),
    "29 points": ("02",),
    "98 points": ("06",),
    "own scheme": ("01", "03"),
}
REST = {name: [f"0{i}" for i in range(8) if f"0{i}" not in EVERY[name]] for name in EVERY}
#: Scenes that need people; a set of 68 points shows all others on its own faces.
ON_PEOPLE = {"01": ["9e76f8b2"]}
ELSEWHERE = {
    "300w": ON_PEOPLE,
    "29 points": ON_PEOPLE | {"07": ["cell-36"]},
    "98 points": ON_PEOPLE | {"07": ["cell-36"]},
    "own scheme": {
        "01": ["903437b4", "9e76f8b2", "38826efd"],
        "05": ["cell-14"],
        "07": ["cell-36"],
    },
}


def pairs(table, *names):
    return [(name, stem) for name in names for stem in table[name]]


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


def report_has_all_its_rows(course, name):
    """For the reader's own set: every network on both splits, each subset, its own normaliser."""
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
