"""Point schemes: flips, groups and the conversion from 98 to 68 points."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from kdnotes.data import schemes
from kdnotes.data.schemes import SCHEMES

EVERY = pytest.mark.parametrize(
    "scheme", SCHEMES.values(), ids=str(list(SCHEMES)).strip("[]").split(", ")
)


def symmetric_shape(scheme, seed=0):
    """A shape that is its own mirror image: points in pairs (x, y), (-x, y), or on the axis."""
    random = np.random.default_rng(seed)
    shape = random.normal(size=(scheme.n_points, 2))
    for i, j in enumerate(scheme.flip):
        if i == j:
            shape[i, 0] = 0
        elif i < j:
            shape[j] = shape[i] * [-1, 1]
    return shape


@EVERY
def test_flipping_twice_is_the_identity(scheme):
    flip = np.array(scheme.flip)
    assert sorted(flip) == list(range(scheme.n_points))
    assert (flip[flip] == np.arange(scheme.n_points)).all()
    assert (flip != np.arange(scheme.n_points)).any()


@EVERY
def test_symmetric_shape_maps_onto_itself(scheme):
    shape = symmetric_shape(scheme)
    np.testing.assert_allclose(shape[list(scheme.flip)] * [-1, 1], shape, atol=1e-6)


@EVERY
def test_left_groups_map_to_right_groups_and_others_to_themselves(scheme):
    pairs = 0
    for name, group in scheme.groups.items():
        mirrored = {scheme.flip[i] for i in group}
        partner = (
            name.replace("_left", "_RIGHT").replace("_right", "_left").replace("_RIGHT", "_right")
        )
        assert mirrored == set(scheme.groups[partner]), name
        pairs += name != partner
    assert pairs == 4, "two brows and two eyes"
    for left, right in (scheme.interocular, scheme.interpupil):
        assert {scheme.flip[i] for i in left} == set(right)


@EVERY
def test_drawing_is_symmetric_and_names_every_point_once(scheme):
    edges = {frozenset(edge) for edge in scheme.edges}
    assert edges == {frozenset(scheme.flip[i] for i in edge) for edge in edges}
    named = [i for group in scheme.groups.values() for i in group]
    assert set(named) == set(range(scheme.n_points))
    # In the 29-point scheme both lips share the corners of the mouth.
    assert len(named) - len(set(named)) == (2 if scheme.n_points == 29 else 0)


def test_flips_as_published():
    """Spot checks against the order that mmpose, HRNet and PIPNet use."""
    f29, f68, f98 = (SCHEMES[n].flip for n in (29, 68, 98))
    assert [f68[i] for i in (0, 8, 17, 30, 31, 36, 37, 40, 48, 60, 65)] == [
        16, 8, 26, 30, 35, 45, 44, 47, 54, 64, 67,
    ]  # fmt: skip
    assert [f98[i] for i in (0, 33, 37, 38, 41, 55, 60, 61, 67, 76, 88, 96)] == [
        32, 46, 42, 50, 47, 59, 72, 71, 73, 82, 92, 97,
    ]  # fmt: skip
    assert [f29[i] for i in (0, 2, 4, 5, 8, 10, 12, 13, 16, 18, 22, 28)] == [
        1, 3, 6, 7, 9, 11, 14, 15, 17, 19, 23, 28,
    ]  # fmt: skip


def test_normalisers_are_the_outer_eye_corners_and_the_pupils():
    assert SCHEMES[68].interocular == ((36,), (45,))
    assert SCHEMES[98].interocular == ((60,), (72,)) and SCHEMES[98].interpupil == ((96,), (97,))
    assert SCHEMES[29].interocular == ((8,), (9,)) and SCHEMES[29].interpupil == ((16,), (17,))
    left, right = SCHEMES[68].interpupil
    assert set(left) == set(range(36, 42)) and set(right) == set(range(42, 48))


def test_get_takes_a_number_or_a_scheme():
    assert schemes.get(68) is SCHEMES[68] and schemes.get(SCHEMES[29]) is SCHEMES[29]
    with pytest.raises(ValueError, match=r"no scheme has 67 points; known are \[29, 68, 98\]"):
        schemes.get(67)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"flip": (1, 2, 0)}, "identity when applied twice"),
        ({"flip": (1, 0)}, "must renumber its points"),
        ({"groups": {"nose": (3,)}}, r"uses points \[3\]"),
        ({"edges": ((0, -1),)}, r"uses points \[-1\]"),
    ],
)
def test_a_scheme_of_ones_own_is_checked(change, message):
    fields = {
        "n_points": 3, "flip": (1, 0, 2), "groups": {"eyes": (0, 1)}, "edges": ((0, 1),),
        "interocular": ((0,), (1,)), "interpupil": ((0,), (1,)),
    }  # fmt: skip
    assert schemes.Scheme(**fields).n_points == 3
    with pytest.raises(ValueError, match=message):
        schemes.Scheme(**{**fields, **change})


def test_the_scheme_of_a_network():
    """Named by the network, built in, or else points without lines."""
    own = schemes.Scheme(3, (1, 0, 2), {"eyes": (0, 1)}, ((0, 2),), ((0,), (1,)), ((0,), (1,)))
    written = json.loads(json.dumps(schemes.to_json(own)))
    assert schemes.of_config(SimpleNamespace(n_points=3, scheme=written)) == own
    assert schemes.of_config(SimpleNamespace(n_points=98, scheme=98)) == SCHEMES[98]
    assert schemes.of_config(SimpleNamespace(n_points=29, scheme=None)) == SCHEMES[29]
    assert schemes.of_config(SimpleNamespace(n_points=68)) == SCHEMES[68]
    assert schemes.of_config(SimpleNamespace(n_points=5)) == schemes.Scheme(5)


def test_98_to_68_by_value():
    """Point i of the source lies at (i, 100 + i²), so every result tells where it came from."""
    i = np.arange(98.0)
    found = schemes.convert(np.stack([i, 100 + i**2], axis=-1))
    y = lambda k: 100.0 + k**2  # noqa: E731
    assert found.shape == (68, 2)
    expected = {  # target point: the source points that mix to it, with their shares
        **{k: {2 * k: 1} for k in range(17)},
        **dict(zip((17, 26), ({33: 1}, {46: 1}), strict=True)),
        **{27 + k: {51 + k: 1} for k in range(9)},
        **{48 + k: {76 + k: 1} for k in range(20)},
    }
    for first, source in ((36, 60), (42, 68)):
        a = [source + k for k in range(8)]
        mixes = [{a[0]: 1}, {a[1]: 2 / 3, a[2]: 1 / 3}, {a[3]: 2 / 3, a[2]: 1 / 3},
                 {a[4]: 1}, {a[5]: 2 / 3, a[6]: 1 / 3}, {a[7]: 2 / 3, a[6]: 1 / 3}]  # fmt: skip
        expected |= {first + k: mix for k, mix in enumerate(mixes)}
    for point, mix in expected.items():
        where = [sum(s * k for k, s in mix.items()), sum(s * y(k) for k, s in mix.items())]
        np.testing.assert_allclose(found[point], where, err_msg=str(point))
    brows = {18: (34, 41), 19: (35, 40), 20: (36, 39), 21: (37, 38),
             22: (42, 50), 23: (43, 49), 24: (44, 48), 25: (45, 47)}  # fmt: skip
    for point, (upper, lower) in brows.items():
        np.testing.assert_allclose(found[point], [upper, (y(upper) + y(lower)) / 2])
    assert set(expected) | set(brows) == set(range(68))


def test_98_to_68_keeps_symmetry_and_batches():
    shape = symmetric_shape(SCHEMES[98])
    converted = schemes.convert(shape)
    flip = list(SCHEMES[68].flip)
    np.testing.assert_allclose(converted[flip] * [-1, 1], converted, atol=1e-12)
    batch = schemes.convert(np.stack([shape, 2 * shape])[None])
    assert batch.shape == (1, 2, 68, 2)
    np.testing.assert_array_equal(batch[0, 0], converted)


def test_other_conversions_are_refused():
    with pytest.raises(ValueError, match="asked for 68 to 29"):
        schemes.convert(np.zeros((68, 2)), source=68, target=29)
    with pytest.raises(ValueError, match=r"found \(68, 2\)"):
        schemes.convert(np.zeros((68, 2)))
