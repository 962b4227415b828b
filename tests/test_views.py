"""Views: one matrix moves image and landmarks, and a view depends on its own numbers alone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from kdnotes import views as v
from kdnotes.data.schemes import SCHEMES
from kdnotes.views import STILL, sample_views, sampling

#: Moves as usual, but leaves light and colours alone, so that a blob's centre can be measured.
MOVES = replace(STILL, rotation=20.0, scale=0.12, shift=0.05, flip=0.5)


def blobs(points, size, sigma):
    """One Gaussian blob per picture `(B, 3, size, size)` around each point `(B, 2)` (units)."""
    middle = (torch.arange(size) + 0.5) / size - 0.5
    x = middle[None, None, :] - points[:, 0, None, None]
    y = middle[None, :, None] - points[:, 1, None, None]
    return torch.exp(-(x**2 + y**2) / (2 * sigma**2))[:, None].expand(-1, 3, -1, -1)


def centres(images):
    """Centre of mass of each picture, `(B, 2)` in units of that picture."""
    size = images.shape[-1]
    middle = (torch.arange(size, dtype=torch.float64) + 0.5) / size - 0.5
    mass = images.mean(dim=1).double()
    mass = mass / mass.sum(dim=(1, 2), keepdim=True)
    return torch.stack([(mass.sum(1) * middle).sum(-1), (mass.sum(2) * middle).sum(-1)], dim=-1)


def blob_error(stored, size, zoom, config, n=200):
    """Largest distance in pixels of the view between a warped blob and its warped point."""
    rng = torch.Generator().manual_seed(0)
    reach = 0.22 / zoom  # stays inside every view
    points = (2 * torch.rand(n, 2, generator=rng) - 1) * reach
    images = blobs(points, stored, sigma=0.05 / zoom)
    drawn = sample_views(np.arange(n), 3, seed=11, config=config, zoom=zoom)
    landmarks = points[:, None].expand(-1, 68, -1)
    warped, moved = v.warp(images, landmarks, drawn, size, 68)
    assert warped.shape == (n, 3, size, size)
    return float((centres(warped) - moved[:, 0]).norm(dim=-1).max() * size)


@pytest.mark.parametrize(
    "config",
    [
        replace(STILL, rotation=40.0),
        replace(STILL, scale=0.25),
        replace(STILL, shift=0.08),
        replace(STILL, flip=1.0),
        MOVES,
    ],
    ids=["rotation", "scale", "shift", "flip", "all"],
)
def test_image_and_landmarks_move_together(config):
    assert blob_error(stored=108, size=64, zoom=2.2 / 1.3, config=config) < 0.05


@pytest.mark.parametrize(
    "stored, size, zoom",
    [(97, 81, 1.3), (176, 64, 1.0), (168, 32, 2.2 / 1.3), (175, 32, 1.1)],
    ids=["odd sizes", "shrunk by 2", "shrunk by 3", "shrunk by a divisor"],
)
def test_image_and_landmarks_move_together_at_other_sizes(stored, size, zoom):
    assert blob_error(stored, size, zoom, MOVES) < 0.05


def test_shrinking_looks_at_every_pixel():
    """A fine pattern becomes its mean; without averaging first, a view would pick single pixels."""
    board = (torch.arange(128)[:, None] + torch.arange(128)) % 2 * 255
    images = board.to(torch.uint8).expand(1, 3, -1, -1)
    small = v.warp_images(images, v.plain_views(1, zoom=1.0), 16)
    assert small == pytest.approx(torch.full((1, 3, 16, 16), 0.5), abs=1e-3)


def test_plain_view_is_the_middle_of_the_stored_crop():
    images = torch.randint(0, 256, (2, 3, 88, 88), dtype=torch.uint8)
    found = v.warp_images(images, v.plain_views(2, zoom=88 / 52), 52)
    assert found == pytest.approx(images[:, :, 18:70, 18:70] / 255, abs=1e-4)


@pytest.mark.parametrize("n_points", SCHEMES)
def test_flip_twice_is_nothing(n_points):
    images = torch.randint(0, 256, (4, 3, 31, 31), dtype=torch.uint8)
    landmarks = torch.rand(4, n_points, 2) - 0.5
    twice = v.flip(*v.flip(images, landmarks, n_points), n_points)
    assert torch.equal(twice[0], images) and torch.equal(twice[1], landmarks)


def test_mirrored_view_is_the_flip_and_twice_the_identity():
    images = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    landmarks = torch.rand(3, 68, 2) - 0.5
    mirror = sample_views(np.arange(3), 0, seed=0, config=replace(STILL, flip=1.0), zoom=1.0)
    once, moved = v.warp(images, landmarks, mirror, 64, 68)
    flipped = v.flip(images, landmarks, 68)
    assert torch.equal((once * 255).round().to(torch.uint8), flipped[0])
    assert torch.equal(moved, flipped[1])
    twice, back = v.warp(once, moved, mirror, 64, 68)
    assert torch.equal((twice * 255).round().to(torch.uint8), images)
    assert torch.equal(back, landmarks)


def test_mirrored_view_swaps_left_and_right_names():
    landmarks = torch.zeros(1, 68, 2)
    landmarks[0, 36] = torch.tensor([-0.2, 0.0])  # the outer corner of the eye on the left
    mirror = sample_views([5], 0, seed=0, config=replace(STILL, flip=1.0), zoom=1.0)
    moved = v.warp_points(landmarks, mirror, 68)
    assert moved[0, 45].tolist() == pytest.approx([0.2, 0.0])
    assert moved[0, 36].tolist() == [0.0, 0.0]


def test_visibility_is_renumbered_with_the_points():
    visible = torch.rand(6, 98) < 0.5
    drawn = sample_views(np.arange(6), 0, seed=3, config=replace(STILL, flip=0.5))
    assert drawn.flip.any() and not drawn.flip.all()
    found = v.renumber(visible, drawn, 98)
    flip = list(SCHEMES[98].flip)
    for i in range(6):
        assert torch.equal(found[i], visible[i, flip] if drawn.flip[i] else visible[i])


@pytest.mark.parametrize("n_points", SCHEMES)
def test_unwarp_leads_back(n_points):
    landmarks = torch.rand(40, n_points, 2) - 0.5
    drawn = sample_views(np.arange(40), 7, seed=1)
    assert drawn.flip.any() and not drawn.flip.all()
    back = v.unwarp_points(v.warp_points(landmarks, drawn, n_points), drawn, n_points)
    assert back == pytest.approx(landmarks, abs=1e-5)


def test_another_crop_margin_shows_the_same_view_wider():
    landmarks = torch.rand(8, 68, 2) * 0.4 - 0.2
    drawn = sample_views(np.arange(8), 0, seed=0, zoom=2.2 / 1.3)
    wider = drawn.at_margin(1.56, crop_margin=1.3)
    narrow, wide = (v.warp_points(landmarks, views, 68) for views in (drawn, wider))
    assert wide * 1.56 == pytest.approx(narrow * 1.3, abs=1e-6)
    assert wider.patch * 1.56 == pytest.approx(drawn.patch * 1.3, abs=1e-6)
    assert wider.zoom == pytest.approx(2.2 / 1.56)
    assert drawn.at_margin(1.3, crop_margin=1.3) is drawn


# --- a view depends on (seed, sample, view) alone ------------------------------------------------


def fields(views):
    return {name: value for name, value in vars(views).items() if isinstance(value, torch.Tensor)}


def test_views_do_not_depend_on_the_batch():
    whole = fields(sample_views(np.arange(50), 2, seed=9))
    rows = np.array([31, 4, 4, 49, 0])
    for name, value in fields(sample_views(rows, 2, seed=9)).items():
        assert torch.equal(value, whole[name][rows]), name
    numbered = fields(sample_views([4, 4], [2, 5], seed=9))
    assert torch.equal(numbered["matrix"][0], whole["matrix"][4])
    assert not torch.equal(numbered["matrix"][1], whole["matrix"][4])


def test_seed_sample_and_view_all_matter():
    matrices = [
        sample_views([sample], view, seed=seed).matrix[0]
        for seed in range(5)
        for sample in range(5)
        for view in range(5)
    ]
    assert len(torch.stack(matrices).unique(dim=0)) == 125


def test_random_numbers_are_even_and_unrelated():
    samples, numbers = (grid.ravel() for grid in np.meshgrid(np.arange(400), np.arange(10)))
    u = sampling._uniform(3, samples, numbers, 18)  # (4000, 18)
    assert u.min() >= 0 and u.max() < 1
    for column in u.T:
        counts, _ = np.histogram(column, bins=16, range=(0, 1))
        assert ((counts - 250) ** 2 / 250).sum() < 45  # chi², 15 degrees: p < 1e-4 at 45
    related = np.corrcoef(u.T) - np.eye(18)
    assert abs(related).max() < 0.08
    neighbours = sampling._uniform(3, samples + 1, numbers, 18)
    for column, neighbour in zip(u.T, neighbours.T, strict=True):
        assert abs(np.corrcoef(column, neighbour)[0, 1]) < 0.08


def test_views_stay_within_their_ranges():
    drawn = sample_views(np.arange(3000), 0, seed=0, zoom=2.0)
    scale = torch.linalg.det(drawn.matrix[:, :, :2]).abs().sqrt() / 2
    assert 0.88 - 1e-6 <= scale.min() < 0.90 and 1.10 < scale.max() <= 1.12 + 1e-6
    angle = torch.rad2deg(torch.atan2(-drawn.matrix[:, 0, 1], drawn.matrix[:, 1, 1]))
    assert -20.001 <= angle.min() < -19 and 19 < angle.max() <= 20.001
    assert 0.049 < drawn.matrix[:, :, 2].abs().max() <= 0.05 + 1e-6
    assert 0.45 < drawn.flip.float().mean() < 0.55
    assert torch.equal(torch.linalg.det(drawn.matrix[:, :, :2]) < 0, drawn.flip)
    covered = drawn.patch[:, 2] > drawn.patch[:, 0]
    assert 0.17 < covered.float().mean() < 0.23


def test_strength_scales_everything_but_the_mirror():
    weak, strong = (sample_views(np.arange(300), 0, seed=0, strength=s) for s in (0.0, 1.0))
    assert torch.equal(weak.flip, strong.flip) and weak.flip.any()
    upright = weak.matrix[~weak.flip]
    plain = v.plain_views(1).matrix.expand_as(upright)
    assert upright == pytest.approx(plain, abs=1e-6)
    assert not weak.grey.any() and not weak.blur.any()
    assert (weak.patch[:, 0] == weak.patch[:, 2]).all()
    assert torch.equal(weak.tone, weak.tone.new_tensor([1.0, 0.0, 1.0]).expand(300, 3))


def test_light_and_patch_stay_pictures():
    images = torch.randint(0, 256, (64, 3, 40, 40), dtype=torch.uint8)
    config = replace(STILL, brightness=0.5, contrast=0.9, gamma=1.0, grey=0.5, blur=0.5)
    config = replace(config, occluder=1.0, occluder_size=0.5)
    drawn = sample_views(np.arange(64), 0, seed=0, config=config)
    found = v.warp_images(images, drawn, 24)
    assert torch.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    left, top, right, bottom = (drawn.patch[0] + 0.5) * 24
    x, y = int((left + right) / 2), int((top + bottom) / 2)
    assert 0 <= x < 24 and 0 <= y < 24, "choose another seed: this patch lies outside"
    assert found[0, :, y, x] == pytest.approx(drawn.patch_colour[0])


def test_to_tensor_keeps_the_pictures():
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 5, 3), dtype=np.uint8)
    found = v.to_tensor(images[:, :, ::-1])  # a negative stride
    assert found.shape == (2, 3, 5, 5) and found.dtype == torch.uint8
    assert np.array_equal(found[1, 2].numpy(), images[1, :, ::-1, 2])


def test_to_tensor_of_a_read_only_picture_does_not_warn():
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert v.to_tensor(images).shape == (1, 3, 4, 4)


# --- what a camera adds --------------------------------------------------------------------------


def grey_views(n, config, seed=0):
    views = sample_views(np.arange(n), 0, seed=seed, config=replace(STILL, **config))
    return views, v.warp_images(torch.full((n, 3, 40, 40), 128, dtype=torch.uint8), views, 40)


def test_noise_has_its_level_and_depends_on_the_view_alone():
    views, images = grey_views(40, {"noise": 1.0, "noise_level": 0.1})
    level = views.noise[:, 0]
    assert views.changes == {"noise"} and 0 < level.min() and level.max() <= 0.1
    found = images.flatten(1).std(dim=1)
    assert found == pytest.approx(level, rel=0.1), "4,800 numbers each"
    assert images.mean() == pytest.approx(128 / 255, abs=0.002)
    _, again = grey_views(40, {"noise": 1.0, "noise_level": 0.1})
    assert torch.equal(images, again)
    _, others = grey_views(40, {"noise": 1.0, "noise_level": 0.1}, seed=1)
    assert not torch.isclose(images, others).flatten(1).all(dim=1).any()
    few, images = grey_views(400, {"noise": 0.3, "noise_level": 0.1})
    noisy = images.flatten(1).std(dim=1) > 1e-5
    assert torch.equal(noisy, few.noise[:, 0] > 0)
    assert noisy.float().mean() == pytest.approx(0.3, abs=0.08)


def test_a_random_number_that_rounds_to_one_is_a_place_in_the_noise():
    """The largest numbers below 1 are 1 in 32 bits; face 25275 has one in its view 106."""
    views = sample_views([25275, 0, 1], 106, seed=0, config=replace(STILL, noise=1, noise_level=1))
    assert (views.noise[:, 1:] == 1).any()
    assert torch.isfinite(v.warp_images(torch.rand(3, 3, 40, 40), views, 32)).all()


@pytest.mark.parametrize("margin", [1.0, 1.3, 1.8, 2.6])
def test_the_rim_that_is_left_out_is_seen_by_no_view(margin):
    """At other margins than the student's, too: the same picture with and without the rim."""
    config = replace(MOVES, shift=0.3)
    views = sample_views(np.arange(8), 0, seed=0, config=config, zoom=2.2 / 1.8)
    own = views.at_margin(margin, 1.8)
    crops = torch.rand(8, 3, 192, 192)
    whole = v.warp_images(crops, replace(own, reach=9.0), 64)
    assert v.warp_images(crops, own, 64) == pytest.approx(whole, abs=1e-4)


def test_changes_say_what_occurs():
    """They spare work; what they leave out must not occur in any view of the batch."""
    for name, config in {
        "tone": {"gamma": 0.3}, "grey": {"grey": 1.0}, "blur": {"blur": 1.0},
        "noise": {"noise": 1.0, "noise_level": 0.1}, "patch": {"occluder": 1, "occluder_size": 0.4},
    }.items():  # fmt: skip
        views, _ = grey_views(5, config)
        assert views.changes == {name}
    assert grey_views(5, {})[0].changes == frozenset()
    crops = torch.rand(30, 3, 40, 40)
    views = sample_views(np.arange(30), 0, seed=0, strength=0.3)
    everything = replace(views, changes=frozenset({"tone", "grey", "blur", "noise", "patch"}))
    assert torch.equal(v.warp_images(crops, views, 32), v.warp_images(crops, everything, 32))
