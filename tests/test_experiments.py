"""Experiments: arms are what they say, runs go on where they were, figures come from the log."""

import copy
import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import kdnotes
from kdnotes import plots, training
from kdnotes.commands import app
from kdnotes.evaluation import report
from kdnotes.metrics import Estimate, gain_interval
from kdnotes.models import inference
from kdnotes.research.experiments import EXPERIMENTS, Arm, Experiment, Regime, on, runner
from kdnotes.research.experiments import setting as settings
from kdnotes.research.experiments.answers import STAND_INS
from kdnotes.research.experiments.known import (
    ASKED,
    FACES,
    LESSONS,
    case,
    in_short,
    known,
    lessons,
    without_teacher,
)
from kdnotes.research.experiments.log import Log, packed, stored, unpacked
from kdnotes.research.experiments.results import (
    Results,
    markdown,
    signed,
    summary,
    told,
    verdict,
    word,
)
from kdnotes.research.experiments.setting import Setting
from kdnotes.research.experiments.targets import TARGETS
from kdnotes.training.checkpoints import Run

PACKAGE = Path(kdnotes.__file__).parent
SMALL = {
    "student": "mobilenetv3_small_050", "size": 32, "steps": 4, "batch_size": 8, "n_views": 2,
    "teacher": "mobilenetv3_small_050", "teacher_size": 32, "teacher_steps": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def setting(small_faces, tmp_path_factory):
    return Setting(Regime(people=4, **SMALL), small_faces, tmp_path_factory.mktemp("experiment"))


@pytest.mark.parametrize("data", ["youtube-faces", "300w"])
def test_every_experiment_names_what_there_is(data):
    for name, experiment in on(data).items():
        for arm in experiment.arms.values():
            assert arm.network in ("student", "tough", "tolerant")
            assert arm.loss in training.LOSSES, name
            assert (arm.loss in training.TAUGHT) == bool(arm.teachers), name
            assert arm.taught == bool(arm.teachers or "tough" in arm.targets)
            assert not arm.teachers or arm.teachers in STAND_INS
            assert arm.targets in TARGETS
            others = arm.targets.startswith("labels, else") or arm.targets.endswith("everywhere")
            assert (arm.faces == "all") == others
        first = experiment.runs()[: 2 * len(experiment.seeds)]
        assert {arm for arm, _ in first} == set(experiment.contrast)
        assert len(set(experiment.runs())) == len(experiment.runs())


def test_a_contrast_is_between_arms_that_there_are():
    with pytest.raises(ValueError, match="names arms that are not there"):
        replace(EXPERIMENTS["direction"], contrast=("L1", "L7"))


def test_two_other_arms_can_be_compared():
    weighting = EXPERIMENTS["weighting"]
    other = weighting.comparing("L1", "real teachers")
    assert other == replace(weighting, contrast=("L1", "real teachers"))
    log = stored("youtube-faces")
    turned = weighting.comparing(*reversed(weighting.contrast))
    there, back = (Results(e, log).gain(e.contrast[0]) for e in (weighting, turned))
    assert (1 - there.value) * (1 - back.value) == pytest.approx(1)
    assert verdict(other, log).startswith("L1 against real teachers: error reduction ")
    not_run = weighting.comparing("teachers that never saw the face", "L1")
    assert verdict(not_run, log) == "teachers that never saw the face against L1: not run yet"


def test_runs_that_confirm_have_fresh_seeds_and_a_teacher_is_there_once():
    paper = on("300w")["paper"]
    for confirm, seeds, n in ((False, paper.seeds, paper.others), (True, paper.fresh, 2)):
        runs = paper.runs(confirm=confirm)
        assert {seed for _, seed in runs} == set(seeds) and len(set(runs)) == len(runs)
        count = {arm: [a for a, _ in runs].count(arm) for arm in paper.arms}
        assert (
            count.pop("the Tough teacher itself") == 1 == count.pop("the Tolerant teacher itself")
        )
        assert count.pop(paper.contrast[0]) == count.pop(paper.contrast[1]) == len(seeds)
        assert set(count.values()) == {n}
    assert not set(paper.seeds) & set(paper.fresh)
    few = on("youtube-faces")["few-labels-5"]
    assert {arm for arm, _ in few.runs(confirm=True)} == set(few.contrast)


def test_a_teacher_is_measured_like_an_arm(setting):
    """It is the network that the other arms learn from, and has read the labels alone."""
    measured = runner.measured(setting, Arm(network="tough"), 0, "validation")
    errors = report.errors(setting.teacher("tough"), setting.validation)
    assert unpacked(measured["errors"]) == pytest.approx(errors, abs=1e-3)
    assert measured["training"]["step"] >= 3 and "teachers" not in measured


def test_a_regime_says_heads_and_clipping(small_faces, tmp_path):
    regime = Regime(people=4, head="heatmap", teacher_head="heatmap", clip=None, **SMALL)
    regime = replace(regime, size=64, teacher_size=64)
    setting = Setting(regime, small_faces, tmp_path)
    net, _ = setting.train_arm(Arm("kd-paper", "both"), 0)
    assert {net.config.head, setting.teacher("tough").config.head} == {"heatmap"}
    assert net.card["config"]["clip"] is None
    assert (
        setting.config("l1", 16, 4).clip is None
        and Regime().clip == training.TrainConfig("l1", 1).clip
    )


def test_in_short_only_the_contrast_is_left():
    whole = on("youtube-faces")
    assert whole is EXPERIMENTS
    for name, short in on("synthetic").items():
        assert {arm for arm, _ in short.runs()} == set(short.contrast) == set(whole[name].contrast)
        assert len(short.runs()) == 6
        assert short.regime == replace(whole[name].regime, steps=600, teacher_steps=600)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_arm_can_be_trained(setting, name):
    """Arms that differ in the learning rate alone are trained once."""
    for arm in EXPERIMENTS[name].arms.values():
        _, last = setting.train_arm(replace(arm, learning_rate=Arm.learning_rate), seed=0)
        assert np.isfinite(last["loss"]) and last["step"] >= 4


def test_a_training_is_found_again_and_another_is_refused(setting, monkeypatch):
    net, last = setting.train_arm(Arm(), seed=0)
    monkeypatch.setattr(training, "fit", None)  # a training would fail
    again, log = setting.train_arm(Arm(), seed=0)
    assert log == last and all(
        (a == b).all() for a, b in zip(net.parameters(), again.parameters(), strict=True)
    )
    monkeypatch.setattr(setting, "regime", replace(setting.regime, steps=40))
    with pytest.raises(ValueError, match="was trained otherwise"):
        setting.train_arm(Arm(), seed=0)


def test_a_stopped_training_goes_on_where_epochs_are_long(
    small_faces, tmp_path, monkeypatch, capsys
):
    regime = Regime(**SMALL | {"steps": 12})
    monkeypatch.setattr(settings, "LONG", 4)
    whole = Setting(regime, small_faces, tmp_path / "whole").train_arm(Arm(), 0)[1]
    setting, write = Setting(regime, small_faces, tmp_path / "stopped"), Run.write

    def stop(run, state):
        write(run, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Run, "write", stop)
        setting.train_arm(Arm(), 0)
    (checkpoint,) = setting.student_folder.glob("*/checkpoint.pt")
    capsys.readouterr()
    assert setting.train_arm(Arm(), 0)[1]["loss"] == whole["loss"]
    assert "going on after step" in capsys.readouterr().err and not checkpoint.parent.exists()


def test_labels_are_those_of_some_people(setting, small_faces):
    assert len(setting.labelled) == 16 and setting.labelled.table["subject"].nunique() == 4
    assert np.array_equal(setting.hard, setting.labelled.landmarks)
    again = Setting(Regime(people=4, **SMALL), small_faces, setting.student_folder.parent)
    assert np.array_equal(again.labelled.rows, setting.labelled.rows)
    few = Setting(Regime(people=2, **SMALL), small_faces, setting.student_folder.parent)
    assert set(few.labelled.rows) < set(setting.labelled.rows)
    halves = setting.halves()
    people = setting.labelled.table["subject"].to_numpy()
    assert not set(people[halves == 0]) & set(people[halves == 1]) and 0 < halves.mean() < 1


def test_faces_stand_for_people_where_nobody_is_named(small_faces, tmp_path, capsys):
    """Five people means five faces then, not all of them, and it is said."""
    nameless = copy.copy(small_faces)
    nameless.table = small_faces.table.assign(subject="")
    setting = Setting(Regime(people=5, **SMALL), nameless, tmp_path)
    assert len(setting.labelled) == 5
    assert set(setting.halves()) == {0, 1}
    for faces, sentences in ((nameless, 1), (small_faces, 0)):
        log = Log(tmp_path / f"{sentences}.jsonl")
        few = Experiment("?", Regime(people=5, **SMALL), {"a": Arm(), "b": Arm()}, ("a", "b"), (0,))
        next(runner.run(few, faces, tmp_path / str(sentences), log))
        assert capsys.readouterr().out.count("5 faces stand for people") == sentences


def test_wrong_labels_are_a_share_and_moved_by_what_is_said(small_faces, tmp_path):
    wrong = Setting(Regime(wrong=0.2, **SMALL), small_faces, tmp_path)
    truth = wrong.labelled.landmarks
    moved = np.linalg.norm(wrong.hard - truth, axis=-1)
    assert (moved > 0).mean() == pytest.approx(0.2, abs=0.02)
    sides = np.ptp(truth, axis=1).max(axis=-1)[:, None]
    length = (moved / sides)[moved > 0]
    assert 0.049 < length.min() and length.max() < 0.151
    assert np.array_equal(wrong.validation.landmarks, small_faces.split("validation").landmarks)


def test_labels_far_from_the_teacher_are_replaced(small_faces, tmp_path, monkeypatch):
    """A teacher that errs little: what was moved is taken for wrong, the rest is left."""
    wrong = Setting(Regime(wrong=0.2, **SMALL), small_faces, tmp_path)
    truth = wrong.labelled.landmarks
    teacher = truth + np.random.default_rng(0).normal(0, 0.002, truth.shape).astype(np.float32)
    monkeypatch.setattr(wrong, "teacher", lambda which: which)
    monkeypatch.setattr("kdnotes.models.inference.predict", lambda net, faces: teacher)
    targets = TARGETS["labels that tough's confirm, else tough's"](wrong)
    moved = (wrong.hard != truth).any(axis=-1)
    assert np.array_equal(targets[moved], teacher[moved])
    assert (targets == wrong.hard)[~moved].mean() > 0.95


def test_unlabelled_faces_get_the_teachers_landmarks_and_labelled_ones_keep_theirs(setting):
    targets = TARGETS["labels, else tough's"](setting)
    everywhere = TARGETS["tough's everywhere"](setting)
    labelled = np.isin(setting.train.rows, setting.labelled.rows)
    assert np.array_equal(targets[labelled], setting.hard)
    assert np.array_equal(targets[~labelled], everywhere[~labelled])
    assert not np.array_equal(everywhere[labelled], setting.hard)


def test_cross_fitted_teachers_never_saw_the_person(setting):
    """Each face is answered for by the half that it is not in."""
    known = STAND_INS["cross-fitted"](setting, 0, setting.labelled, "labelled")
    caches, halves = known.parts, setting.halves()

    class Views:
        matrix = torch.zeros(1)

    crops = torch.zeros(1)
    rows = setting.labelled.rows
    found = known.answers(rows, 1, crops, Views)["tough"]
    both = [cache.answers(rows, 1, crops, Views)["tough"] for cache in caches]
    for i, half in enumerate(halves):
        assert (found[i] == both[1 - half][i]).all() and not (found[i] == both[half][i]).all()


def test_runs_go_on_and_the_log_gives_the_figures(small_faces, tmp_path):
    arms = {"a": Arm(), "b": Arm("l2"), "c": Arm("wing")}
    experiment = Experiment("?", Regime(**SMALL), arms, ("b", "a"), seeds=(0, 1), others=1)
    log = Log(tmp_path / "log.jsonl")
    first = next(runner.run(experiment, small_faces, tmp_path, log))
    assert (first["arm"], first["seed"], first["split"]) == ("b", 0, "validation")
    log = Log(tmp_path / "log.jsonl")
    rest = list(runner.run(experiment, small_faces, tmp_path, log))
    assert [(r["arm"], r["seed"]) for r in rest] == [("a", 0), ("b", 1), ("a", 1), ("c", 0)]
    assert not list(runner.run(experiment, small_faces, tmp_path, log))
    people = small_faces.split("validation").table["subject"]
    results = Results(experiment, log)
    errors = {arm: results.errors(arm) for arm in "ab"}
    for row in log.runs:
        assert unpacked(row["errors"]).mean() == pytest.approx(row["nme"], rel=1e-3)
    found = results.gain("b")
    assert found == gain_interval(errors["b"], errors["a"], people)
    table = results.table()
    assert list(table["seeds"]) == [2, 2, 1]
    assert table.loc["b", "value"] == found.value and np.isnan(table.loc["a", "value"])
    said = f"b against a: error reduction {found.value:+.1%} on validation faces, 2 seeds"
    assert verdict(experiment, log) == f"{said}: {word([(found, 2)])}"
    assert results.shown().loc["b", "lower by"] == f"{found.value:+.1%}, two seeds"
    assert "is *not known*. Error reduction with 2 seeds: " in told(experiment, log)
    assert f"{found.low:+.1%}" not in told(experiment, log)
    with pytest.raises(ValueError, match="no seed in common on test"):
        Results(experiment, log, "test").gain("b")
    rows = summary({"mine": experiment}, log)
    assert list(rows["arm"]) == ["a", "b", "c"] and list(rows["seeds"]) == ["0 1", "0 1", "0"]
    assert rows["command"].unique() == ["python -m kdnotes experiment mine --data FACE_SET"]


UP, DOWN, OPEN = Estimate(0.1, 0.05, 0.15), Estimate(-0.1, -0.2, -0.1), Estimate(0, -0.1, 0.1)


@pytest.mark.parametrize(
    "validation, test, said",
    [
        ((UP, 5), (UP, 8), "shown"),
        ((DOWN, 5), (DOWN, 5), "shown"),
        ((UP, 5), (UP, 3), "hinted"),
        ((UP, 3), None, "hinted"),
        ((UP, 8), (OPEN, 8), "hinted"),
        ((OPEN, 8), (DOWN, 8), "hinted"),
        ((UP, 8), (DOWN, 8), "not known"),
        ((OPEN, 8), (OPEN, 8), "not known"),
        ((UP, 1), None, "not known"),
    ],
)
def test_three_words_and_when_they_are_said(validation, test, said):
    assert word([gain for gain in (validation, test) if gain]) == said


def test_the_verdict_reads_both_splits(small_faces, tmp_path):
    """On errors that are made up: a gain of 20 %, a loss of as much, and none."""
    rng = np.random.default_rng(0)
    arms = {"a": Arm(), "b": Arm("l2")}
    experiment = Experiment(
        "?", Regime(**SMALL), arms, ("b", "a"), seeds=range(5), fresh=range(100, 105)
    )
    seeds = {"validation": experiment.seeds, "test": experiment.fresh}
    for factor, said in ((0.8, "shown"), (1.2, "shown"), (1.0, "not known")):
        log = Log(tmp_path / f"{factor}.jsonl")
        log.keep_people(small_faces)
        for split in seeds:
            n = len(small_faces.split(split))
            reference = rng.uniform(0.08, 0.12, n)
            for seed in seeds[split]:
                for arm, errors in (("a", reference), ("b", reference * factor)):
                    about = {"arm": arm, "seed": seed, "split": split}
                    how = {"config": asdict(arms[arm]), "regime": asdict(experiment.regime)}
                    noise = rng.normal(0, 0.002, n)
                    log.add(about | how | {"errors": packed(errors + noise)})
        line, results = verdict(experiment, log), Results(experiment, log)
        assert line.startswith("b against a: error reduction ") and line.endswith(said)
        assert "on validation faces, 5 seeds; " in line and "on test faces, 5 seeds: " in line
        assert results.shown().loc["b", "lower by"].startswith(f"{results.gain('b').value:+.1%} (")
        single = Results(replace(experiment, seeds=(0,)), log)
        assert single.shown().loc["b", "lower by"] == f"{single.gain('b').value:+.1%}, one seed"
        one_seed = replace(experiment, seeds=(0,), fresh=())
        assert told(one_seed, log) == (
            "Whether “b” is better than “a” is *not known*. Error reduction with 1 seed: "
            f"{single.gain('b').value:+.1%} on validation faces."
        )
        sentence, better = told(experiment, log), {0.8: "better", 1.2: "worse"}.get(factor)
        if better:
            assert sentence.startswith(
                f"“b” is {better} than “a”: *shown*. Error reduction with 5 "
            )
        else:
            assert sentence.startswith("Whether “b” is better than “a” is *not known*. ")
        assert (
            f"with 5 and 5 seeds: {signed(results.gain('b'))} on validation faces and" in sentence
        )
        row = markdown({"e": experiment}, log).splitlines()[-1]
        assert row.startswith("| ? | b / a | ") and row.endswith(f" | 5 | {said} |")
        figure = plots.arms(results)
        assert figure.axes[0].get_yticklabels()[0].get_text() == "a"
    assert told(experiment, Log(tmp_path / "none")) == "“b” and “a” have no seed in common yet."


def test_a_row_compares_errors_of_the_same_seeds():
    """L1 has five seeds there and most arms have two: error, reference and gain agree in a row."""
    results = Results(EXPERIMENTS["better-than-plain"], stored("youtube-faces"))
    shown = results.shown()
    assert list(shown.index) == results.arms()
    for arm, row in shown.iterrows():
        seeds = results.seeds(arm, "L1")
        assert row["seeds"] == len(seeds)
        assert row["error"] == f"{results.errors(arm, seeds).mean():.2%}"
        if arm == "L1":
            assert row["lower by"] == row["reference, same seeds"] == ""
            continue
        error, reference = (float(row[k][:-1]) for k in ("error", "reference, same seeds"))
        value, _, aside = row["lower by"].partition("%")
        assert float(value) == pytest.approx(100 * (1 - error / reference), abs=0.2)
        assert aside.startswith(" (") if len(seeds) > 2 else aside == ", two seeds"


def test_arms_of_another_machine_can_be_left_out(small_faces, tmp_path):
    """Unless they are in the contrast, or a seed was trained on both machines."""
    arms = {"a": Arm(), "b": Arm("l2"), "c": Arm("wing"), "d": Arm("l1", scale=2)}
    experiment = Experiment("?", Regime(**SMALL), arms, ("b", "a"), seeds=(0, 1))
    log = Log(tmp_path / "log.jsonl")
    log.keep_people(small_faces)
    same = {
        "split": "validation",
        "regime": asdict(experiment.regime),
        "errors": packed(np.full(len(small_faces.split("validation")), 0.1)),
    }
    for name, devices in {"a": "xx", "b": "yy", "c": "yy", "d": "yx"}.items():
        for seed, device in enumerate(devices):
            run = {"arm": name, "seed": seed, "config": asdict(arms[name])}
            log.add(same | run | {"hardware": {"device": device}})
    results = Results(experiment, log)
    assert results.elsewhere() == ["c"]
    left = results.without(results.elsewhere())
    assert left.arms() == ["a", "b", "d"] == list(left.shown().index) and left.elsewhere() == []
    apart = Results(EXPERIMENTS["direction"], stored("youtube-faces")).elsewhere()
    assert {"L1 to the Tough teacher", "attentive imitation"} <= set(apart)


def test_the_case_is_told_from_the_logs_that_there_are(monkeypatch, tmp_path):
    text = case()
    for row in known():
        assert row["faces"] in FACES.values() and row["gains"]
        assert f"- **{row['asked']}**, {row['faces']}, {row['labelled']} with labels: " in text
    assert {row["asked"] for row in known()} >= set(list(ASKED)[1:])
    assert len(lessons().splitlines()) == len(LESSONS)
    assert all(title in lessons() for title in LESSONS) and "no seed in common" not in lessons()
    monkeypatch.setattr("kdnotes.research.experiments.known.stored", lambda _: Log(tmp_path / "no"))
    lines = case().splitlines()
    assert known() == [] and len(lines) == len(ASKED)
    assert lines[0] == "- **KD-Loss against L2**, 300W, labelled by hand: *not measured yet*"
    assert in_short() == ""


def test_the_case_in_short_has_every_question_and_face_set():
    lines = in_short().splitlines()
    for row in known():
        subject, reference = row["asked"].split(" against ")
        assert any(
            subject.lower() in line.lower() and reference in line and row["word"] in line
            and row["faces"].split(",")[0] in line
            for line in lines
        )  # fmt: skip
        small = row["word"] == "not known" and all(
            n >= 3 and gain.high < 0.05 for gain, n in row["gains"].values()
        )
        told_small = f"- On {row['faces'].split(',')[0]} the intervals against {reference} end far"
        assert small == any(line.startswith(told_small) for line in lines)
    share, faces = without_teacher()
    assert f"On the {faces} of 300W {share:.0%} of the gain over L2 comes with L1" in lines[-1]
    paper = on("300w")["paper"]
    tested = Results(paper, stored("300w"), "test").seeds(*paper.contrast, "L1")
    assert faces == ("test faces" if tested else "validation faces")
    hand = Results(paper, stored("300w"), faces.split()[0])
    assert share == hand.gain("L1").value / hand.gain(paper.contrast[0]).value


def test_an_interval_of_two_seeds_does_not_set_the_scale():
    """It may be a hundred times as wide as that of the contrast."""
    results = Results(EXPERIMENTS["few-labels-5"], stored("youtube-faces"))
    right = plots.arms(results).axes[1]
    assert max(map(abs, right.get_xlim())) < 100
    assert "no interval drawn" in right.get_xlabel()


@pytest.mark.parametrize("path", sorted((PACKAGE / "results").glob("*/*.jsonl")))
def test_the_stored_log_is_whole_and_its_table_is_what_it_says(path):
    log = Log(path)
    assert len(log.runs) == len(path.read_text().splitlines())
    for run in log.runs:
        errors = unpacked(run["errors"])
        assert len(errors) == len(log.people(run["split"]))
        assert errors.mean() == pytest.approx(run["nme"], rel=1e-3)
    table = pd.read_csv(path.with_suffix(".csv"))
    now = io.StringIO(summary(on(path.stem), log).to_csv(index=False))
    pd.testing.assert_frame_equal(table, pd.read_csv(now))
    page = report.results_page(PACKAGE.parent).read_text("utf-8")
    assert markdown(on(path.stem), log) in page


def test_a_run_is_found_by_what_was_done_and_a_half_written_one_is_made_again(
    small_faces, tmp_path
):
    file = tmp_path / "logs" / "log.jsonl"

    def made(**arms):
        experiment = Experiment("?", Regime(**SMALL), arms, tuple(arms), (0,), fresh=())
        return [r["arm"] for r in runner.run(experiment, small_faces, tmp_path, Log(file))]

    assert made(a=Arm(), b=Arm("l2")) == ["a", "b"]
    assert made(c=Arm("l2"), d=Arm("wing")) == ["d"]  # c is b
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])  # stopped while d was written
    assert made(c=Arm("l2"), d=Arm("wing")) == ["d"]
    assert len(Log(file).runs) == 3 and file.read_bytes().startswith(whole[:-40] + b"\n")


