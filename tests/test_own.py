"""Your own landmarks, without a browser: the table of labels, the server, the three steps."""

import http.client
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kdnotes import models
from kdnotes.data import prepare, schemes
from kdnotes.data.schemes import Scheme
from kdnotes.deploy import predict
from kdnotes.own import labels as own_labels
from kdnotes.own import looks, steps
from kdnotes.own.figure import Labelling
from kdnotes.own.labels import ChangedMeanwhile, Label, Labels
from kdnotes.own.serve import Server
from kdnotes.plots import live

SCHEME = Scheme(3, (1, 0, 2), edges=((0, 1),), pair=((0,), (1,)), names=("left", "right", "tip"))


def draw_pictures(folder, n=8, side=90, seed=0):
    """Pictures of a bright triangle whose corners are the landmarks; returns the landmarks."""
    rng, found = np.random.default_rng(seed), {}
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        centre, size = rng.uniform(0.4, 0.6, 2) * side, rng.uniform(0.2, 0.3) * side
        corners = centre + size * np.array([[-1, 0.6], [1, 0.6], [0, -1]])
        y, x = np.mgrid[:side, :side]
        inside = np.ones((side, side), bool)
        for a, b in ((0, 2), (2, 1), (1, 0)):
            (ax, ay), (bx, by) = corners[a], corners[b]
            inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
        image = np.where(inside, 220, 40).astype(np.uint8)
        image = np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
        Image.fromarray(image).convert("RGB").save(folder / f"{i + 1}.png")
        found[f"{i + 1}.png"] = corners
    return found


@pytest.fixture
def project(tmp_path):
    draw_pictures(tmp_path / "pictures")
    project = steps.Project.of(tmp_path / "pictures")
    project.folder.mkdir()
    project.scheme_file.write_text(json.dumps(schemes.to_json(SCHEME)))
    return project


@pytest.fixture
def labels(project):
    return project.labels()


def label(*points, hidden=()):
    flags = np.zeros(len(points), bool)
    flags[list(hidden)] = True
    return Label(np.array([p or (np.nan, np.nan) for p in points], float), flags)


# --- the table -----------------------------------------------------------------------------------


def test_pictures_are_counted_as_people_do(tmp_path):
    draw_pictures(tmp_path, 11)
    files = own_labels.pictures_of(tmp_path)
    files = list(files)
    assert files[:3] == ["1.png", "2.png", "3.png"] and files[-1] == "11.png"


def test_a_label_is_read_as_it_was_saved(labels):
    nothing = labels.get("1.png")
    assert not nothing.placed.any()
    placed = label((1.5, 2.25), None, (30, 40), hidden=[2])
    labels.save("1.png", placed, nothing)
    again = labels.get("1.png")
    np.testing.assert_array_equal(again.points, placed.points)
    assert again.hidden.tolist() == [False, False, True] and not again.complete
    labels.save("1.png", label((1, 2), (3, 4), (5, 6)), again)
    assert labels.complete() == ["1.png"]


def test_what_others_have_changed_is_not_overwritten(labels):
    other = Labels(labels.table, labels.images, SCHEME)
    before = labels.get("2.png")
    other.save("2.png", label((1, 1), (2, 2), (3, 3)), before)
    with pytest.raises(ChangedMeanwhile, match=r"2\.png have been changed elsewhere") as raised:
        labels.save("2.png", label((9, 9), None, None), before)
    assert raised.value.label.complete and labels.get("2.png").points[0].tolist() == [1, 1]


def test_other_rows_and_columns_of_a_table_stay(labels):
    labels.table.write_text(
        "file,x0,y0,x1,y1,x2,y2,who\nelse.png,1,2,3,4,5,6,Ann\n1.png,,,,,,,Bo\n"
    )
    labels.save("1.png", label((1, 1), (2, 2), (3, 3)), labels.get("1.png"))
    text = labels.table.read_text()
    assert "else.png,1,2,3,4,5,6,Ann" in text and "1.png,1.00,1.00,2.00,2.00,3.00,3.00,Bo" in text


