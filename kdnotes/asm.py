"""Soft landmarks: faces seen through a shape model that knows only the main ways faces vary.

The Tolerant teacher of KD-Loss does not learn the annotated *hard landmarks* but smoother *soft*
ones: each face is described by a few coefficients of an Active Shape Model (Cootes et al., CVIU
1995), held to what is usual, and drawn again from them.

    model = fit_shapes(train.landmarks, train.scheme)     # training faces and their mirror images
    soft = soften(model, faces.landmarks)                 # (N, L, 2)

Landmarks have their origin at the picture's centre, which is why a mean shape has negative
coordinates; the unit is the image width, y points down.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from kdnotes.data.schemes import Scheme, get


class ActiveShapeModel(TransformerMixin, BaseEstimator):
    """The shape model of an Active Shape Model, as a scikit-learn estimator.

    Only the model of shapes, not the search for them in a picture. A shape is a vector x of 2L
    numbers, x = mean + b·P: the mean shape plus a combination of the first k principal components
    P, with b_i held to ±n_std·√λ_i, λ_i being the variance of coefficient i.

    Args:
        variance: Share of the variance that the components kept must explain, above 0 and at
            most 1. Less variance, fewer components, softer shapes.
        n_std: Where coefficients are clamped, in standard deviations.
        align: False, the paper's way: shapes as they lie in their crops, so that position, size
            and tilt are variation like any other. True: shapes are first moved, scaled and turned
            onto the mean (generalised Procrustes), and the soft shape is moved back. That is
            another model; say which one a number belongs to.

    Attributes:
        mean_shape_: `(2L,)`.
        components_: `(k, 2L)`, orthonormal rows. Their signs mean nothing, but are always the
            same: the first of the largest numbers in a row is positive.
        explained_variance_: `(k,)`, the λ_i.
        explained_variance_ratio_: `(k,)`, the same as shares of the whole variance.
        n_components_: k.
    """

    def __init__(self, variance: float = 0.90, n_std: float = 3.0, align: bool = False):
        self.variance = variance
        self.n_std = n_std
        self.align = align

    def fit(self, X: Any, y: Any = None) -> "ActiveShapeModel":
        """Learns the mean shape and the main ways of varying.

        Args:
            X: `(n, 2L)`, rows are `landmarks.reshape(n, -1)`; n is at least 2.
            y: Ignored.

        Raises:
            ValueError: A parameter out of its range, values that are not finite, or shapes that
                are all the same.
        """
        if not 0 < self.variance <= 1 or not self.n_std >= 0:
            raise ValueError(
                f"variance is {self.variance} and n_std {self.n_std}; expected 0 < variance <= 1 "
                "and n_std >= 0"
            )
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        if self.align:
            self.mean_shape_ = _vectors(_procrustes_mean(_complex(X)))
            X, _ = self._aligned(X)
        else:
            self.mean_shape_ = X.mean(axis=0)
        _, singular, components = np.linalg.svd(X - self.mean_shape_, full_matrices=False)
        variances = singular**2 / (len(X) - 1)
        if not variances.sum() > 0:
            raise ValueError("all shapes are the same, expected shapes that vary")
        shares = variances / variances.sum()
        # The smallest k that explains the share asked for; rounding must not cost a component.
        enough = np.cumsum(shares) >= self.variance - 1e-12
        self.n_components_ = k = int(np.argmax(enough)) + 1
        self.components_ = _with_fixed_signs(components[:k])
        self.explained_variance_ = variances[:k]
        self.explained_variance_ratio_ = shares[:k]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Soft landmarks: each shape as the model can draw it, with its coefficients clamped.

        Note that these are shapes again, `(n, 2L)` in the frame of `X`, not coefficients as
        scikit-learn's PCA would return; see `coefficients` for those.
        """
        X, back = self._aligned(self._valid(X))
        limits = self.n_std * np.sqrt(self.explained_variance_)
        b = np.clip(self._project(X), -limits, limits)
        return back(self.shape(b))

    def coefficients(self, X: Any) -> np.ndarray:
        """The coefficients b of shapes `(n, 2L)`, not clamped: `(n, k)`."""
        X, _ = self._aligned(self._valid(X))
        return self._project(X)

    def shape(self, coefficients: Any) -> np.ndarray:
        """The shapes that coefficients `(…, k)` stand for, in the mean shape's frame: `(…, 2L)`."""
        check_is_fitted(self)
        b = np.asarray(coefficients, dtype=np.float64)
        if b.ndim == 0 or b.shape[-1] != self.n_components_:
            raise ValueError(f"coefficients are {b.shape}, expected (…, {self.n_components_})")
        return self.mean_shape_ + b @ self.components_

    def _valid(self, X):
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False)

    def _project(self, X):
        return (X - self.mean_shape_) @ self.components_.T

    def _aligned(self, X):
        """`X` in the mean shape's frame, and the function that leads back to its own."""
        if not self.align:
            return X, lambda shapes: shapes
        shapes, mean = _complex(X), _complex(self.mean_shape_)
        turn, old, new = _similarities(shapes, mean)
        aligned = turn * (shapes - old) + new
        return _vectors(aligned), lambda soft: _vectors((_complex(soft) - new) / turn + old)


