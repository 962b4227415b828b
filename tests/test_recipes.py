"""Profiles, the course's own steps, and the report, on the small drawn faces."""

import copy
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from at_once import at_once

from kdnotes import metrics, models, teachers, training
from kdnotes.course import profiles, recipes
from kdnotes.data import synthetic
from kdnotes.data.faceset import FaceSet, FaceSetError, Sample
from kdnotes.evaluation import report
from kdnotes.models import inference, zoo

# --- profiles ------------------------------------------------------------------------------------


def test_profile_is_chosen_by_the_environment(monkeypatch):
    monkeypatch.setenv("KDNOTES_PROFILE", "tiny")
    assert profiles.current() is profiles.PROFILES["tiny"]
    monkeypatch.setenv("KDNOTES_PROFILE", " ")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert profiles.current().name == "quick"
    monkeypatch.delenv("KDNOTES_PROFILE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert profiles.current().name == "gpu"
    monkeypatch.setenv("KDNOTES_PROFILE", "huge")
    with pytest.raises(ValueError, match="'huge'; choose one of tiny, quick, gpu, full"):
        profiles.current()


def test_profile_whose_networks_would_see_blown_up_pictures_is_refused():
    with pytest.raises(ValueError, match=r"profile tiny stores faces of 40 px, .* need 54 px"):
        replace(profiles.get("tiny"), stored_size=40)


@pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=lambda profile: profile.name)
def test_profiles_name_networks_that_exist(profile):
    import timm

    assert timm.is_model(profile.student) and timm.is_model(profile.teacher)
    assert profile.teacher_size >= profile.student_size
    assert profiles.get(profile.name) is profile


# --- recipes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(trained_course):
    return trained_course[0]


@pytest.fixture(scope="module")
def results(trained_course):
    return trained_course[1]


@pytest.fixture
def build(course, monkeypatch):
    """The folder of generated files."""
    folder = course.folder.parents[1]
    monkeypatch.setenv("KDNOTES_BUILD", str(folder))
    monkeypatch.delenv("KDNOTES_DATA", raising=False)
    return folder


def test_course_folder_tells_profile_and_faces(course, build, small_faces):
    name = f"tiny-drawn-{small_faces.fingerprint[:8]}"
    assert course.folder == build / "runs" / name
    assert course.zoom == pytest.approx(2.2 / 1.3)


def test_course_takes_the_faces_that_the_environment_names(build, small_faces, monkeypatch):
    monkeypatch.setenv("KDNOTES_PROFILE", "tiny")
    monkeypatch.setenv("KDNOTES_DATA", str(small_faces.path))
    opened = recipes.open_course()
    assert opened.faces.path == small_faces.path and opened.profile.name == "tiny"


def test_faces_that_are_not_there_or_lack_a_split(build, small_faces, tmp_path):
    with pytest.raises(FaceSetError, match=r"no face set at .*nowhere"):
        recipes.open_course("tiny", tmp_path / "nowhere")
    train = small_faces.split("train")
    samples = (Sample(train.images[[i]][0], 24 + 40 * train.landmarks[i]) for i in range(3))
    FaceSet.write(tmp_path / "train", samples, scheme=68, size=48, progress=False)
    with pytest.raises(FaceSetError, match=r"no face in the split 'validation'; it has train 3"):
        recipes.open_course("tiny", tmp_path / "train")


def test_build_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path / "elsewhere"))
    assert recipes.build_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("KDNOTES_BUILD")
    monkeypatch.chdir(tmp_path)
    assert recipes.build_folder() == tmp_path / "kdnotes-build"
    (tmp_path / "kdnotes").mkdir()
    (tmp_path / "kdnotes" / "__init__.py").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert recipes.build_folder() == tmp_path / "build"


def test_mean_shape_is_symmetric_and_of_the_training_faces(course):
    mean = recipes.mean_shape(course)
    flip = list(course.faces.scheme.flip)
    assert mean == pytest.approx(mean[flip] * [-1, 1], abs=1e-6)
    train = course.split("train").landmarks
    assert mean[:, 1].mean() == pytest.approx(train[..., 1].mean(), abs=1e-6)