@pytest.mark.parametrize(
    "text, sentence",
    [("file,x0,y0\na,1,2\n", "1 points; expected a column file and the 3 points"),
     ("a,b\n1,2\n", "0 points; expected"),
     ("file,x0,y0,x1,y1,x2,y2\n1.png,1,2,3,here,5,6\n", "line 2: could not convert"),
     ("file,x0,y0,x1,y1,x2,y2,hidden_points\n1.png,1,2,3,4,5,6,7\n", "line 2: index 7")],
)  # fmt: skip
def test_a_table_of_something_else_is_refused(labels, text, sentence):
    labels.table.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        labels.read()
    assert labels.table.read_text() == text


@pytest.mark.parametrize("wrong", [(np.inf, 1), (1, np.nan)])
def test_landmarks_that_are_none_are_refused(labels, wrong):
    with pytest.raises(ValueError, match="both finite, or neither"):
        labels.save("1.png", label(wrong, None, None), labels.get("1.png"))


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(ValueError, match="no picture in the folder"):
        own_labels.pictures_of(tmp_path)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        own_labels.pictures_of(tmp_path / "nowhere")


def test_a_full_disk_loses_nothing(labels, monkeypatch):
    labels.save("1.png", label((1, 1), (2, 2), (3, 3)), labels.get("1.png"))
    before = labels.table.read_text()

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        labels.save("2.png", label((1, 1), (2, 2), (3, 3)), labels.get("2.png"))
    assert labels.table.read_text() == before
    assert [path.name for path in labels.table.parent.iterdir() if ".part" in path.name] == []


def test_a_killed_program_leaves_a_whole_table(project):
    """Killed again and again in the middle of saving."""
    script = f"""
import numpy as np
from kdnotes.own.labels import Label
from kdnotes.own.steps import Project
labels = Project.of({str(project.images)!r}).labels()
print("ready", flush=True)
n = 0
while True:
    n += 1
    label = Label(np.full((3, 2), float(n)) + np.arange(3)[:, None], np.zeros(3, bool))
    labels.save("1.png", label, labels.get("1.png"))
"""
    for _ in range(3):
        running = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        running.stdout.readline()
        threading.Event().wait(0.4)
        running.kill()
        running.wait()
        assert project.labels().get("1.png").complete


def test_the_table_is_one_that_data_prepare_reads(project, labels, tmp_path):
    """Rows that are not finished are left out, and said."""
    for i in range(1, 7):
        labels.save(f"{i}.png", label((20, 60), (70, 60), (45, 20)), labels.get(f"{i}.png"))
    labels.save("7.png", label((20, 60), None, (45, 20)), labels.get("7.png"))
    labels.save("8.png", label((20, 60), (70, 60), (45, 20), hidden=[1]), labels.get("8.png"))
    faces = prepare.prepare_own(
        labels.table, tmp_path / "set", images=project.images, scheme=SCHEME, progress=False
    )
    assert len(faces) == 7 and "1 of 8 rows" in " ".join(faces.meta["notes"])
    assert faces.visible[-1].tolist() == [True, False, True]


# --- the figure in a notebook --------------------------------------------------------------------


def test_the_figure_saves_at_once_and_goes_on(labels):
    figure = Labelling(labels)
    assert figure.file == "1.png" and figure.points == [None] * 3 and figure.width == 90
    figure.points = [[10.0, 20.0], None, None]
    assert labels.get("1.png").points[0].tolist() == [10, 20]
    assert figure.says() == "1.png: 1 of 3 placed"
    figure.hidden = [True, False, False]
    figure.points = [[10.0, 20.0], [30.0, 20.0], [20.0, 5.0]]
    assert figure.n_complete == 1 and labels.get("1.png").hidden.tolist() == [True, False, False]
    figure.index = 1
    assert figure.file == "2.png" and figure.points == [None] * 3
    assert Labelling(labels).file == "2.png", "begins at the first that is not done"