def mirror(shapes: Any, scheme: int | Scheme) -> np.ndarray:
    """Shapes `(…, L, 2)` as seen in a mirror: x becomes -x, and points change their numbers.

    Twice is the identity, bit by bit.

    Raises:
        ValueError: The scheme does not say how points are renumbered.

    Example:
        >>> eyes = np.zeros((1, 68, 2))
        >>> eyes[0, 36] = [-0.2, 0.1]
        >>> asm.mirror(eyes, 68)[0, 45]
        array([0.2, 0.1])
    """
    scheme = get(scheme)
    shapes = _checked(shapes, scheme.n_points)
    if scheme.flip is None:
        raise ValueError(f"this {scheme.n_points}-point scheme has no flip: it cannot be mirrored")
    return shapes[..., list(scheme.flip), :] * np.array([-1, 1], dtype=shapes.dtype)


def with_mirror_images(landmarks: Any, scheme: int | Scheme) -> np.ndarray:
    """Shapes `(N, L, 2)` and then their mirror images, `(2 N, L, 2)`; of a scheme without a flip
    the shapes alone.

    Example:
        >>> asm.with_mirror_images(np.zeros((5, 68, 2)), 68).shape
        (10, 68, 2)
    """
    landmarks, scheme = np.asarray(landmarks), get(scheme)
    if scheme.flip is None:
        return landmarks
    return np.concatenate([landmarks, mirror(landmarks, scheme)])


def fit_shapes(landmarks: Any, scheme: int | Scheme, **params: Any) -> ActiveShapeModel:
    """A model of training shapes *and their mirror images*, so that soft(mirror) = mirror(soft).

    Args:
        landmarks: `(N, L, 2)`, of training faces only.
        scheme: Number of points or a `Scheme`.
        params: Of `ActiveShapeModel`.

    Example:
        >>> shapes = np.random.default_rng(0).normal(size=(20, 68, 2))
        >>> asm.fit_shapes(shapes, 68, variance=0.5).components_.shape[1]
        136
    """
    shapes = with_mirror_images(landmarks, scheme)
    return ActiveShapeModel(**params).fit(shapes.reshape(len(shapes), 2 * get(scheme).n_points))


def soften(model: ActiveShapeModel, landmarks: Any) -> np.ndarray:
    """The soft landmarks `(N, L, 2)` float32 of hard landmarks `(N, L, 2)`, in the same frame.

    Example:
        >>> shapes = np.random.default_rng(0).normal(size=(20, 68, 2))
        >>> model = asm.fit_shapes(shapes, 68, variance=0.9)
        >>> asm.soften(model, shapes).shape
        (20, 68, 2)
    """
    check_is_fitted(model)
    landmarks = _checked(landmarks, model.n_features_in_ // 2)
    soft = model.transform(landmarks.reshape(len(landmarks), model.n_features_in_))
    return soft.reshape(landmarks.shape).astype(np.float32)


def _checked(landmarks, n_points):
    landmarks = np.asarray(landmarks)
    if landmarks.ndim < 2 or landmarks.shape[-2:] != (n_points, 2):
        raise ValueError(f"landmarks are {landmarks.shape}, expected (…, {n_points}, 2)")
    bad = np.argwhere(~np.isfinite(landmarks))
    if len(bad):
        *face, point, _ = bad[0].tolist()
        raise ValueError(f"face {face}, point {point} is {landmarks[(*face, point)]}, not a number")
    return landmarks


def _with_fixed_signs(components):
    """Each row times 1 or -1, so that the first of its largest numbers is positive."""
    size = np.abs(components)
    # Numbers of mirrored points tie; within 0.1 % the first is taken, so that rounding cannot pick.
    first = np.argmax(size > 0.999 * size.max(axis=1, keepdims=True), axis=1)
    return components * np.sign(components[np.arange(len(components)), first])[:, None]


# Procrustes alignment. With points as complex numbers z = x + iy, moving, scaling and turning a
# shape is z -> a·(z - its centre) + new centre with one complex number a, and no a is a reflection.


def _complex(vectors):
    if vectors.shape[-1] % 2:
        raise ValueError(f"align=True needs pairs x, y, found rows of {vectors.shape[-1]} numbers")
    return vectors[..., 0::2] + 1j * vectors[..., 1::2]


def _vectors(shapes):
    return np.stack([shapes.real, shapes.imag], axis=-1).reshape(*shapes.shape[:-1], -1)


def _similarities(shapes, mean):
    """The least-squares turn-and-scale a of each shape onto `mean`, its centre, and the mean's."""
    old, new = shapes.mean(axis=-1, keepdims=True), mean.mean(axis=-1, keepdims=True)
    z, m = shapes - old, mean - new
    size = (np.abs(z) ** 2).sum(axis=-1, keepdims=True)
    turn = (z.conj() * m).sum(axis=-1, keepdims=True) / np.where(size > 0, size, 1)
    if not turn.all():
        row = np.flatnonzero(turn == 0)[0]
        raise ValueError(f"shape {row} cannot be aligned: its points coincide; check its landmarks")
    return turn, old, new


def _procrustes_mean(shapes, rounds=100):
    """The mean of shapes aligned to it, in the size and tilt of the plain mean."""
    plain = mean = shapes.mean(axis=0)
    for _ in range(rounds):
        turn, old, new = _similarities(shapes, mean)
        aligned = (turn * (shapes - old)).mean(axis=0)
        back, centre, new = _similarities(aligned, plain)
        previous, mean = mean, back * (aligned - centre) + new
        if np.abs(mean - previous).max() <= 1e-12 * np.abs(mean - new).max():
            break
    return mean
