"""Cells run twice, as readers do: each twice in a row, then all of them once more."""

import re

import pytest
from notebook_runs import APPENDICES, code_cells, run_cell

#: What a clock, or what was there before, makes differ.
TIMED = re.compile(
    r"time\.|bench\.|cost\.|seconds|taking_turns|page\.|train(ed|_log)|report\.build"
)


@pytest.mark.long
@pytest.mark.parametrize("stem", [*(f"0{i}" for i in range(9)), *APPENDICES])
def test_cells_give_their_first_result_again(stem, monkeypatch, tmp_path):
    monkeypatch.setenv("KDNOTES_PROFILE", "tiny")
    names, first = {"__name__": "notebook"}, {}
    cells = code_cells(stem)
    for cell in cells:
        first[cell.id] = run_cell(cell, names)
        again = run_cell(cell, names)
        if not TIMED.search(cell.source):
            assert again == first[cell.id], cell.id
    for cell in cells:
        again = run_cell(cell, names)
        if not TIMED.search(cell.source):
            assert again == first[cell.id], cell.id
