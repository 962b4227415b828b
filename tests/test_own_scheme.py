"""Schemes of one's own: without eyes, without a mirror image, of any number of points."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from kdnotes import asm, metrics, models, plots, training, views
from kdnotes.data import crops, schemes
from kdnotes.data.faceset import FaceSet, Sample
from kdnotes.data.schemes import SCHEMES, Scheme
from kdnotes.evaluation import breakdown
from kdnotes.models import inference
from kdnotes.teachers import Teachers, build_cache

BARE = Scheme(5)
PAIRED = Scheme(5, pair=((0,), (3, 4)), edges=((0, 1),))
rng = np.random.default_rng(0)


def shapes(n=6, points=5):
    return rng.uniform(-0.3, 0.3, (n, points, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """24 squares with five marks each, all of them somebody nobody has named."""

    def made():
        for i in range(24):
            picture = np.full((64, 64, 3), 40 + 7 * i, np.uint8)
            points = 32 + 20 * rng.uniform(-1, 1, (5, 2))
            split = ("train", "train", "validation", "test")[i % 4]
            yield Sample(picture, points, id=f"mark {i}", split=split)

    return FaceSet.write(
        tmp_path_factory.mktemp("marks") / "set", made(), scheme=BARE, size=56, name="marks",
        progress=False,
    )  # fmt: skip


# --- what divides errors --------------------------------------------------------------------------


def test_errors_are_divided_by_what_the_scheme_has():
    assert SCHEMES[68].normaliser == "interocular" and PAIRED.normaliser == "pair"
    assert BARE.normaliser == "box" and "box" in BARE.distance
    target = shapes()
    pred = target + np.float32([0.01, 0])
    by_box = 0.01 / np.sqrt(np.prod(np.ptp(target, axis=1), axis=1))
    assert metrics.nme(pred, target, BARE) == pytest.approx(by_box, rel=1e-4)
    apart = np.linalg.norm(target[:, 0] - target[:, 3:].mean(axis=1), axis=-1)
    assert metrics.nme(pred, target, PAIRED) == pytest.approx(0.01 / apart, rel=1e-4)
    assert metrics.distances(target, PAIRED, "box") == pytest.approx(
        metrics.distances(target, BARE)
    )
    assert metrics.per_group(pred, target, BARE) == {
        "points": pytest.approx(by_box.mean(), rel=1e-4)
    }


@pytest.mark.parametrize("normaliser", ["interocular", "interpupil", "pair"])
def test_a_distance_that_the_scheme_lacks_is_refused(normaliser):
    with pytest.raises(ValueError, match=f"5-point scheme has no {normaliser} .* such as 'box'"):
        metrics.nme(shapes(), shapes(), BARE, normaliser)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [BARE, PAIRED, Scheme(68), replace(SCHEMES[29], flip=None)])
def test_a_scheme_survives_json(scheme):
    value = json.loads(json.dumps(schemes.to_json(scheme)))
    assert isinstance(value, dict) and schemes.from_json(value) == scheme


def test_only_the_number_of_points_must_be_written_by_hand(tmp_path):
    assert schemes.from_json({"n_points": 5}) == BARE
    file = tmp_path / "mine.json"
    file.write_text('{"n_points": 5, "pair": [[0], [3, 4]], "edges": [[0, 1]]}')
    assert schemes.get_named(str(file)) == PAIRED
    for wrong, words in (
        ({}, "n_points"),
        ({"n_points": 5, "eyes": []}, "eyes"),
        ({"n_points": 5, "pair": [[0]]}, "a pair is two groups"),
        ({"n_points": 5, "interocular": [[], [1]]}, "a pair is two groups"),
        ({"n_points": 5, "pair": [[0], [5]]}, r"uses points \[5\]"),
    ):
        file.write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match=words):
            schemes.get_named(str(file))


def test_a_network_carries_its_scheme(tmp_path):
    net = models.create("mobilenetv3_small_050", PAIRED, size=32).eval()
    loaded = models.load(models.save(net, tmp_path / "net"))
    assert schemes.of_config(loaded.config) == PAIRED
    built_in = models.create("mobilenetv3_small_050", SCHEMES[29], size=32)
    assert built_in.config.scheme is None and schemes.of_config(built_in.config) is SCHEMES[29]
    as_number = models.create("mobilenetv3_small_050", 7, size=32)
    assert schemes.of_config(as_number.config) == Scheme(7)


def test_face_sets_of_an_earlier_version_count_as_photographs(faces, tmp_path):
    """They have no `rendered`, and their own schemes no `pair`."""
    meta = json.loads((faces.path / "meta.json").read_text())
    del meta["rendered"], meta["scheme"]["pair"]
    meta["name"] = "synthetic"
    for file in faces.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    old = FaceSet.open(tmp_path)
    assert old.scheme == BARE and not old.rendered and old.name == "own-synthetic"
    assert not faces.rendered and faces.name == "marks"


# --- no mirror image ------------------------------------------------------------------------------


def test_nothing_is_mirrored_without_a_flip(faces):
    config = views.ViewConfig().on(BARE)
    assert config == replace(views.ViewConfig(), flip=0.0)
    assert views.ViewConfig().on(SCHEMES[68]) == views.ViewConfig()
    drawn = views.sample_views(np.arange(50), 0, seed=0, config=config)
    points = torch.from_numpy(shapes(50))
    back = views.unwarp_points(views.warp_points(points, drawn, BARE), drawn, BARE)
    assert torch.allclose(back, points, atol=1e-5)
    mirrored = views.sample_views(np.arange(50), 0, seed=0)
    with pytest.raises(ValueError, match=r"no flip; draw views with ViewConfig\(\)\.on"):
        views.warp_points(points, mirrored, BARE)
    with pytest.raises(ValueError, match="5-point scheme has no flip"):
        asm.mirror(shapes(), BARE)
    assert asm.with_mirror_images(shapes(4), BARE).shape == (4, 5, 2)
    assert asm.with_mirror_images(shapes(4, 29), 29).shape == (8, 29, 2)
    assert asm.fit_shapes(shapes(9), BARE).mean_shape_.shape == (10,)


def test_training_and_teachers_see_no_mirrored_view(faces, tmp_path):
    """A mirrored view would be refused, see above."""
    train = faces.split("train")
    net = models.create("mobilenetv3_small_050", BARE, size=32)
    config = training.TrainConfig("l1", epochs=3, batch_size=6)
    log = training.fit(net, train, config, validation=faces.split("validation"), progress=False)
    assert len(log) == 3 and log[-1]["nme"] > 0
    both = Teachers(models.freeze(net))
    cache = build_cache(both, train, tmp_path / "c", seed=0, n_views=3,
                                         progress=False)  # fmt: skip
    assert cache.key["view_config"]["flip"] == 0
    assert inference.predict(net, train).shape == (12, 5, 2)


# --- scenes, figures ------------------------------------------------------------------------------


def test_turns_are_known_for_built_in_schemes_alone(faces):
    assert breakdown.yaw(faces) is None
    assert [by for by, _ in breakdown.groups(faces)] == ["all"]
    assert crops.knows_yaw(98) and not crops.knows_yaw(Scheme(98))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(crops.estimate_yaw(shapes(1)[0], BARE))


def test_turns_are_estimated_where_no_column_tells_them(small_faces):
    assert "yaw" not in small_faces.table
    expected = [crops.estimate_yaw(points, 68) for points in small_faces.landmarks]
    assert breakdown.yaw(small_faces) == pytest.approx(expected)
    counts = {
        group: n.sum() for (by, group), n in breakdown.groups(small_faces).items() if by == "turn"
    }
    assert sum(counts.values()) == len(small_faces)


def test_points_without_lines_can_be_drawn():
    figure, axes = plots.new_figure(2, 2)
    plots.draw_points(axes[0, 0], shapes(1)[0], BARE)
    figure.canvas.draw()