def test_runs_with_teachers_say_what_those_know_of_seen_and_unseen_faces(small_faces, tmp_path):
    arms = {"a": Arm(), "b": Arm("kd-paper", "both"), "c": Arm(targets="tough's")}
    experiment = Experiment("?", Regime(**SMALL), arms, ("b", "a"), (0,), others=1)
    log = Log(tmp_path / "log.jsonl")
    plain, taught = {}, {}
    for run in runner.run(experiment, small_faces, tmp_path, log):
        (taught if "teachers" in run else plain)[run["arm"]] = run
    assert set(plain) == {"a"} and set(taught) == {"b", "c"}
    assert set(taught["c"]["teachers"]) == {"tough", "tolerant"}
    assert set(taught["b"]["teachers"]["tough"]) == {"seen", "unseen"}
    assert 0.25 < taught["b"]["training"]["mean_slope"] <= 4.3


def test_confirming_uses_fresh_seeds_and_test_faces(small_faces, tmp_path):
    arms = {"a": Arm(), "b": Arm("l2")}
    experiment = Experiment("?", Regime(**SMALL), arms, ("b", "a"), (0,), fresh=(100, 101))
    log = Log(tmp_path / "log.jsonl")
    made = list(runner.run(experiment, small_faces, tmp_path, log, confirm=True))
    assert [(r["arm"], r["seed"], r["split"]) for r in made] == [
        ("b", 100, "test"), ("a", 100, "test"), ("b", 101, "test"), ("a", 101, "test"),
    ]  # fmt: skip
    assert len(unpacked(made[0]["errors"])) == 12