def test_new_network_answers_the_mean_shape_and_leaves_the_random_numbers(course):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    net = recipes.new_network(course, "mobilenetv3_small_050", 32, seed=4)
    assert torch.equal(torch.rand(3), expected)
    same = recipes.new_network(course, "mobilenetv3_small_050", 32, seed=4)
    assert models.fingerprint(net) == models.fingerprint(same)
    net.head.weight.data.zero_()
    found = inference.predict(net, course.split("test"))[0]
    assert found == pytest.approx(recipes.mean_shape(course), abs=1e-6)


def test_soft_landmarks_are_smoother_and_cover_the_whole_set(course):
    soft = recipes.soft_landmarks(course)
    hard = course.faces.landmarks
    assert soft.shape == hard.shape and soft.dtype == np.float32
    distance = metrics.nme(soft, hard, 68).mean()
    assert 0 < distance < report.score(course_mean(course), course.faces)["nme"]


def course_mean(course):
    return np.broadcast_to(recipes.mean_shape(course), course.faces.landmarks.shape)


def test_teachers_learn_what_they_are_for(course, results, monkeypatch):
    """The Tough teacher from the hard landmarks, the Tolerant one from the soft."""
    asked = {}

    def listen(net, faces, config, *, targets=None, run=None, **more):
        asked[run.name] = (config, targets)
        return [{"epoch": 1}]

    monkeypatch.setattr(training, "fit", listen)
    monkeypatch.setattr(models, "save", lambda *args, **more: None)
    recipes.train_teacher(course, "tough")
    recipes.train_teacher(course, "tolerant")
    assert asked["tough"][0].loss == asked["tolerant"][0].loss == "l2"
    assert asked["tough"][1] is None
    soft = recipes.soft_landmarks(course)[course.split("train").rows]
    assert np.array_equal(asked["tolerant"][1], soft)
    with pytest.raises(ValueError, match='"tough" or "tolerant", found \'though\''):
        recipes.train_teacher(course, "though")


def test_teachers_begin_with_the_one_that_ships_where_the_profile_does(course, monkeypatch):
    """For faces and sizes that it was trained for; both with the same weights."""
    began = []

    def listen(net, faces, config, **more):
        began.append((models.fingerprint(net), config.epochs))
        return [{"epoch": 1}]

    monkeypatch.setattr(training, "fit", listen)
    monkeypatch.setattr(models, "save", lambda *args, **more: None)
    profile = course.profile
    ships = recipes.new_network(course, profile.teacher, profile.teacher_size, seed=7)
    monkeypatch.setattr(zoo, "shipped", lambda faces: {"tough": copy.deepcopy(ships)})
    refining = replace(course, profile=replace(profile, refining_epochs=1))
    for which in ("tough", "tolerant"):
        recipes.train_teacher(refining, which)
    assert began == 2 * [(models.fingerprint(ships), 1)]
    began.clear()
    ships.config = replace(ships.config, size=profile.teacher_size + 32)
    for asked in (course, refining):
        recipes.train_teacher(asked, "tough")
    assert [epochs for _, epochs in began] == 2 * [profile.teacher_epochs]
    assert began[0][0] != models.fingerprint(ships)


def test_trained_networks_are_found_again(course, results, monkeypatch):
    """After the report everything is there: nothing is trained, and the files say the same."""
    monkeypatch.setattr(torch.optim.AdamW, "step", None)  # a step would fail
    cache = recipes.teacher_cache(course)
    assert cache.names == ["tough", "tolerant"]
    nets = report.networks(course)
    expected = {"tough": nets[report.TOUGH], "tolerant": nets[report.TOLERANT]}
    assert cache.fingerprints == {name: models.fingerprint(net) for name, net in expected.items()}
    folders = {
        report.PLAIN: "student-l1-seed0",
        report.KD: "student-kd-paper-seed0",
        report.TOUGH: "tough",
        report.TOLERANT: "tolerant",
    }
    prints = set()
    for row, net in nets.items():
        stored = models.load(course.folder / folders[row] / "network")
        assert models.fingerprint(stored) == models.fingerprint(net), row
        assert stored.card["faces"] == "drawn" and stored.card["log"]["epoch"] == 2
        prints.add(models.fingerprint(net))
    assert len(prints) == 4
    for which in ("tough", "tolerant"):
        net, _ = recipes.train_teacher(course, which)
        assert not any(parameter.requires_grad for parameter in net.parameters())


