"""The ONNX file: the same landmarks as PyTorch, for any number of crops, or no file."""

import numpy as np
import pytest
import torch

from kdnotes import models
from kdnotes.deploy.export import TOLERANCE, Exported, export

pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")


def new():
    return models.create("mobilenetv3_small_050", 68, size=32).eval()


@pytest.fixture(scope="module")
def net():
    return new()


@pytest.fixture(scope="module")
def exported(net, tmp_path_factory):
    return Exported(export(net, tmp_path_factory.mktemp("onnx") / "net.onnx"))


def crops(n, size):
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3), np.uint8)


@pytest.mark.parametrize("n", [1, 3, 17])
def test_it_says_what_pytorch_says(net, exported, n):
    pictures = crops(n, net.config.size)
    assert np.abs(exported.read(pictures) - net.read(pictures)).max() < TOLERANCE


def test_it_knows_how_its_input_is_made(net, exported):
    assert exported.config.size == net.config.size
    assert exported.config.crop_margin == net.config.crop_margin


def test_read_is_the_forward_pass_on_pictures_from_0_to_1(net):
    pictures = crops(2, net.config.size)
    with torch.no_grad():
        expected = net(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255)
    assert net.read(pictures) == pytest.approx(expected.numpy(), abs=1e-6)


def test_a_network_in_training_mode_is_refused(net, tmp_path):
    with pytest.raises(ValueError, match=r"call net.eval\(\)"):
        export(new().train(), tmp_path / "net.onnx")


def test_a_network_that_is_not_finite_leaves_no_file(tmp_path):
    broken = new()
    with torch.no_grad():
        broken.head.bias[0] = float("nan")
    with pytest.raises(ValueError, match="nan crop widths"):
        export(broken, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
