"""The shape model: scikit-learn's contract, soft landmarks by definition, symmetry, alignment."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from kdnotes import asm
from kdnotes.asm import ActiveShapeModel, fit_shapes, mirror, soften
from kdnotes.data.schemes import SCHEMES

EVERY = pytest.mark.parametrize("n_points", SCHEMES)
ALIGN = pytest.mark.parametrize("align", [False, True])


def shapes(n=60, n_points=68, seed=0):
    """Faces (n, L, 2) in crop units: a symmetric mean, a few modes, tilt, size, place, noise."""
    random = np.random.default_rng(seed)
    mean = random.uniform(-0.3, 0.3, size=(n_points, 2))
    mean = (mean + mean[list(SCHEMES[n_points].flip)] * [-1, 1]) / 2
    modes = random.normal(scale=0.02, size=(5, n_points, 2))
    faces = mean + np.tensordot(random.normal(size=(n, 5)) * [3, 2, 1.5, 1, 0.5], modes, axes=1)
    faces += random.normal(scale=0.004, size=faces.shape)
    a = random.normal(1, 0.1, n) * np.exp(1j * random.normal(0, 0.15, n))
    z = a[:, None] * (faces[..., 0] + 1j * faces[..., 1])
    z += (random.normal(0, 0.02, n) + 1j * random.normal(0, 0.02, n))[:, None]
    return np.stack([z.real, z.imag], axis=-1).astype(np.float32)


def vectors(n=60, **kwargs):
    return shapes(n, **kwargs).reshape(n, -1).astype(np.float64)


@parametrize_with_checks([ActiveShapeModel()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_components_are_those_of_pca():
    X = vectors()
    model = ActiveShapeModel(variance=0.9).fit(X)
    pca = PCA().fit(X)
    k = model.n_components_
    assert model.mean_shape_.shape == (136,) and model.components_.shape == (k, 136)
    np.testing.assert_allclose(model.mean_shape_, X.mean(axis=0))
    np.testing.assert_allclose(model.explained_variance_, pca.explained_variance_[:k])
    np.testing.assert_allclose(model.explained_variance_ratio_, pca.explained_variance_ratio_[:k])
    dots = (model.components_ * pca.components_[:k]).sum(axis=1)
    np.testing.assert_allclose(np.abs(dots), 1)
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(k), atol=1e-12)


@pytest.mark.parametrize("variance", [0.3, 0.8, 0.9, 0.97])
def test_fewest_components_that_explain_the_share(variance):
    ratio = ActiveShapeModel(variance=variance).fit(vectors()).explained_variance_ratio_
    assert ratio.sum() >= variance > ratio[:-1].sum()


def test_a_share_met_exactly_takes_no_further_component():
    X = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])  # 0.8 and 0.2 of the variance
    assert ActiveShapeModel(variance=0.8).fit(X).n_components_ == 1
    assert ActiveShapeModel(variance=0.81).fit(X).n_components_ == 2


def test_soft_landmarks_by_definition():
    X = vectors()
    model = ActiveShapeModel(variance=0.8).fit(X)
    far = X.copy()
    far[0] += 7 * np.sqrt(model.explained_variance_[0]) * model.components_[0]
    far[1] -= 7 * np.sqrt(model.explained_variance_[1]) * model.components_[1]
    limit = 3 * np.sqrt(model.explained_variance_)
    b = (far - model.mean_shape_) @ model.components_.T
    assert b[0, 0] > limit[0] and b[1, 1] < -limit[1]  # both clamps are at work
    expected = model.mean_shape_ + np.clip(b, -limit, limit) @ model.components_
    np.testing.assert_allclose(model.transform(far), expected, atol=1e-12)
    np.testing.assert_allclose(model.coefficients(far), b, atol=1e-12)
    np.testing.assert_allclose(model.shape(b[0]), model.mean_shape_ + b[0] @ model.components_)


def test_all_variance_and_no_clamp_give_the_shapes_back():
    X = vectors()
    model = ActiveShapeModel(variance=1.0, n_std=100).fit(X)
    np.testing.assert_allclose(model.transform(X), X, atol=1e-10)


def test_less_variance_is_softer_and_no_deviation_is_the_mean():
    X = vectors()
    away = [
        np.abs(ActiveShapeModel(variance=v).fit(X).transform(X) - X).mean()
        for v in (0.97, 0.9, 0.8, 0.5)
    ]
    assert away == sorted(away) and away[0] > 0
    model = ActiveShapeModel(n_std=0).fit(X)
    np.testing.assert_allclose(model.transform(X), np.tile(model.mean_shape_, (60, 1)))


# Order and signs (scikit-learn#28826, DeepAlignmentNetwork#60).


@ALIGN
def test_order_of_the_shapes_does_not_matter(align):
    X = vectors()
    shuffled = X[np.random.default_rng(1).permutation(len(X))]
    one, other = (ActiveShapeModel(align=align).fit(x) for x in (X, shuffled))
    np.testing.assert_allclose(one.transform(X), other.transform(X), atol=1e-6)
    np.testing.assert_allclose(one.components_, other.components_, atol=1e-6)


@ALIGN
def test_sign_of_a_component_does_not_matter(align):
    X = vectors()
    model = ActiveShapeModel(align=align).fit(X)
    before = model.transform(X)
    model.components_[1] *= -1
    np.testing.assert_allclose(model.transform(X), before, atol=1e-6)


def test_signs_are_fixed_even_where_mirrored_points_tie():
    rows = np.array([[0.1, -0.5, 0.5 + 1e-9, 0.0], [0.0, 0.3, -0.7, 0.2]])
    for signs in ([1, 1], [-1, 1], [1, -1], [-1, -1]):
        fixed = asm._with_fixed_signs(rows * np.array(signs)[:, None])
        np.testing.assert_array_equal(fixed, [-rows[0], -rows[1]])


# Mirror images.


@EVERY
def test_mirroring_twice_is_the_identity(n_points):
    faces = shapes(5, n_points)
    mirrored = mirror(faces, n_points)
    assert mirrored.dtype == faces.dtype
    np.testing.assert_array_equal(mirror(mirrored, n_points), faces)
    assert mirror(faces[0], n_points).shape == (n_points, 2)


def test_mirror_by_hand():
    faces = shapes(1)
    mirrored = mirror(faces, 68)
    np.testing.assert_array_equal(mirrored[0, 36], faces[0, 45] * [-1, 1])  # outer eye corners
    np.testing.assert_array_equal(mirrored[0, 8], faces[0, 8] * [-1, 1])  # chin


@EVERY
@ALIGN
@pytest.mark.parametrize("variance", [0.8, 0.9, 0.97])
def test_soft_of_the_mirror_is_the_mirror_of_the_soft(n_points, align, variance):
    faces = shapes(40, n_points)
    model = fit_shapes(faces, n_points, variance=variance, align=align, n_std=1.0)
    np.testing.assert_allclose(
        soften(model, mirror(faces, n_points)), mirror(soften(model, faces), n_points), atol=1e-6
    )
    mean = model.mean_shape_.reshape(-1, 2)
    np.testing.assert_allclose(mirror(mean, n_points), mean, atol=1e-6)
    unseen = shapes(9, n_points, seed=5)
    np.testing.assert_allclose(
        soften(model, mirror(unseen, n_points)), mirror(soften(model, unseen), n_points), atol=1e-6
    )


def test_fit_shapes_takes_parameters_and_a_scheme():
    faces = shapes()
    model = fit_shapes(faces, SCHEMES[68], variance=0.8, n_std=2.0)
    assert (model.variance, model.n_std, model.align) == (0.8, 2.0, False)
    both = np.concatenate([faces, mirror(faces, 68)]).reshape(120, -1)
    np.testing.assert_allclose(model.mean_shape_, both.mean(axis=0), atol=1e-6)


def test_soften_keeps_shape_and_gives_float32():
    faces = shapes()
    model = fit_shapes(faces, 68)
    soft = soften(model, faces)
    assert soft.shape == faces.shape and soft.dtype == np.float32
    np.testing.assert_allclose(soft.reshape(60, -1), model.transform(vectors()), atol=1e-6)
    np.testing.assert_allclose(soften(model, faces[:1])[0], soft[0], atol=1e-6)


# Alignment.


def moved(X, scale, angle, shift):
    z = (X[:, 0::2] + 1j * X[:, 1::2]) * scale * np.exp(1j * angle) + shift
    return np.stack([z.real, z.imag], axis=-1).reshape(len(X), -1)


def test_aligned_soft_landmarks_move_with_the_face():
    X = vectors()
    model = ActiveShapeModel(variance=0.8, align=True).fit(X)
    change = {"scale": 1.7, "angle": 0.6, "shift": 0.3 - 0.2j}
    np.testing.assert_allclose(
        model.transform(moved(X, **change)), moved(model.transform(X), **change), atol=1e-9
    )
    np.testing.assert_allclose(
        model.coefficients(moved(X, **change)), model.coefficients(X), atol=1e-9
    )
    plain = ActiveShapeModel(variance=0.8).fit(X)
    away = plain.transform(moved(X, **change)) - moved(plain.transform(X), **change)
    assert np.abs(away).max() > 0.05  # the unaligned model is another one


def test_aligned_shapes_that_differ_by_a_similarity_only_are_one_shape():
    random = np.random.default_rng(0)
    face = vectors(1)
    X = np.concatenate(
        [
            moved(face, random.uniform(0.5, 2), random.normal(0, 0.4), random.normal())
            for _ in range(9)
        ]
        + [face * 1.001 + random.normal(scale=1e-3, size=face.shape)]
    )
    model = ActiveShapeModel(align=True).fit(X)
    assert model.explained_variance_.sum() < 1e-3 * X.var(axis=0).sum()
    np.testing.assert_allclose(model.transform(X), X, atol=0.02)


def test_alignment_never_reflects():
    X = vectors()
    model = ActiveShapeModel(variance=0.8, align=True).fit(X)
    wrong = X * np.tile([-1, 1], 68)  # mirrored without renumbering: no face any more
    assert np.abs(model.transform(wrong) - wrong).mean() > 5 * np.abs(model.transform(X) - X).mean()


def test_aligned_mean_has_the_size_tilt_and_place_of_the_plain_mean():
    X = vectors()
    aligned, plain = (ActiveShapeModel(align=a).fit(X).mean_shape_ for a in (True, False))
    z, m = (v[0::2] + 1j * v[1::2] for v in (aligned, plain))
    assert z.mean() == pytest.approx(m.mean())
    turn = ((z - z.mean()).conj() * (m - m.mean())).sum() / (np.abs(z - z.mean()) ** 2).sum()
    assert turn == pytest.approx(1)


@ALIGN
def test_all_variance_gives_the_shapes_back_aligned_or_not(align):
    X = vectors()
    model = ActiveShapeModel(variance=1.0, n_std=100, align=align).fit(X)
    np.testing.assert_allclose(model.transform(X), X, atol=1e-9)


# Bad input.


@pytest.mark.parametrize("params", [{"variance": 0}, {"variance": 90}, {"n_std": -1}])
def test_parameters_out_of_range(params):
    with pytest.raises(ValueError, match="expected 0 < variance <= 1 and n_std >= 0"):
        ActiveShapeModel(**params).fit(vectors())


def test_shapes_that_cannot_be_modelled():
    X = vectors()
    with pytest.raises(ValueError, match="all shapes are the same"):
        ActiveShapeModel().fit(np.repeat(X[:1], 5, axis=0))
    with pytest.raises(ValueError, match="needs pairs x, y, found rows of 135"):
        ActiveShapeModel(align=True).fit(X[:, :-1])
    X[3] = 0.25
    with pytest.raises(ValueError, match="shape 3 cannot be aligned"):
        ActiveShapeModel(align=True).fit(X)
    model = ActiveShapeModel().fit(vectors())
    with pytest.raises(ValueError, match=r"expected \(…, \d+\)"):
        model.shape(np.zeros(model.n_components_ + 1))
    with pytest.raises(NotFittedError):
        ActiveShapeModel().shape([0.0])


def test_landmarks_that_are_no_shapes():
    faces = shapes()
    model = fit_shapes(faces, 68)
    for call in (lambda x: mirror(x, 68), lambda x: fit_shapes(x, 68), lambda x: soften(model, x)):
        with pytest.raises(ValueError, match=r"expected \(…, 68, 2\)"):
            call(faces[:, :67])
    broken = faces.copy()
    broken[7, 30, 1] = np.nan
    for call in (lambda x: fit_shapes(x, 68), lambda x: soften(model, x)):
        with pytest.raises(ValueError, match=r"face \[7\], point 30 is"):
            call(broken)
    with pytest.raises(ValueError, match="0 sample"):
        fit_shapes(faces[:0], 68)