def test_plain_and_kd_student_differ_in_the_loss_alone(course, results):
    nets = report.networks(course)
    assert nets[report.PLAIN].config == nets[report.KD].config
    keys = []
    for run in ("student-l1-seed0", "student-kd-paper-seed0"):
        about = training.checkpoints.load(course.folder / run / "checkpoint.pt")
        keys.append(about["key"])
    plain, kd = keys
    assert kd.pop("teachers") and "teachers" not in plain
    assert plain["config"].pop("loss") == "l1" and kd["config"].pop("loss") == "kd-paper"
    assert plain == kd


def test_a_students_options(course, tmp_path, monkeypatch):
    """Each has its own folder, and what it says is what is trained."""
    course, asked = replace(course, folder=tmp_path), {}

    def listen(net, faces, config, *, run, teachers=None, **more):
        asked[run.name] = (config, teachers)
        return [{"epoch": 1}]

    monkeypatch.setattr(training, "fit", listen)
    monkeypatch.setattr(models, "save", lambda *args, **more: None)
    recipes.train_student(course, "l1", paper_optimizer=True, compile=True)
    config, _ = asked["student-l1-seed0-paper-optimizer-compiled"]
    assert config.compile and config.weight_decay == 0 and config.schedule == "inverse-time"
    recipes.train_student(course, "kd-paper", n_views=0)
    config, found = asked["student-kd-paper-seed0-views0"]
    assert config.n_views == 0 and isinstance(found, teachers.Teachers)
    recipes.train_student(course, "kd-paper", n_views=1)
    config, found = asked["student-kd-paper-seed0-views1"]
    assert config.n_views == 1 and found.landmarks.shape[1] == 1
    assert found.path.name == "teacher-landmarks-seed0-views1"
    recipes.train_student(course, "l1", scale=3.5)
    assert asked["student-l1-seed0-times3.5"][0].scale == 3.5
    recipes.train_student(course, "l1+teachers", n_views=1)
    assert asked["student-l1+teachers-seed0-views1"][1].path == found.path


@pytest.mark.parametrize("processes, expected", [(1, 70), (4, 68), (8, 64), (100, 100)])
def test_batches_can_be_shared_by_any_number_of_processes(processes, expected, monkeypatch):
    found = SimpleNamespace(num_processes=processes)
    monkeypatch.setattr(recipes.processes, "state", lambda: found)
    for paper_optimizer in (False, True):
        config = recipes.config_of(profiles.get("full"), "l1", 1, paper_optimizer=paper_optimizer)
        assert config.batch_size == expected


def test_fresh_trains_again(course, tmp_path, results, monkeypatch):
    own = replace(course, folder=tmp_path)
    recipes.train_teacher(own, "tough")
    before = (tmp_path / "tough" / "checkpoint.pt").stat().st_mtime_ns
    recipes.train_teacher(own, "tough")
    assert (tmp_path / "tough" / "checkpoint.pt").stat().st_mtime_ns == before
    recipes.train_teacher(own, "tough", fresh=True)
    assert (tmp_path / "tough" / "checkpoint.pt").stat().st_mtime_ns > before


def test_unknown_loss_of_a_student(course):
    with pytest.raises(ValueError, match="no loss is called 'kd-typo'; choose one of"):
        recipes.train_student(course, "kd-typo")


def test_swapped_teachers_do_not_pass_as_the_course_s_own(course, results, monkeypatch):
    """Were the two exchanged on their way into the cache, the stored one would be refused."""
    real = teachers.Teachers
    swapped = lambda tough, tolerant, **more: real(tolerant, tough, **more)  # noqa: E731
    monkeypatch.setattr(recipes, "Teachers", swapped)
    with pytest.raises(ValueError, match="made for another teachers"):
        recipes.teacher_cache(course)


def test_embedded_faces_are_made_once(build, monkeypatch, small_faces):
    made = []

    def prepare(path, n, *, size, replace, progress):
        made.append((n, size))
        points = 24 + 40 * small_faces.landmarks[:n]
        samples = map(Sample, small_faces.images[:n], points)
        return FaceSet.write(
            path, samples, scheme=68, size=size, rendered=True, replace=replace, progress=False
        )

    monkeypatch.setattr(recipes, "prepare_synthetic", prepare)
    profile = replace(profiles.get("tiny"), n_faces=2)
    first = recipes.embedded_faces(profile)
    assert recipes.embedded_faces(profile).fingerprint == first.fingerprint
    assert made == [(2, 56)]


