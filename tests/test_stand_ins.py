"""Stand-ins for teachers: each gives the distances that it promises, in the student's own view."""

import copy

import numpy as np
import pytest
import torch
from small_networks import Centroid, Student

from kdnotes import losses, training
from kdnotes.research.stand_ins import Constant, Only, Shuffled, Softened, Together
from kdnotes.teachers import Teachers, build_cache
from kdnotes.views import sample_views, to_tensor, warp_points

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def faces(small_faces):
    return small_faces.split("train").select(np.arange(3, 30))


def batch(faces, chosen, view=2, seed=4):
    """Rows, view number, crops, views and true landmarks of some faces."""
    rows = faces.rows[chosen]
    views = sample_views(rows, view, seed=seed, zoom=faces.meta["stored_margin"] / 1.3)
    truth = warp_points(torch.as_tensor(faces.landmarks[chosen]), views, 68)
    return rows, view, to_tensor(faces.images[chosen]), views, truth


def test_softened_is_the_soft_shape_in_the_view(faces):
    soft = faces.landmarks + np.float32([0.0, 0.05])
    *asked, views, truth = batch(faces, np.array([5, 0, 9]))
    (name, found), *rest = Softened(faces, soft).answers(*asked, views).items()
    assert name == "tolerant" and not rest
    assert (found - truth).norm(dim=-1) == pytest.approx(
        0.05 * views.matrix[:, :, 0].norm(dim=-1)[:, None].expand(3, 68), rel=1e-4
    )


def test_constant_is_as_far_from_every_face(faces):
    t = np.random.default_rng(0).uniform(0, 0.1, (68, 2))
    *asked, views, truth = batch(faces, np.array([1, 20, 3, 7]))
    found = Constant(faces, {"tough": t, "tolerant": 2 * t}).answers(*asked, views)
    for name, factor in (("tough", 1), ("tolerant", 2)):
        assert (found[name] - truth) == pytest.approx(
            factor * torch.as_tensor(t).float().expand(4, 68, 2), abs=1e-6
        )


def test_shuffled_keeps_the_errors_and_moves_them(faces):
    teachers = Teachers(Centroid(), Centroid(shift=0.2))
    *asked, views, truth = batch(faces, np.array([1, 20, 3, 7, 8]))
    real, found = teachers.answers(*asked, views), Shuffled(teachers, faces).answers(*asked, views)
    for name in ("tough", "tolerant"):
        errors, moved = real[name] - truth, found[name] - truth
        for i in range(5):
            assert moved[i] == pytest.approx(errors[i - 1], abs=1e-6)
            assert (moved[i] - errors[i]).abs().max() > 1e-3


def test_only_and_together(faces, tmp_path):
    cache = build_cache(
        Teachers(Centroid(), Centroid(shift=0.2)), faces, tmp_path / "c", seed=4, n_views=3, **QUIET
    )
    *asked, views, _ = batch(faces, np.array([2, 4]))
    real, tough = cache.answers(*asked, views), Only(cache, "tough")
    both = Together(tough, Softened(faces, faces.landmarks))
    assert tough.answers(*asked, views).keys() == {"tough"}
    found = both.answers(*asked, views)
    assert found.keys() == {"tough", "tolerant"} and torch.equal(found["tough"], real["tough"])
    assert both.fingerprints["tough"] == cache.fingerprints["tough"]
    with pytest.raises(ValueError, match="same teacher: tough, tough"):
        Together(tough, tough)
    with pytest.raises(ValueError, match="called gentle, kind"):
        Only(cache, "kind", "gentle")


def test_a_hint_needs_a_teacher_that_gives_one(faces):
    config = training.TrainConfig("l1+hint", epochs=1, batch_size=9)
    teachers = Teachers(Centroid(), Centroid(shift=0.2))
    with pytest.raises(ValueError, match="loss 'l1\\+hint' with teachers that give no hints"):
        training.fit(Student(), faces, config, teachers=teachers, **QUIET)


@pytest.mark.parametrize("loss", sorted(set(training.TAUGHT) - {"l1+hint"}))
def test_every_loss_takes_every_stand_in(faces, loss, tmp_path):
    cache = build_cache(
        Teachers(Centroid(), Centroid(shift=0.2)), faces, tmp_path / "c", seed=0, n_views=2, **QUIET
    )
    stand_ins = {
        "both": cache,
        "tolerant": Only(cache, "tolerant"),
        "shuffled": Shuffled(cache, faces),
        "constant": Constant(faces, {"tolerant": np.full((68, 2), 0.02)}),
        "soft": Together(Only(cache, "tough"), Softened(faces, 0.9 * faces.landmarks)),
    }
    config = training.TrainConfig(loss, epochs=1, batch_size=9, n_views=2, learning_rate=0.0)
    found = {}
    for name, teachers in stand_ins.items():
        (entry,) = training.fit(Student(), faces, config, teachers=teachers, **QUIET)
        found[name] = entry["loss"]
        assert np.isfinite(entry["loss"]) and "tolerant_error" in entry
    assert len(set(found.values())) == len(found), "each stands for something else"


def test_another_face_set_is_refused(faces, monkeypatch):
    config = training.TrainConfig("kd-paper", epochs=1, batch_size=9, n_views=2)

    others = copy.copy(faces)
    monkeypatch.setattr(type(faces), "fingerprint", property(lambda self: str(self is others)))
    for stand_in in (Softened(others, faces.landmarks), Constant(others, {})):
        with pytest.raises(ValueError, match="another face set"):
            training.fit(Student(), faces, config, teachers=stand_in, **QUIET)


def test_the_scale_of_a_loss_is_its_factor(faces):
    config = {"epochs": 1, "batch_size": 9, "learning_rate": 0.0, "weight_decay": 0.0}
    entries = [
        training.fit(Student(), faces, training.TrainConfig("l1", scale=s, **config), **QUIET)[0]
        for s in (1.0, 4.0)
    ]
    assert entries[1]["loss"] == pytest.approx(4 * entries[0]["loss"], rel=1e-6)
    gradient = []
    for scale in (1.0, 4.0):
        pred = torch.full((1, 68, 2), 0.3, requires_grad=True)
        (scale * losses.l1(pred, torch.zeros(1, 68, 2))).backward()
        gradient.append(pred.grad)
    assert torch.allclose(gradient[1], 4 * gradient[0])
