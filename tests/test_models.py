"""Networks: they start at the mean shape, and their files bring everything that they need."""

import copy
import json
from dataclasses import replace
from types import SimpleNamespace

import huggingface_hub.constants
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from kdnotes import models
from kdnotes.models import building, files

SMALL = "mobilenetv3_small_050"
MEAN = np.random.default_rng(0).uniform(-0.4, 0.4, (68, 2))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.create(SMALL, 68, mean_shape=MEAN, size=32)


@pytest.fixture
def images():
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def answers(net, images):
    with torch.no_grad():
        return net.eval()(images)


# --- create --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["mobilenetv2_050", "efficientnet_b0", SMALL, "mobilenetv4_conv_small_035"]
)
def test_every_backbone_fits_its_head_and_starts_at_the_mean_shape(name, images):
    net = models.create(name, 68, mean_shape=MEAN, size=32)
    mean = torch.tensor(MEAN, dtype=torch.float32).expand(3, -1, -1)
    found = answers(net, images)
    assert found.shape == (3, 68, 2) and found.dtype == torch.float32
    assert 0 < (found - mean).abs().max() < 0.2  # nearly the mean shape, and not the same for all
    torch.nn.init.zeros_(net.head.weight)
    assert torch.equal(answers(net, images), mean)


def test_head_starts_small():
    torch.manual_seed(0)
    net = models.create(SMALL, 68, size=32)
    plain = 1 / net.head.in_features**0.5  # what nn.Linear draws its weights up to
    assert net.head.weight.abs().max().item() == pytest.approx(
        building.HEAD_SCALE * plain, rel=0.01
    )
    assert not net.head.bias.any()


def test_misspelt_backbone_names_near_matches():
    with pytest.raises(ValueError, match=r"no network called 'mobilnetv2_050'.*mobilenetv2_050"):
        models.create("mobilnetv2_050", 68)
    with pytest.raises(ValueError, match=r"timm\.list_models"):
        models.create("§§§", 68)


def test_mean_shape_of_another_scheme_is_refused():
    with pytest.raises(ValueError, match=r"expected a mean shape of \(29, 2\), found \(68, 2\)"):
        models.create(SMALL, 29, mean_shape=MEAN, size=32)


def test_pretrained_without_network_says_how_to_pass_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"could not be fetched .*pretrained=PATH") as caught:
        models.create("mobilenetv2_100", 68, pretrained=True)
    assert "\n" not in str(caught.value)
    models.create(SMALL, 68, size=32)  # by default nothing is fetched


@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_pretrained_from_a_file(tmp_path, form):
    source = timm.create_model(SMALL)  # with its classifier, as such files are
    path = tmp_path / f"weights.{form}"
    (save_file if form == "safetensors" else torch.save)(source.state_dict(), path)
    found = models.create(SMALL, 68, pretrained=path, size=32).backbone.state_dict()
    for key, value in found.items():
        assert torch.equal(value, source.state_dict()[key]), key


def test_pretrained_from_a_wrong_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no pretrained weights at .*absent\.pth"):
        models.create(SMALL, 68, pretrained=tmp_path / "absent.pth")
    path = tmp_path / "other.pth"
    torch.save(timm.create_model(SMALL).state_dict(), path)
    with pytest.raises(ValueError, match=r"other\.pth does not hold weights of mobilenetv2_050"):
        models.create("mobilenetv2_050", 68, pretrained=path)
    path.write_text("no weights at all")
    with pytest.raises(ValueError, match="does not hold weights"):
        models.create(SMALL, 68, pretrained=path)


# --- freeze, fingerprint -------------------------------------------------------------------------


def test_freeze(net):
    models.freeze(net.train())
    assert not any(module.training for module in net.modules())
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_fingerprint_knows_every_weight_and_buffer(net):
    before = models.fingerprint(net)
    assert models.fingerprint(torch.compile(net, backend="eager")) == before
    assert models.fingerprint(net.to(memory_format=torch.channels_last)) == before
    seen = {before}
    for key in ("head.bias", "backbone.bn1.running_mean", "backbone.bn1.num_batches_tracked"):
        net.state_dict()[key].view(-1)[:1].add_(1)
        seen.add(models.fingerprint(net))
    assert len(seen) == 4


def test_count_parameters(net):
    backbone = sum(parameter.numel() for parameter in net.backbone.parameters())
    assert models.count_parameters(net) == backbone + 136 * (net.head.in_features + 1)


# --- files ---------------------------------------------------------------------------------------


def test_save_and_load(net, images, tmp_path):
    expected = answers(net, images)
    path = models.save(net.train(), tmp_path / "student-0.5", card={"seed": 3})
    assert path == tmp_path / "student-0.5.safetensors"
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "student-0.5.json",
        "student-0.5.safetensors",
    ]
    for name in (path, tmp_path / "student-0.5"):
        found = models.load(name)
        assert not found.training
        assert torch.equal(found(images), expected)
        assert found.config == net.config and found.card == {"seed": 3}
    about = json.loads(path.with_suffix(".json").read_text())
    assert about["config"]["name"] == SMALL and about["card"] == {"seed": 3}


def channels_last(net):
    return net.to(memory_format=torch.channels_last)