def test_the_figure_says_what_was_changed_elsewhere_or_cannot_be_saved(labels, monkeypatch):
    figure, other = Labelling(labels), Labelling(labels)
    other.points = [[1.0, 1.0], None, None]
    figure.points = [[9.0, 9.0], None, None]
    assert "changed elsewhere" in figure.problem and figure.points[0] == [1.0, 1.0]
    figure.points = [[1.0, 1.0], [2.0, 2.0], None]
    assert figure.problem == "" and labels.get("1.png").placed.sum() == 2

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Labels, "save", full)
    figure.points = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert "not saved: " in figure.problem and "No space left" in figure.problem
    monkeypatch.undo()
    figure.hidden = [False, True, False]
    assert figure.problem == "" and labels.complete() == ["1.png"]


def test_a_guess_is_no_label_before_it_is_confirmed(labels):
    guess = np.array([[10.0, 60.0], [80.0, 60.0], [45.0, 10.0]])
    figure = Labelling(labels, lambda image: (guess, np.array([False, True, False])))
    assert figure.points == guess.tolist() and figure.guessed == [True] * 3
    assert figure.unsure == [False, True, False] and not labels.get("1.png").placed.any()
    figure.guessed = [False, False, True]
    assert labels.get("1.png").placed.tolist() == [True, True, False]
    figure.guessed = [False] * 3
    assert labels.complete() == ["1.png"]


def test_the_figure_has_a_still_and_a_state(labels):
    figure = Labelling(labels, order=["3.png", "1.png"])
    data, _ = figure._repr_mimebundle_()
    stored = json.loads(data[live.MIME])
    assert stored["module"] == "labelling" and stored["state"]["file"] == "3.png"
    assert stored["state"]["names"] == list(SCHEME.names)


# --- the server ----------------------------------------------------------------------------------


@pytest.fixture
def server(project):
    with Server(project) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    headers = {"Authorization": f"Bearer {server.token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    connection.request(method, path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_it_listens_here_alone(server):
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path, headers",
    [("/", {}), ("/?token=wrong", {}), ("/picture?index=0", {"Authorization": "Bearer wrong"}),
     ("/picture?index=0", {"Host": "evil.example:80"}),
     ("/picture?index=0", {"Origin": "http://evil.example"})],
)  # fmt: skip
def test_strangers_are_refused(server, path, headers):
    status, text = ask(server, "GET", path, **headers)
    assert (status, text) == (403, "Forbidden")


def test_a_foreign_page_cannot_write(server, project):
    body = {"file": "1.png", "points": [[1, 1], [2, 2], [3, 3]], "hidden": [False] * 3,
            "guessed": [False] * 3, "seen": [""] * 7}  # fmt: skip
    assert ask(server, "PUT", "/label", body, Origin="http://evil.example")[0] == 403
    assert ask(server, "PUT", "/label", body, Authorization="Bearer x")[0] == 403
    assert not (project.folder / "labels.csv").exists()
    assert ask(server, "PUT", "/label", body)[0] == 200
    assert project.labels().complete() == ["1.png"]


@pytest.mark.parametrize(
    "change", [{"points": [[1, 1]]}, {"seen": ["a"] * 7}, {"file": "../x.png"}, {"points": "x"}]
)
def test_what_is_not_understood_changes_nothing(server, project, change):
    body = {"file": "1.png", "points": [None] * 3, "hidden": [False] * 3, "guessed": [False] * 3,
            "seen": [""] * 7}  # fmt: skip
    status, text = ask(server, "PUT", "/label", body | change)
    assert status == 400 and json.loads(text)["problem"]
    assert not (project.folder / "labels.csv").exists()


def test_files_of_the_machine_are_not_served(server):
    for path in ("/../labels.csv", "/labels.csv", "/etc/passwd", "/picture?index=../1"):
        assert ask(server, "GET", path)[0] == 404


