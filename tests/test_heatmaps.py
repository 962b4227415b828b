"""Networks with a map per landmark: where their landmarks are read off, and that they travel."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from kdnotes import models
from kdnotes.models import building
from kdnotes.models.heatmaps import REACH, Heatmaps

SMALL = "mobilenetv3_small_050"


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.create(SMALL, 68, size=64, head="heatmap")


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 7), (7, 0), (3, 5), (4, 4)])
def test_a_landmark_is_read_where_its_map_is(row, column):
    head = Heatmaps([4, 4, 4], 2).eval()
    head.distribution = lambda features: torch.eye(64)[[8 * row + column, 0]].view(1, 2, 8, 8)
    (place, corner) = head(None)[0]
    expected = REACH * torch.tensor([(column + 0.5) / 8 - 0.5, (row + 0.5) / 8 - 0.5])
    torch.testing.assert_close(place, expected)
    torch.testing.assert_close(corner, torch.full((2,), REACH * (0.5 / 8 - 0.5)))


def test_a_map_that_is_the_same_everywhere_is_the_middle(net):
    torch.nn.init.zeros_(net.head.maps.weight)
    torch.nn.init.zeros_(net.head.maps.bias)
    found = net.eval()(torch.rand(2, 3, 64, 64))
    torch.testing.assert_close(found, torch.zeros(2, 68, 2), rtol=0, atol=1e-6)
    net.head.bias += 0.25
    torch.testing.assert_close(net(torch.rand(1, 3, 64, 64)), torch.full((1, 68, 2), 0.25))


def test_each_map_is_a_distribution_that_says_where_the_landmark_is(net):
    images = torch.rand(2, 3, 64, 64)
    features = net.eval().backbone((images - net.mean) / net.std)
    share = net.head.distribution(features)
    assert share.shape == (2, 68, 8, 8) and (share > 0).all()
    torch.testing.assert_close(share.sum(dim=(2, 3)), torch.ones(2, 68))
    places = REACH * ((torch.arange(8) + 0.5) / 8 - 0.5)
    x, y = (share * places).sum(dim=(2, 3)), (share * places[:, None]).sum(dim=(2, 3))
    torch.testing.assert_close(net(images), torch.stack([x, y], dim=-1), rtol=0, atol=1e-6)


def test_every_weight_learns(net):
    net.train()(torch.rand(4, 3, 64, 64)).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.head.parameters())
    assert not net.head.bias.requires_grad


def test_it_learns_a_place_in_the_image():
    """A bright spot somewhere: fifty steps find it better than the best constant answer."""
    torch.manual_seed(0)
    net = models.create(SMALL, 1, size=64, head="heatmap").train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    random = torch.Generator().manual_seed(1)
    far = []
    for _ in range(50):
        spots = torch.randint(8, 56, (16, 2), generator=random)
        images = torch.zeros(16, 3, 64, 64)
        for image, (x, y) in zip(images, spots.tolist(), strict=True):
            image[:, y - 3 : y + 4, x - 3 : x + 4] = 1
        loss = (net(images) - ((spots + 0.5) / 64 - 0.5)[:, None]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        far.append(loss.item())
    assert sum(far[-5:]) / 5 < 0.5 * 48 / 64 / 4  # the middle is a quarter of the range away


def test_a_file_brings_its_head(net, tmp_path):
    images = torch.rand(2, 3, 64, 64)
    net.head.bias += 0.1
    again = models.load(models.save(net, tmp_path / "net"))
    assert isinstance(again, models.HeatmapNet) and again.config == net.config
    torch.testing.assert_close(again(images), net.eval()(images), rtol=0, atol=0)


def test_unknown_head_names_those_that_there_are():
    with pytest.raises(ValueError, match=r"no head is called 'cubic'; choose one of linear, heatm"):
        models.create(SMALL, 68, size=32, head="cubic")
    assert set(building.HEADS) == {"linear", "heatmap"}


def test_files_of_before_have_a_linear_head(tmp_path):
    """Their configuration names no head."""
    path = models.save(models.create(SMALL, 68, size=32), tmp_path / "net")
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["kdnotes"])
    del about["config"]["head"]
    save_file(load_file(path), path, metadata={"kdnotes": json.dumps(about)})
    again = models.load(path)
    assert type(again) is models.LandmarkNet and again.config.head == "linear"


def test_another_input_side_needs_no_other_weights(net):
    """As the study of devices measures the paper's side."""
    larger = type(net)(replace(net.config, size=96), net.backbone)
    larger.load_state_dict(net.state_dict())
    assert larger.eval()(torch.rand(1, 3, 96, 96)).shape == (1, 68, 2)