def compiled(net):
    return torch.compile(net, backend="eager")


def sharing_memory(net):
    both = torch.cat([net.head.bias.data, net.mean.flatten(), net.std.flatten()])
    net.head.bias.data, net.mean, net.std = both[:136], both[136:139], both[139:]
    net.mean, net.std = net.mean.view(1, 3, 1, 1), net.std.view(1, 3, 1, 1)
    return net


@pytest.mark.parametrize("wrap", [channels_last, compiled, sharing_memory])
def test_any_layout_and_wrapper_can_be_saved(net, images, tmp_path, wrap):
    expected = answers(net, images)
    path = models.save(wrap(net), tmp_path / "net")
    assert load_file(path).keys() == models.create(SMALL, 68, size=32).state_dict().keys()
    assert answers(models.load(path), images) == pytest.approx(expected, abs=1e-6)


def test_shared_parameters_can_be_saved(net, images, tmp_path):
    shared = net.backbone.blocks[1][0].bn1
    shared.bias = shared.weight
    expected = answers(net, images)
    assert torch.equal(models.load(models.save(net, tmp_path / "net"))(images), expected)


def test_preprocessing_travels_with_the_network(net, images, tmp_path):
    config = replace(net.config, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.5), crop_margin=1.5)
    other = models.LandmarkNet(config, net.backbone)
    other.head.load_state_dict(net.head.state_dict())
    found = models.load(models.save(other, tmp_path / "net"))
    assert found.config == config
    assert torch.equal(found(images), answers(other, images))
    assert not torch.equal(found(images), answers(net, images))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (config.mean, config.std))
    with torch.no_grad():
        expected = other.head(other.backbone((images - mean) / std))
    assert answers(found, images).flatten(1) == pytest.approx(expected, abs=1e-6)


def rewrite(path, change):
    """The network's file with other weights, its description kept."""
    weights = load_file(path)
    change(weights)
    about = json.loads(path.with_suffix(".json").read_text())
    save_file(weights, path, metadata={"kdnotes": json.dumps(about)})


def test_weights_that_do_not_fit_are_named(net, tmp_path):
    path = models.save(net, tmp_path / "net")
    rewrite(path, lambda weights: weights.update(hat=weights.pop("head.weight")))
    with pytest.raises(ValueError, match=r"missing \['head\.weight'\], unexpected \['hat'\]"):
        models.load(path)
    path = models.save(net, tmp_path / "net")
    rewrite(path, lambda weights: weights.update({"head.weight": torch.zeros(10, 3)}))
    with pytest.raises(ValueError, match=r"of another shape \['head\.weight'\]") as caught:
        models.load(path)
    assert "\n" not in str(caught.value)


def test_damaged_files_give_one_sentence(net, tmp_path):
    path = models.save(net, tmp_path / "net")
    whole = path.read_bytes()
    for content in (b"", b"not a network", whole[: len(whole) // 2], bytes(2000)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"net\.safetensors is damaged .* train again"):
            models.load(path)
    save_file({"a": torch.zeros(1)}, path)  # whole, but of something else
    with pytest.raises(ValueError, match=r"net\.safetensors is damaged or not a kdnotes network"):
        models.load(path)
    with pytest.raises(FileNotFoundError, match=r"no network at .*absent\.safetensors"):
        models.load(tmp_path / "absent")


def test_interrupted_save_keeps_the_old_file(net, images, tmp_path, monkeypatch):
    expected = answers(net, images)
    path = models.save(net, tmp_path / "net")

    def half(weights, part, metadata):
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "save_file", half)
    with pytest.raises(KeyboardInterrupt):
        models.save(models.create(SMALL, 68, size=32), path)
    assert torch.equal(models.load(path)(images), expected)
    assert len(list(tmp_path.iterdir())) == 2


def test_precision_of_the_head_under_autocast(net, images):
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert net.eval()(images).dtype == torch.float32


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_a_network_of_other_numbers(net, images, kind):
    """Its answers have its own type; what is cut off and what is read work, too."""
    with torch.no_grad():
        expected = net.eval()(images)
        other = copy.deepcopy(net).to(kind)
        assert other(images).dtype == kind
        assert other(images).float() == pytest.approx(expected, abs=0.05)
        cut = models.without_last(other, 8)
        assert torch.equal(cut(images), other(images)[:, :-8]) and cut.head.weight.dtype == kind
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    assert other.read(crops).dtype == np.float32
    assert other.read(crops) == pytest.approx(net.read(crops), abs=0.05)


def test_the_gradient_of_a_whole_network_can_be_checked(net, images):
    """Against differences, which needs 64 bits from the picture to the answer."""
    wide = copy.deepcopy(net).eval().double()
    picture = images[:1].double().requires_grad_(True)
    assert torch.autograd.gradcheck(wide, (picture,), fast_mode=True)


def test_every_wrapper_is_taken_off(net):
    """DistributedDataParallel around torch.compile, and the other way round."""
    wrap = {"compile": compiled, "parallel": lambda inner: SimpleNamespace(module=inner)}
    assert models.plain(wrap["parallel"](wrap["compile"](net))) is net
    assert models.plain(wrap["parallel"](wrap["parallel"](net))) is net
    assert models.plain(net) is net