def test_a_picture_that_does_not_open_is_said_and_the_others_go_on(server, project):
    (project.images / "2.png").write_bytes(b"no picture")
    status, text = ask(server, "GET", "/picture?index=1")
    assert status == 200 and "2.png" in json.loads(text)["problem"]
    assert json.loads(ask(server, "GET", "/picture?index=2")[1])["problem"] == ""


def test_a_scheme_that_contradicts_itself_is_said(server, project):
    project.scheme_file.unlink()
    scheme = {"n_points": 2, "names": ["a", "a"], "edges": [], "flip": None, "pair": None}
    placed = {"file": "2.png", "points": [[1, 2], [3, 4]]}
    status, text = ask(server, "PUT", "/scheme", {"scheme": scheme} | placed)
    assert status == 400 and "names" in json.loads(text)["problem"]
    assert not project.scheme_file.exists() and not (project.folder / "labels.csv").exists()
    scheme["names"] = ["a", "b"]
    status, text = ask(server, "PUT", "/scheme", {"scheme": scheme} | placed)
    assert status == 200 and project.scheme().names == ("a", "b")


# --- the steps -----------------------------------------------------------------------------------

SMALL = steps.Plan(
    teacher="mobilenetv3_small_050", student="mobilenetv3_small_050", teacher_size=64,
    student_size=64, teacher_steps=40, student_steps=20, batch_size=4,
)  # fmt: skip


def test_from_labels_to_a_student(tmp_path):
    truth = draw_pictures(tmp_path / "pictures", 12)
    project = steps.Project.of(tmp_path / "pictures")
    project.folder.mkdir()
    project.scheme_file.write_text(json.dumps(schemes.to_json(SCHEME)))
    labels = project.labels()
    with pytest.raises(ValueError, match="0 pictures have all of their landmarks"):
        steps.teach(project, SMALL, progress=False)
    for file in labels.files[:5]:
        labels.save(file, Label(truth[file], np.zeros(3, bool)), labels.get(file))
    teacher = steps.teach(project, SMALL, progress=False)
    assert teacher.config.box == "picture" and teacher.config.crop_margin == 1.0
    seen = steps.propose(project, teacher, progress=False)
    assert sorted(seen) == sorted(labels.files[5:])
    assert set(project.proposals().complete()) == set(labels.files[5:])
    ranked = steps.order(project)
    unsure = sorted(seen, key=lambda file: -round(seen[file].spread.mean(), 4))
    assert ranked == unsure + labels.files[:5]
    assert not steps.outdated(project) and steps.checked(project)[1] == 0
    placed = seen[unsure[0]].points + np.array([3, 4])
    labels.save(unsure[0], Label(placed, np.zeros(3, bool)), labels.get(unsure[0]))
    error, n = steps.checked(project)
    assert n == 1 and error == pytest.approx(5 / np.hypot(*placed[0] - placed[1]), rel=0.01)
    labels.save(unsure[0], Label.empty(3), labels.get(unsure[0]))
    student = steps.distil(project, plan=SMALL, progress=False)
    again = models.load(project.network("student"))
    assert models.fingerprint(again) == models.fingerprint(student)
    assert again.card["labelled"] == labels.files[:5] and len(again.card["proposed"]) == 7
    points, unsure = steps.guesser(teacher)(labels.picture("1.png"))
    assert points.shape == (3, 2) and unsure.shape == (3,)


def test_a_teacher_may_begin_with_what_another_network_knows(project, labels, tmp_path):
    known = models.create("mobilenetv3_small_050", 5, size=32)
    file = models.save(known, tmp_path / "known", card={})
    net = models.create("mobilenetv3_small_050", SCHEME, size=64, head="heatmap")
    models.begin_with(net, known)
    learned = known.backbone.state_dict()
    for key, value in net.backbone.state_dict().items():
        assert (value == learned[key]).all(), key
    other = models.create("mobilenetv2_050", SCHEME, size=64)
    with pytest.raises(ValueError, match="a mobilenetv2_050 cannot begin with the features of a"):
        models.begin_with(other, known)
    for name in labels.files[:3]:
        labels.save(name, label((1, 2), (3, 4), (5, 6)), labels.get(name))
    told = replace(SMALL, teacher_steps=1)
    alone = steps.teach(project, told, progress=False)
    begun = steps.teach(project, replace(told, start=str(file)), progress=False)
    assert models.fingerprint(alone) != models.fingerprint(begun)
    again = steps.teach(project, told, progress=False)
    assert models.fingerprint(again) == models.fingerprint(alone), "each plan has its own run"


