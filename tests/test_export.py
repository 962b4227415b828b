"""The ONNX file: the same landmarks as PyTorch, for any number of crops, or no file."""

import copy
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from kdnotes import models
from kdnotes.commands import app
from kdnotes.deploy import export as exporter
from kdnotes.deploy.crops import rendered_crops
from kdnotes.deploy.export import OPSET, TOLERANCE, export
from kdnotes.deploy.exported import Exported
from kdnotes.models import zoo

pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")


def new():
    return models.create("mobilenetv3_small_050", 68, size=32).eval()


@pytest.fixture(scope="module", autouse=True)
def each_graph_once():
    """PyTorch takes ten seconds for a graph; these tests ask for each network's once."""
    onnx, made, kept = pytest.importorskip("onnx"), exporter._graph, {}

    def graph(net):
        key = models.fingerprint(net)
        kept[key] = kept.get(key) or made(net)
        fresh = onnx.ModelProto()
        fresh.CopyFrom(kept[key])
        return fresh

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "_graph", graph)
        yield kept


@pytest.fixture(scope="module")
def net():
    return new()


@pytest.fixture(scope="module")
def faces(net):
    return rendered_crops(8, net.config)


@pytest.fixture(scope="module")
def files(net, faces, tmp_path_factory):
    """The file of each precision."""
    folder = tmp_path_factory.mktemp("onnx")
    return {name: export(net, folder / f"{name}.onnx", name, faces) for name in TOLERANCE}


@pytest.fixture(scope="module")
def exported(files):
    return Exported(files["fp32"])


def crops(n, size):
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3), np.uint8)


@pytest.mark.parametrize("n", [1, 3, 17])
def test_it_says_what_pytorch_says(net, exported, n):
    pictures = crops(n, net.config.size)
    assert np.abs(exported.read(pictures) - net.read(pictures)).max() < TOLERANCE["fp32"]


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("n", [1, 5])
def test_every_precision_is_near_on_faces(net, files, faces, precision, n):
    found, expected = Exported(files[precision]).read(faces[:n]), net.read(faces[:n])
    assert found.shape == (n, 68, 2) and found.dtype == np.float32
    assert np.abs(found - expected).max() < TOLERANCE[precision]


