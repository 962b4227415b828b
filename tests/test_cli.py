"""The commands: each does its work on small data; a mistake is one sentence and exit code 1."""

import importlib
import io
import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from youtube_tree import write_tree

from kdnotes import models
from kdnotes.commands import app
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.publish import run as runner


@pytest.fixture
def data(trained_course, small_faces, monkeypatch):
    """The drawn faces as the chosen data, with the networks that are trained already."""
    course, _ = trained_course
    monkeypatch.setenv("KDNOTES_BUILD", str(course.folder.parents[1]))
    monkeypatch.setenv("KDNOTES_PROFILE", "tiny")
    monkeypatch.setenv("KDNOTES_DATA", str(small_faces.path))
    return course


@pytest.fixture
def run(capsys):
    """Runs a command; returns its exit code, what it printed, and its error."""

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            app.main([str(arg) for arg in args])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def one_sentence(result, *parts):
    code, out, err = result
    assert code == 1 and not out
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("kdnotes: "), err
    for part in parts:
        assert str(part) in err


def test_help_answers_without_the_heavy_imports():
    """`--help` of every command; torch would take seconds."""
    code = (
        "import sys\nfrom kdnotes.commands import app\n"
        "for name in ('', 'course', 'teacher', 'student', 'evaluate', 'predict', 'bench',\n"
        "             'data prepare'):\n"
        "    try:\n        app.main([*name.split(), '--help'])\n"
        "    except SystemExit as end:\n        assert not end.code, name\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "X,Y,WIDTH,HEIGHT" in " ".join(done.stdout.split())


# --- training and measuring ----------------------------------------------------------------------


def test_teacher(run, data):
    code, out, _ = run("teacher", "tough")
    assert code == 0 and f"weights and log in {data.folder / 'tough'}" in out
    assert "2 epochs" in out and "validation NME" in out and "inter-ocular" in out


def test_student(run, data):
    code, out, err = run("student", "--loss", "wing", "--seed", 3)
    assert code == 0, err
    folder = data.folder / "student-wing-seed3"
    assert str(folder) in out
    assert len((folder / "log.jsonl").read_text().splitlines()) == 2
    assert models.load(folder / "network").config.name == data.profile.student


@pytest.mark.long
def test_evaluate_all(run, data, trained_course):
    scores = trained_course[1]["scores"]
    code, out, _ = run("evaluate")
    assert code == 0 and "KD student" in out and "inter-ocular" in out and "test NME" not in out
    written = json.loads((data.folder / "validation.json").read_text())
    assert written["scores"] == [row for row in scores if row["split"] == "validation"]
    code, out, _ = run("evaluate", "--test")
    assert code == 0 and "validation NME %" in out and "test NME %" in out
    assert json.loads((data.folder / "report.json").read_text())["scores"] == scores


def test_evaluate_leaves_a_page(run, data, trained_course, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "mine.txt").write_text("kept")
    code, out, err = run("evaluate", "--report", tmp_path / "page")
    assert code == 0 and str(tmp_path / "page" / "report.html") in out, err
    numbers = json.loads((tmp_path / "page" / "report.json").read_text())
    assert numbers["about"] == "student" and numbers["split"] == "validation"
    assert set(numbers["scores"]) == {"student", "plain", "tough", "tolerant"}
    assert (tmp_path / "page" / "mine.txt").read_text() == "kept"


def test_evaluate_one(run, data, trained_course):
    file = data.folder / "tough" / "network.safetensors"
    code, out, _ = run("evaluate", "--network", file, "--network", f"again={file}", "--test")
    rows = {(row["network"], row["split"]): row for row in trained_course[1]["scores"]}
    assert code == 0 and "inter-ocular" in out
    for split in ("validation", "test"):
        nme = rows["Tough teacher", split]["nme"]
        for name in ("tough", "again"):
            words = "fractions of the inter-ocular distance"
            assert f"{name}, 12 {split} faces, {words}: nme {nme:.4f}" in out
    code, out, _ = run("evaluate", "--network", file)
    assert code == 0 and " validation faces" in out and "test" not in out


def test_evaluate_one_person(run, data, small_faces, tmp_path):
    """There is no interval, and the page of it is JSON all the same."""
    faces = small_faces.select(np.r_[0:4, 12:16, 16:20])  # one person in each split
    samples = (
        Sample(image, 24 + 48 * points, id=row.id, subject=row.subject, split=row.split)
        for image, points, row in zip(
            faces.images[:], faces.landmarks, faces.table.itertuples(), strict=True
        )
    )
    FaceSet.write(tmp_path / "set", samples, scheme=68, size=48, progress=False)
    file = data.folder / "tough" / "network.safetensors"
    code, out, err = run("evaluate", "--network", file, "--data", tmp_path / "set")
    assert code == 0 and "low –, high –, median 0." in out and "nan" not in out, err


def test_course_passes_its_options_on(run, data, small_faces, monkeypatch):
    asked = []
    monkeypatch.setattr(runner, "run", lambda *args, **more: asked.append((args, more)))
    assert run("course", "--fresh")[0] == 0
    assert asked == [(("tiny", small_faces.path), {"fresh": True, "record": False})]


def test_test_runs_pytest_in_the_smallest_profile(run, data, monkeypatch):
    asked = []

    def call(command, env, check):
        asked.append((command, env))
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(app.subprocess, "run", call)
    assert run("test", "tests/test_x.py", "-k", "some")[0] == 7
    command, env = asked[0]
    assert command[1:6] == ["-m", "pytest", "tests/test_x.py", "-k", "some"]
    assert env["KDNOTES_PROFILE"] == "tiny" and env["KDNOTES_DATA"] == ""
    run("test")
    assert asked[1][0][3:5] == ["tests", "notebooks"]
    assert "-n" in asked[1][0] and "-n" not in command


def test_lab_opens_the_first_notebook(run, monkeypatch, tmp_path):
    asked = []

    def call(command, check):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(app.subprocess, "run", call)
    monkeypatch.setattr(runner, "notebooks", lambda: [tmp_path / "00_start_here.ipynb"])
    assert run("lab")[0] == 0
    assert asked[0][1:4] == ["-m", "jupyterlab", str(tmp_path / "00_start_here.ipynb")]
    assert asked[0][4:] == [
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    lab = pytest.importorskip("jupyterlab")
    options = importlib.import_module("jupyterlab.labapp").LabApp.class_traits()
    assert options["news_url"].allow_none
    assert issubclass(lab.NeverCheckForUpdate, options["check_for_updates_class"].klass)


def test_prepare(run, tmp_path):
    write_tree(tmp_path / "tree")
    args = ("data", "prepare", "youtube-faces", "--out", tmp_path / "set", "--size", 24)
    code, out, err = run(*args, "--dir", tmp_path / "tree")
    assert code == 0, err
    faces = FaceSet.open(tmp_path / "set")
    assert faces.size == 24 and f"{len(faces):,} faces" in out
    one_sentence(run(*args, "--dir", tmp_path / "tree"), "is there already")


@pytest.mark.parametrize("folder", ["book", "kd notes [1] é", "it's $HOME"])
def test_book_prints_a_command_that_can_be_copied(run, monkeypatch, tmp_path, folder):
    pytest.importorskip("myst_nb", reason="needs the extra book")
    monkeypatch.setattr("kdnotes.publish.book.build", lambda *_: [])
    code, out, _ = run("book", "--out", tmp_path / folder)
    command = out.partition("through a server, ")[2]
    assert code == 0
    if os.name != "nt":
        assert shlex.split(command) == ["python", "-m", "http.server", "-d", str(tmp_path / folder)]
    assert ("'" in command) == (folder != "book") or os.name == "nt"


# --- where the output goes -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "latin-1"])
def test_output_of_any_encoding_ends_no_work(encoding, data, tmp_path, monkeypatch):
    """A file or pipe on Windows has no arrow, an old console no ×, a log perhaps only ASCII."""
    written = io.BytesIO()
    network = data.folder / "tough" / "network.safetensors"
    for name in "ab":
        Image.new("RGB", (60, 50), "grey").save(tmp_path / f"{name}.png")
    for command in (
        ["predict", tmp_path / "a.png", tmp_path / "b.png", "--whole", "--network", network],
        ["data", "prepare", "synthetic", "--limit", 2, "--size", 24],
    ):
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(sys, stream, io.TextIOWrapper(written, encoding, "strict"))
        with pytest.raises(SystemExit) as caught:
            app.main([str(part) for part in [*command, "--out", tmp_path / command[0]]])
        assert caught.value.code == 0
        sys.stdout.flush()
    shown = written.getvalue().decode(encoding)
    assert shown.count(" and .png") == 2 and "2 faces in" in shown
    assert "\\u2192" in shown and ("2.2" in shown and ("×" in shown or "\\xd7" in shown))
    assert len(list((tmp_path / "predict").iterdir())) == 4


# --- mistakes ------------------------------------------------------------------------------------


def test_unknown_names(run, data, tmp_path):
    one_sentence(run("teacher", "though"), "'though'", "tough")
    one_sentence(run("student", "--loss", "l3"), "no loss is called 'l3'", "kd-paper")
    one_sentence(run("teacher", "tough", "--profile", "huge"), "no profile is called 'huge'")
    prepare = run("data", "prepare", "imagenet", "--out", tmp_path / "set")
    one_sentence(prepare, "'imagenet'", "choose one of youtube-faces, 300w")
    assert not list(tmp_path.iterdir())


def test_bad_face_sets(run, data, small_faces, tmp_path):
    one_sentence(run("evaluate", "--data", tmp_path / "absent"), "no face set at", tmp_path)
    (tmp_path / "meta.json").write_text("{")
    one_sentence(run("teacher", "tough", "--data", tmp_path), "meta.json", "prepare")


def test_bad_networks(run, data, tmp_path):
    one_sentence(run("evaluate", "--network", tmp_path / "absent"), "no network at")
    (tmp_path / "bad.safetensors").write_bytes(b"bad")
    one_sentence(run("evaluate", "--network", tmp_path / "bad.safetensors"), "is damaged")
    other = models.save(models.create("mobilenetv3_small_050", 29, size=32), tmp_path / "other")
    one_sentence(run("evaluate", "--network", other), "29 landmarks, the faces have 68")


def test_damaged_checkpoint(run, data, tmp_path):
    run("student", "--loss", "smooth_l1")
    path = data.folder / "student-smooth_l1-seed0" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    one_sentence(run("student", "--loss", "smooth_l1"), path, "is damaged", "delete it")


def test_training_that_diverges(run, data, monkeypatch):
    from kdnotes import training

    monkeypatch.setitem(training.LOSSES, "l2", lambda pred, *_: pred.sum() * float("nan"))
    code, out, err = run("student", "--loss", "l2", "--seed", 9)
    last = err.strip().splitlines()[-1]  # below the progress bar
    assert code == 1 and not out and "Traceback" not in err
    assert last.startswith("kdnotes: ") and "became nan" in last and "learning_rate" in last


def test_whole_error_for_those_who_mend_it(run, data, monkeypatch):
    monkeypatch.setenv("KDNOTES_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no loss is called"):
        app.main(["student", "--loss", "l3"])


def test_student_options_reach_the_training(data, run):
    code, out, err = run("student", "--loss", "l1", "--optimizer", "paper", "--views", "1")
    folder = data.folder / "student-l1-seed0-views1-paper-optimizer"
    assert code == 0 and f"weights and log in {folder}" in out, err
    one_sentence(run("student", "--loss", "l1", "--optimizer", "sgd"), "--optimizer", "'sgd'")


def test_bench_prints_and_writes(data, run, tmp_path):
    path = tmp_path / "bench.json"
    code, out, err = run("bench", "--batch", "4", "--repeats", "1", "--out", path)
    assert code == 0 and "naive loop" in out and str(path) in out, err
    assert json.loads(path.read_text())["profile"] == "tiny"


@pytest.mark.parametrize("in_checkout", [False, True])
def test_experiments_write_to_a_checkout_or_to_the_build_folder(
    run, small_faces, monkeypatch, tmp_path, in_checkout
):
    """An installed package is nobody's to write to: it may be read-only, or shared."""
    from kdnotes.course import recipes
    from kdnotes.research import experiments
    from kdnotes.research.experiments import log, runner

    def stop(chosen, faces, root, kept, confirm):
        raise ValueError(f"runs in {kept.path}")

    monkeypatch.setattr(experiments, "on", lambda name: experiments.EXPERIMENTS)
    monkeypatch.setattr(runner, "run", stop)
    monkeypatch.setattr(recipes, "checkout", lambda: tmp_path if in_checkout else None)
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path))
    name = next(iter(experiments.EXPERIMENTS))
    _, _, err = run("experiment", name, "--data", small_faces.path)
    own = tmp_path / "experiments" / "drawn.jsonl"
    assert f"runs in {log.stored('drawn').path if in_checkout else own}\n" in err
    _, _, err = run("experiment", name, "--data", small_faces.path, "--log", tmp_path / "mine")
    assert f"runs in {tmp_path / 'mine'}\n" in err