def test_the_whole_picture_is_what_training_and_use_see(project):
    """Also where it is not square: the same pixels, the same landmarks."""
    picture = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    net = models.create("mobilenetv3_small_050", SCHEME, size=64, crop_margin=1.0, box="picture")
    Image.fromarray(picture).save(project.images / "1.png")
    told = {"1.png": label((10, 20), (90, 20), (50, 55))}
    faces = steps.store(project, "one", project.labels(), told, SMALL)
    from kdnotes.models import inference

    stored = inference.predict(net.eval(), faces)
    cx, cy, side = faces.crops[0]
    in_source = np.array([cx, cy]) + side * stored[0]
    np.testing.assert_allclose(predict.predict(net, picture), in_source, atol=1.0)
    assert (cx, cy, side) == (49.5, 29.5, 140.0)


def test_looks_that_follow_the_picture_have_no_spread():
    """And those of a network that always says the same lie apart as far as the crops do."""

    class Sure:
        config = replace(models.create("mobilenetv3_small_050", SCHEME).config, box="picture")

        def read(self, crops):
            return np.tile(
                np.array([[-0.2, 0], [0.2, 0], [0, 0.3]], np.float32), (len(crops), 1, 1)
            )

    class Bright(Sure):
        """Finds the brightest pixel, three times."""

        def read(self, crops):
            at = crops.sum(axis=3).reshape(len(crops), -1).argmax(axis=1)
            places = np.stack([at % crops.shape[2], at // crops.shape[2]], axis=1)
            middle = (places + 0.5) / crops.shape[2] - 0.5
            return np.repeat(middle[:, None], 3, axis=1).astype(np.float32)

    image = np.zeros((100, 100, 3), np.uint8)
    image[38:43, 58:63] = 200
    image[40, 60] = 255
    sure, bright = (looks.look_around(kind(), image) for kind in (Sure, Bright))
    assert np.abs(bright.points - [60, 40]).max() < 2
    assert sure.spread.min() > 0.02 > bright.spread.max(), "of the crop: three points are one"


def test_commands_say_what_comes_next(project, labels, capsys):
    from kdnotes.commands.app import main

    with pytest.raises(SystemExit):
        main(["own", "propose", str(project.images)])
    assert "there is no teacher at" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["own", "teach", str(project.images)])
    assert "a teacher needs 3 or more" in capsys.readouterr().err


def test_names_belong_to_the_points(tmp_path):
    with pytest.raises(ValueError, match="needs 2 different names"):
        Scheme(2, names=("a",))
    file = Path(tmp_path, "scheme.json")
    file.write_text(json.dumps(schemes.to_json(SCHEME)))
    assert schemes.get_named(str(file)) == SCHEME


# --- what goes wrong -----------------------------------------------------------------------------


def test_names_are_found_again_however_their_accents_are_written(project):
    (project.images / "1.png").rename(project.images / "e\u0301 1\u00b2.png")
    labels = project.labels()
    (name,) = [file for file in labels.files if "1" in file]
    assert name == "\u00e9 1\u00b2.png" and labels.picture(name).shape == (90, 90, 3)
    labels.save(name, label((1, 2), (3, 4), (5, 6)), labels.get(name))
    labels.save(name, label((2, 2), (3, 4), (5, 6)), labels.get(name))
    assert labels.complete() == [name] and len(labels.read()) == 1


@pytest.mark.parametrize(
    "row, sentence",
    [
        ("1.png,1,2,3,4,5,6,\n1.png,2,2,3,4,5,6,", "another row has this picture"),
        ("1.png,1,2,3,4,5,6,-1", "hidden points are"),
        (",1,2,3,4,5,6,", "no file"),
    ],
)
def test_rows_that_are_none_are_refused_and_stay(project, row, sentence):
    labels = project.labels()
    text = f"file,x0,y0,x1,y1,x2,y2,hidden_points\n{row}\n"
    labels.table.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        labels.read()
    assert labels.table.read_text() == text


def test_a_scheme_is_begun_on_a_picture_with_any_name(project):
    for path in project.images.iterdir():
        path.unlink() if path.stem != "1" else path.rename(path.with_name("e\u0301.png"))
    project.scheme_file.unlink()
    with Server(project) as server:
        assert "data:image/jpeg" in server.page()


def test_a_second_page_leaves_the_scheme(project, labels):
    with Server(project) as server:
        answer, status = server.save_scheme({"scheme": {"n_points": 1, "names": ["other"]}})
    assert status == 409 and "it stays" in answer["problem"] and answer["reload"]
    assert project.scheme() == SCHEME


def test_a_student_of_labels_alone_needs_no_teacher(project, labels, capsys):
    from kdnotes.commands.app import main

    for name in labels.files[:3]:
        labels.save(name, label((1, 2), (30, 40), (50, 60)), labels.get(name))
    assert not steps.outdated(project)
    with pytest.raises(SystemExit) as done:
        main(["own", "distil", str(project.images), "--length", "1"])
    assert done.value.code == 0 and "student.safetensors" in capsys.readouterr().out


def test_proposals_of_an_earlier_teacher_are_noticed(project, labels):
    for seed in range(2):
        torch.manual_seed(seed)
        net = models.create("mobilenetv3_small_050", SCHEME, size=64, box="picture")
        models.save(net, project.network("teacher").with_suffix(""), card={})
        assert steps.outdated(project) == bool(seed)
        if not seed:
            steps.propose(project, models.freeze(net), progress=False)
            assert not steps.outdated(project)


def test_a_scheme_beside_labels_of_another_one_is_not_saved(project, labels):
    project.scheme_file.unlink()
    labels.table.write_text("file,x0,y0\n1.png,3,4\n")
    asked = {"scheme": schemes.to_json(SCHEME), "file": "1.png", "points": [[1, 2]] * 3}
    with Server(project) as server:
        answer, status = server.save_scheme(asked)
        assert status == 400 and "has 1 points" in answer["problem"]
        assert not project.scheme_file.exists()
        labels.table.write_text("file,x0,y0,x1,y1,x2,y2\n1.png,3,4,5,6,7,8\n")
        assert server.save_scheme(asked)[1] == 200
    assert project.labels().get("1.png").points[0].tolist() == [3, 4], "a label stays"


def test_a_page_takes_the_last_teacher_when_it_is_opened(project, labels):
    with Server(project) as server:
        assert server.state(0)["guessed"] == [False] * 3
        torch.manual_seed(0)
        net = models.create("mobilenetv3_small_050", SCHEME, size=64, box="picture")
        models.save(net, project.network("teacher").with_suffix(""), card={})
        seen = steps.propose(project, models.freeze(net), progress=False)
        server.page()
        assert server.state(0)["guessed"] == [True] * 3
        assert server.order == steps.order(project) and server.order[0] in seen
        other = models.create("mobilenetv3_small_050", Scheme(2), size=64, box="picture")
        models.save(other, project.network("teacher").with_suffix(""), card={})
        assert "nothing is guessed: the teacher knows another scheme" in server.page()


def test_a_table_that_cannot_be_read_is_said_to_the_page(server, project):
    project.labels().table.write_text("file,x0,y0\n")
    status, text = ask(server, "GET", "/picture?index=0")
    assert status >= 400 and "has 1 points" in json.loads(text)["problem"]
    change = {"file": "1.png", "points": [[1, 2]] * 3, "hidden": [False] * 3}
    change |= {"guessed": [False] * 3, "seen": [""] * 7}
    status, text = ask(server, "PUT", "/label", change)
    assert status >= 400 and "has 1 points" in json.loads(text)["problem"]


def test_what_is_corrected_stands_in_for_the_proposal(project, labels):
    for name in labels.files[:3]:
        labels.save(name, label((1, 2), (30, 40), (50, 60)), labels.get(name))
    teacher = steps.teach(project, SMALL, progress=False)
    steps.propose(project, teacher, progress=False)
    file = labels.files[4]
    labels.save(file, label((20, 20), None, None), labels.get(file))
    (project.images / labels.files[5]).unlink()
    (project.images / labels.files[6]).write_bytes((project.images / "1.png").read_bytes()[:400])
    student = steps.distil(project, plan=replace(SMALL, student_steps=1), progress=False)
    assert student.config.n_points == 3
    told = steps.FaceSet.open(project.folder / "faces" / "of-student")
    ids = [str(name) for name in told.table["id"]]
    assert labels.files[5] not in ids and labels.files[6] not in ids
    corrected = told.to_source(ids.index(file), told.landmarks[ids.index(file)])
    proposed = project.proposals().get(file).points
    np.testing.assert_allclose(corrected[0], [20, 20], atol=0.05)
    np.testing.assert_allclose(corrected[1:], proposed[1:], atol=0.05)


def test_a_teacher_of_another_scheme_is_refused_before_it_looks(project, labels):
    other = Scheme(2)
    net = models.create("mobilenetv3_small_050", other, size=64, box="picture")
    models.save(net, project.network("teacher").with_suffix(""), card={})
    for act in (project.teacher, lambda: steps.propose(project, net, progress=False)):
        with pytest.raises(ValueError, match="knows another scheme"):
            act()


def test_labels_of_somebody_else_are_added_and_none_is_overwritten(project, labels, tmp_path):
    labels.save("1.png", label((1, 1), (2, 2), (3, 3)), labels.get("1.png"))
    other = Labels(tmp_path / "labels.csv", project.images, SCHEME)
    for file in ("1.png", "2.png"):
        other.save(file, label((9, 9), (8, 8), (7, 7)), other.get(file))
    assert steps.add(project, tmp_path / "labels.csv") == (1, 1)
    assert labels.get("1.png").points[0, 0] == 1 and labels.get("2.png").points[0, 0] == 9
    assert steps.add(project, tmp_path / "labels.csv") == (0, 2), "once is enough"
    with pytest.raises(FileNotFoundError, match="no table"):
        steps.add(project, tmp_path / "nothing.csv")


def test_a_replaced_network_to_begin_with_is_no_old_run(project, labels, tmp_path):
    for name in labels.files[:3]:
        labels.save(name, label((1, 2), (3, 4), (5, 6)), labels.get(name))
    prints = set()
    for seed in (0, 1):
        torch.manual_seed(seed)
        known = models.create("mobilenetv3_small_050", 5, size=32)
        file = models.save(known, tmp_path / "known", card={})
        plan = replace(SMALL, teacher_steps=1, start=str(file))
        prints.add(models.fingerprint(steps.teach(project, plan, progress=False)))
    assert len(prints) == 2
    heatmaps = models.create("mobilenetv3_small_050", SCHEME, head="heatmap")
    linear = models.create("mobilenetv3_small_050", SCHEME)
    with pytest.raises(ValueError, match="a head of another kind needs it"):
        models.begin_with(linear, heatmaps)


def test_a_damaged_first_picture_is_no_end(project, labels):
    (project.images / "1.png").write_text("no picture")
    figure = Labelling(project.labels())
    assert figure.file == "2.png"
    figure.load(0)
    assert "1.png" in figure.problem and figure.still().axes[0].get_title() == figure.problem