def test_landmarks_read_off_heatmaps_are_exported_too(tmp_path):
    """The mean error counts: a bound on single points is wide."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = models.create("mobilenetv3_small_050", 68, size=64, head="heatmap").eval()
    seen = rendered_crops(8, net.config)
    for precision, most in {"fp32": 1e-5, "fp16": 1e-3, "int8": 2e-2}.items():
        found = Exported(export(net, tmp_path / f"{precision}.onnx", precision, seen)).read(seen)
        assert np.abs(found - net.read(seen)).mean() < most, precision


def test_fewer_bits_make_smaller_files(files):
    size = {name: path.stat().st_size for name, path in files.items()}
    assert size["fp16"] < 0.6 * size["fp32"] and size["int8"] < 0.5 * size["fp32"]


def test_the_files_are_valid_onnx_in_one_piece(files):
    onnx = pytest.importorskip("onnx")
    for path in files.values():
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        assert not any(onnx.external_data_helper.uses_external_data(w)
                       for w in model.graph.initializer)  # fmt: skip
        assert {o.version for o in model.opset_import if o.domain == ""} == {OPSET}
        assert [p.name for p in model.graph.input] == ["crops"]
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
        assert b"kdnotes/deploy" not in path.read_bytes(), "no places of the exporting machine"


@pytest.mark.long
def test_the_same_weights_give_the_same_bytes(net, files, faces, tmp_path, each_graph_once):
    each_graph_once.clear()
    for name in ("fp32", "fp16"):
        again = export(net, tmp_path / "again.onnx", name, faces)
        assert again.read_bytes() == files[name].read_bytes()


def test_it_knows_how_its_input_is_made_and_where_it_comes_from(net, files):
    for precision, path in files.items():
        about = Exported(path).about
        assert about["config"]["size"] == net.config.size
        assert about["config"]["crop_margin"] == net.config.crop_margin
        assert about["scheme"] == 68 and about["precision"] == precision
        assert about["weights"] == models.fingerprint(net) and "crop widths" in about["unit"]


def test_read_is_the_forward_pass_on_pictures_from_0_to_1(net):
    pictures = crops(2, net.config.size)
    with torch.no_grad():
        expected = net(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255)
    assert net.read(pictures) == pytest.approx(expected.numpy(), abs=1e-6)


def test_only_a_copy_is_moved_to_the_processor(net, tmp_path, monkeypatch):
    """As for a network on a GPU, where there is none."""
    moved = []
    monkeypatch.setattr(models.LandmarkNet, "cpu", lambda self: moved.append(self) or self)
    export(net, tmp_path / "net.onnx")
    assert len(moved) == 1 and moved[0] is not net


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_network_on_a_gpu_gives_the_same_file_and_stays_there(net, files, tmp_path):
    on_gpu = copy.deepcopy(net).cuda()
    again = export(on_gpu, tmp_path / "net.onnx")
    assert again.read_bytes() == files["fp32"].read_bytes() and on_gpu.mean.is_cuda


# --- refused -------------------------------------------------------------------------------------


def test_a_network_in_training_mode_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"call net.eval\(\)"):
        export(new().train(), tmp_path / "net.onnx")


def test_a_network_that_is_not_finite_leaves_no_file(tmp_path):
    broken = new()
    with torch.no_grad():
        broken.head.bias[0] = float("nan")
    with pytest.raises(ValueError, match=r"not finite numbers: head\.bias"):
        export(broken, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_an_export_that_says_something_else_replaces_nothing(net, tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"the good one")
    monkeypatch.setitem(TOLERANCE, "fp32", 0.0)
    with pytest.raises(ValueError, match=r"on noise .* expected at most 0"):
        export(net, path)
    assert path.read_bytes() == b"the good one" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"precision": "fp8"}, "one of fp32, fp16, int8, found 'fp8'"),
        ({"precision": "int8"}, "int8 needs crops of training faces"),
        ({"faces": np.zeros((2, 30, 30, 3), np.uint8)}, r"\(N, 32, 32, 3\), found uint8 \(2, 30"),
    ],
)
def test_what_cannot_be_meant_is_said(net, tmp_path, how, words):
    with pytest.raises(ValueError, match=words):
        export(net, tmp_path / "net.onnx", **how)


def test_another_file_is_not_taken_for_a_network(files, tmp_path):
    with pytest.raises(FileNotFoundError, match="export it first"):
        Exported(tmp_path / "absent.onnx")
    onnx = pytest.importorskip("onnx")
    (tmp_path / "text.onnx").write_text("text")
    model = onnx.load(files["fp32"])
    model.ClearField("metadata_props")
    onnx.save(model, tmp_path / "foreign.onnx")
    (tmp_path / "half.onnx").write_bytes(files["fp32"].read_bytes()[:5000])
    for name in ("text", "foreign", "half"):
        with pytest.raises(ValueError, match=f"{name}.onnx is damaged or no network exported"):
            Exported(tmp_path / f"{name}.onnx")


# --- the command and the files that ship ---------------------------------------------------------


def test_the_command_takes_a_name_a_file_or_a_folder(net, tmp_path, capsys):
    models.save(net, tmp_path / "run" / "network.safetensors")
    for i, what in enumerate((tmp_path / "run", tmp_path / "run" / "network.safetensors")):
        with pytest.raises(SystemExit) as caught:
            app.main(["export", str(what), "--to", str(tmp_path / f"{i}.onnx")])
        assert caught.value.code == 0
        assert Exported(tmp_path / f"{i}.onnx").about["weights"] == models.fingerprint(net)
        assert "MB, fp32, crops of 32 px" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        app.main(["export", "no-such", "--to", str(tmp_path / "no.onnx")])
    assert "those that ship are" in capsys.readouterr().err


@pytest.mark.parametrize("data", ["youtube-faces", "synthetic"])
def test_what_ships_is_the_same_student(data):
    net, found = zoo.load("student-kd", data), Exported(zoo.exported("student-kd", data))
    assert found.about["weights"] == models.fingerprint(net), "export it again: zoo.add_exported"
    assert found.about["name"] == "student-kd" and "MIT" in found.about["licence"]
    assert zoo.exported("student-kd", data).stat().st_size < 5e6
    faces = rendered_crops(12, net.config)
    points, expected = found.read(faces), net.read(faces)
    eyes = np.linalg.norm(expected[:, 36] - expected[:, 45], axis=-1)
    drift = np.linalg.norm(points - expected, axis=-1).max(axis=1) / eyes
    assert drift.max() < 0.003


def test_without_pytorch(tmp_path):
    """A photo's landmarks by the command line, in a Python that cannot import torch."""
    from PIL import Image

    Image.fromarray(rendered_crops(1, zoo_config())[0]).save(tmp_path / "face.png")
    program = (
        "import sys\nsys.modules['torch'] = None\n"
        "from kdnotes.commands import app\n"
        "app.main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, "predict", "face.png", "--whole", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (face,) = json.loads((tmp_path / "out" / "face_landmarks.json").read_text())["faces"]
    assert np.shape(face["landmarks"]) == (68, 2)


def zoo_config():
    return Exported(zoo.exported("student-kd", "youtube-faces")).config
