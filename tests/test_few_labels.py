"""The study of few labels: what is trained and measured, what is kept, what is said of it."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_own import SCHEME, draw_pictures

from kdnotes.data import schemes
from kdnotes.evaluation import report
from kdnotes.own import example
from kdnotes.own.steps import Plan
from kdnotes.research import few_labels as study
from kdnotes.research.experiments.log import packed

PLAN = Plan("mobilenetv3_small_050", "mobilenetv3_small_050", 32, 32, 2, 2, batch_size=4)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(study, "NAMED", 6)
    monkeypatch.setattr(study, "BEGUN", 3)


@pytest.fixture
def pictures(tmp_path):
    """Twelve triangles in a table, four of them to be measured on."""
    truth = draw_pictures(tmp_path / "images", 12)
    (tmp_path / "scheme.json").write_text(json.dumps(schemes.to_json(SCHEME)))
    with open(tmp_path / "triangles.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *(f"{axis}{i}" for i in range(3) for axis in "xy"), "split"])
        for i, (name, points) in enumerate(truth.items()):
            writer.writerow([name, *points.flat, "test" if i % 3 == 0 else "train"])
    table, images, scheme = (tmp_path / name for name in ("triangles.csv", "images", "scheme.json"))
    return replace(study.labelled(table, images, scheme, tmp_path / "work"), choosing=True)


def test_nothing_that_is_measured_was_seen(pictures, few, tmp_path, capsys):
    runs = study.Study(pictures, PLAN, tmp_path / "work", tmp_path / "results.json")
    assert len(pictures.labels) == 8 and len(runs.faces) == 4
    runs.run(6, 0)
    arms = [row["arm"] for row in runs.rows]
    assert arms == [study.TEACHER, study.PLAIN, study.TAUGHT, study.CHOSEN]
    assert not set(pictures.truth) & set(pictures.labels)
    assert capsys.readouterr().out.count("6 labelled, seed 0") == 4
    proposed = (tmp_path / "work" / pictures.digest / "6-seed0" / "proposals.csv").read_text()
    assert proposed.count("\n") == 1 + 2, "the two training pictures that nobody has labelled"
    assert not any(f"\n{file}," in proposed for file in pictures.truth)
    runs.run(None, 0)
    assert [row["arm"] for row in runs.rows[4:]] == [study.TEACHER, study.PLAIN]
    assert runs.rows[4]["labelled"] == 8


def test_what_was_run_is_kept(pictures, few, tmp_path, capsys):
    """By the same plan; by another one, the study begins anew."""
    first = study.Study(pictures, PLAN, tmp_path / "work", tmp_path / "results.json")
    first.run(4, 1)
    capsys.readouterr()
    again = study.Study(pictures, PLAN, tmp_path / "work", tmp_path / "results.json")
    again.run(4, 1)
    assert again.rows == first.rows and not capsys.readouterr().out
    longer = replace(PLAN, student_steps=3)
    assert study.Study(pictures, longer, tmp_path / "work", tmp_path / "results.json").rows == []
    file = min(pictures.labels)
    moved = replace(pictures.labels[file], points=pictures.labels[file].points + 1)
    other = replace(pictures, labels=dict(pictures.labels) | {file: moved})
    assert study.Study(other, PLAN, tmp_path / "work", tmp_path / "results.json").rows == []
    again.run(8, 0)
    again.run(80, 0)
    assert again.rows == first.rows, "there are no more than eight"


def test_seeds_draw_other_pictures_and_larger_draws_hold_the_smaller(pictures, few, tmp_path):
    runs = study.Study(pictures, PLAN, tmp_path / "work", tmp_path / "results.json")

    def drawn(n, seed):
        runs.run(n, seed)
        table = tmp_path / "work" / pictures.digest / f"{n}-seed{seed}" / "labels.csv"
        return {line.split(",")[0] for line in table.read_text().splitlines()[1:]}

    assert drawn(3, 0) < drawn(5, 0) and drawn(3, 0) != drawn(3, 1)


def test_what_is_said_of_the_runs():
    rng, rows = np.random.default_rng(0), []
    for seed in range(5):
        hard = rng.uniform(0.04, 0.06, 40)
        for arm, factor in ((study.PLAIN, 1.0), (study.TAUGHT, 0.8), (study.TEACHER, 0.7)):
            rows.append({"labelled": 20, "seed": seed, "arm": arm, "nme": hard.mean() * factor,
                         "errors": packed(hard * factor)})  # fmt: skip
    results = {"rows": rows}
    found, seeds = study.gain(results, 20, study.TAUGHT, study.PLAIN)
    assert found.value == pytest.approx(0.2, abs=1e-3) and seeds == 5
    (line,) = study.verdicts(results)
    assert "error reduction +20.0%" in line and line.endswith("hinted")
    assert study.table(results).loc[20, "seeds"] == 5
    with pytest.raises(ValueError, match="no seed has"):
        study.gain(results, 5, study.TAUGHT, study.PLAIN)


def test_another_split_never_trains_on_what_it_measures(pictures, tmp_path):
    table, images, scheme = (tmp_path / name for name in ("triangles.csv", "images", "scheme.json"))
    lines = table.read_text().splitlines()
    other = {"test": "train", "train": "test"}
    cells = [line.rsplit(",", 1) for line in lines]
    table.write_text("\n".join(f"{row},{other.get(split, split)}" for row, split in cells))
    other = study.labelled(table, images, scheme, tmp_path / "work")
    assert set(other.labels) == set(pictures.truth) == set(other.train.labels().files)


def test_a_picture_that_is_gone_is_left_out(pictures, tmp_path):
    table, images, scheme = (tmp_path / name for name in ("triangles.csv", "images", "scheme.json"))
    gone = min(pictures.labels)
    (images / gone).unlink()
    again = study.labelled(table, images, scheme, tmp_path / "other")
    assert set(again.labels) == set(pictures.labels) - {gone}


def test_a_table_without_test_pictures_is_said(pictures, tmp_path):
    table = tmp_path / "triangles.csv"
    table.write_text(table.read_text().replace(",test\n", ",train\n"))
    with pytest.raises(ValueError, match="whose column split says test"):
        study.labelled(table, tmp_path / "images", tmp_path / "scheme.json", tmp_path / "other")


def test_rendered_leaves_are_clicked_at_about_their_landmarks(tmp_path):
    project, truth = example.write(tmp_path / "leaves", range(3), progress=False)
    example.label(project, truth, list(truth)[:2])
    labels = project.labels().read()
    assert len(labels) == 2 and project.scheme().n_points == 6
    for file, label in labels.items():
        side = np.sqrt(np.ptp(truth[file], axis=0).prod())
        beside = (label.points - truth[file]) / side
        assert 0 < np.abs(beside).max() < 5 * example.CLICK
    before = project.labels().table.read_bytes()
    example.label(project, truth, list(truth)[:2], seed=1)
    assert project.labels().table.read_bytes() == before, "a label that is there stays"


@pytest.mark.parametrize("name", ["own-leaves", "own-cephalograms"])
def test_the_page_of_results_shows_the_stored_ones(name):
    results = report.read(report.stored(name))
    text = report.results_page(Path(__file__).parents[1]).read_text("utf-8")
    assert report.insert(text, name, study.section(results)) == text
    assert f"| {study.NAMED} | 5 |" in study.section(results)