def test_three_first_starts_at_once(build, monkeypatch, capsys):
    """Three notebooks that are opened one after the other: faces are rendered once, a network is
    trained once, and the others take what is there."""
    profile = replace(profiles.get("tiny"), n_faces=3, stored_size=58)
    path = build / "faces" / f"embedded-v{synthetic.VERSION}-3-58px"
    made, said = at_once(path, lambda: recipes.embedded_faces(profile, progress=False), capsys)
    assert {faces.fingerprint for faces in made} == {FaceSet.open(path).fingerprint}
    assert said.count("3 faces in") == 1 and "delete" not in said
    assert [found.name for found in path.parent.glob("*58px*")] == [path.name]


def test_a_network_is_trained_once_by_three(course, tmp_path, monkeypatch, capsys):
    own, trained = replace(course, folder=tmp_path), []

    def fit(net, faces, config, *, run, **more):
        if not (run / "done").exists():
            trained.append(run.name)
            run.mkdir(parents=True)
            (run / "done").touch()
        return [{"epoch": 1}]

    monkeypatch.setattr(training, "fit", fit)
    at_once(tmp_path / "tough", lambda: recipes.train_teacher(own, "tough"), capsys)
    assert trained == ["tough"]
    assert [path.name for path in tmp_path.iterdir()] == ["tough"]


# --- report --------------------------------------------------------------------------------------


def test_report_is_complete_and_right(course, results):
    rows = {(row["network"], row["split"]): row for row in results["scores"]}
    names = [report.MEAN_SHAPE, report.PLAIN, report.KD, report.TOUGH, report.TOLERANT]
    names.append(report.TOLERANT_SOFT)
    assert set(rows) == {(name, split) for name in names for split in report.SPLITS}
    faces = course.split("test")
    for name, net in report.networks(course).items():
        errors = metrics.nme(inference.predict(net, faces), faces.landmarks, 68)
        row = rows[name, "test"]
        assert row["n"] == 12
        assert row["nme"] == pytest.approx(errors.mean(), abs=1e-6)
        assert row["median"] == pytest.approx(np.median(errors), abs=1e-6)
        assert row["fr10"] == pytest.approx((errors > 0.10).mean())
        assert row["auc10"] == pytest.approx(np.clip(1 - errors / 0.1, 0, 1).mean(), abs=1e-5)
        assert row["low"] <= row["nme"] <= row["high"]
    mean = course_mean(course)[:12]
    assert rows[report.MEAN_SHAPE, "test"]["nme"] == pytest.approx(
        metrics.nme(mean, faces.landmarks, 68).mean()
    )
    soft = recipes.soft_landmarks(course)[faces.rows]
    tolerant = inference.predict(report.networks(course)[report.TOLERANT], faces)
    assert rows[report.TOLERANT_SOFT, "test"]["nme"] == pytest.approx(
        metrics.nme(tolerant, soft, 68).mean(), abs=1e-6
    )
    assert results["data"]["faces"] == {"train": 36, "validation": 12, "test": 12}
    assert results["data"]["people"] == {"train": 9, "validation": 3, "test": 3}
    assert results["normaliser"] == "interocular" and results["crop_margin"] == 1.3


def test_report_can_be_written_read_and_shown(results, tmp_path):
    path = report.write(results, tmp_path / "report.json")
    assert report.read(path) == results == json.loads(path.read_text())
    table = report.table(results)
    row = next(r for r in results["scores"] if (r["network"], r["split"]) == (report.KD, "test"))
    assert table.loc[report.KD, "test NME %"] == f"{100 * row['nme']:.2f}"
    text = report.markdown(results)
    assert text.count("\n") == 7 and f"| {report.KD} | " in text
    caption = report.caption(results)
    for part in ("inter-ocular", "12 validation and 12 test faces of drawn", "landmarks box × 1.3"):
        assert part in caption


def test_interval_without_known_people_draws_faces(course):
    faces = course.split("test")
    pred = np.broadcast_to(recipes.mean_shape(course), faces.landmarks.shape)
    faces.table["subject"] = ""
    found = report.score(pred, faces)
    errors = metrics.nme(pred, faces.landmarks, 68)
    assert (found["nme"], found["low"], found["high"]) == metrics.mean_interval(errors)
    assert found["low"] < found["nme"] < found["high"]