def test_the_command_runs_and_goes_on(small_faces, tmp_path, monkeypatch, capsys):
    small = Experiment("Which?", Regime(**SMALL), {"a": Arm(), "b": Arm("l2")}, ("b", "a"), (0, 1))
    monkeypatch.setitem(EXPERIMENTS, "direction", small)
    log = tmp_path / "log.jsonl"
    places = ["--data", small_faces.path, "--folder", tmp_path / "runs", "--log", log]

    def run(name):
        with pytest.raises(SystemExit) as caught:
            app.main([str(arg) for arg in ("experiment", name, *places)])
        return caught.value.code, capsys.readouterr()

    said = "b against a: "
    code, printed = run("direction")
    assert not code and printed.out.count("seed ") == 4 and "Contrast: b against a" in printed.out
    assert said in printed.out and len(log.read_text().splitlines()) == 4
    assert log.with_suffix(".csv").exists()
    code, printed = run("direction")
    assert not code and "seed 0" not in printed.out and said in printed.out
    code, printed = run("directions")
    assert code == 1 and "few-labels-5" in printed.err


def test_hints_are_the_teachers_features_of_the_same_view(setting):
    """The outputs of the hint are gone after the training; its answers are those of each view."""
    hints = STAND_INS["hints"](setting, 3, setting.labelled, "labelled")
    assert 0 < hints.n_hints <= hints.MOST
    rows = setting.labelled.rows
    found = [hints.answers(rows, view, torch.zeros(1), None)["hint"] for view in (0, 1)]
    assert found[0].shape == (len(rows), hints.n_hints, 2)
    spread = torch.cat(found).flatten(1).std(dim=0)
    assert torch.allclose(spread, torch.tensor(hints.STRAY), rtol=0.05)
    assert not torch.equal(*found)
    turned = hints.answers(rows[::-1], 1, torch.zeros(1), None)["hint"]
    assert torch.equal(turned, found[1].flip(0))
    net, last = setting.train_arm(Arm("l1+hint", "hints"), seed=3)
    assert net.config.n_points == 68 and net.head.weight.shape[0] == 136
    assert np.isfinite(last["loss"]) and "tough_pulled" not in last
    pred = inference.predict(net, setting.validation)
    assert pred.shape == setting.validation.landmarks.shape
