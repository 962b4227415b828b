"""The course on a face set like 300W's: 68 points, nobody is named, no network ships for it.

The notebooks share one process; `test_foreign_schemes` does the same with other points.
"""

import pytest
from foreign_runs import EVERY, REST, pairs, report_has_all_its_rows, runs_whole

from kdnotes.evaluation import published, report

NAMES = ("300w",)


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
