"""Point schemes: what each landmark number means.

Data sets mark a face with 29 (COFW), 68 (300W, YouTube Faces) or 98 points (WFLW). A `Scheme` holds
everything the rest of the package needs to know about one of them: how the points are renumbered
when the picture is mirrored, which points form the eyes or the mouth, which lines to draw, and
which two groups of points give the distance that errors are divided by.

"left" and "right" are the picture's, not the person's: `eye_left` is the eye on the image's left.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

#: Group names that come in a left and a right version.
PAIRED = ("brow", "eye")

#: What errors can be divided by, in words.
DISTANCES = {
    "interocular": "inter-ocular distance",
    "interpupil": "inter-pupil distance",
    "pair": "distance of the scheme's pair",
    "box": "box size √(width·height)",
}

#: Two groups of points; the distance of their means divides errors.
Pair = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Scheme:
    """A numbering of landmarks. Only the number of points must be known.

    Attributes:
        n_points: Number of landmarks L.
        flip: L indices; after mirroring, point i of the mirrored face is point `flip[i]` of the
            original. An involution: applied twice it is the identity. None: nobody knows, so
            pictures are never mirrored.
        groups: Name of a part to the indices of its points; without any, all points are one part.
        edges: Pairs of indices, the lines of a drawing.
        interocular: Indices (left, right) whose means are the outer eye corners; None: no eyes.
        interpupil: Indices (left, right) whose means are the pupils; None: no eyes.
        pair: For a scheme without eyes: indices (first, second) whose distance divides errors.
    """

    n_points: int
    flip: tuple[int, ...] | None = None
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    edges: tuple[tuple[int, int], ...] = ()
    interocular: Pair | None = None
    interpupil: Pair | None = None
    pair: Pair | None = None

    def __post_init__(self):
        points = list(range(self.n_points))
        if not self.groups:
            object.__setattr__(self, "groups", {"points": tuple(points)})
        if self.flip is not None and (
            sorted(self.flip) != points or [self.flip[i] for i in self.flip] != points
        ):
            raise ValueError(
                f"the flip of a {self.n_points}-point scheme must renumber its points and give "
                f"the identity when applied twice, found {self.flip}"
            )
        pairs = [self.interocular, self.interpupil, self.pair]
        pairs = [pair for pair in pairs if pair is not None]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise ValueError(f"a pair is two groups of points, such as [[8], [9]]; found {pairs}")
        used = {
            *(i for group in self.groups.values() for i in group),
            *(i for edge in self.edges for i in edge),
            *(i for pair in pairs for side in pair for i in side),
        }
        if not used <= set(points):
            raise ValueError(
                f"a {self.n_points}-point scheme uses points {sorted(used - set(points))}; "
                f"expected numbers from 0 to {self.n_points - 1}"
            )

    @property
    def normaliser(self) -> str:
        """What divides errors where nothing else is asked for: "interocular", "pair" or "box"."""
        if self.interocular:
            return "interocular"
        return "pair" if self.pair else "box"

    @property
    def distance(self) -> str:
        """The normaliser in words."""
        return DISTANCES[self.normaliser]


def _span(first, last):
    """The numbers from `first` to `last`, both included, upwards or downwards."""
    step = 1 if last >= first else -1
    return tuple(range(first, last + step, step))


def _line(points, closed=False):
    """Edges that join `points` one after the other, and the last to the first if `closed`."""
    edges = tuple(pairwise(points))
    return (*edges, (points[-1], points[0])) if closed else edges


def _scheme_68():
    groups = {
        "contour": _span(0, 16),
        "brow_left": _span(17, 21),
        "brow_right": _span(22, 26),
        "nose": _span(27, 35),
        "eye_left": _span(36, 41),
        "eye_right": _span(42, 47),
        "mouth_outer": _span(48, 59),
        "mouth_inner": _span(60, 67),
    }
    flip = (
        *_span(16, 0), *_span(26, 17), *_span(27, 30), *_span(35, 31),
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *_span(54, 48), *_span(59, 55), *_span(64, 60), 67, 66, 65,
    )  # fmt: skip
    edges = (
        *_line(groups["contour"]),
        *_line(groups["brow_left"]),
        *_line(groups["brow_right"]),
        *_line(_span(27, 30)),
        *_line(_span(31, 35)),
        *_line(groups["eye_left"], closed=True),
        *_line(groups["eye_right"], closed=True),
        *_line(groups["mouth_outer"], closed=True),
        *_line(groups["mouth_inner"], closed=True),
    )
    return Scheme(68, flip, groups, edges, ((36,), (45,)), (_span(36, 41), _span(42, 47)))


def _scheme_98():
    groups = {
        "contour": _span(0, 32),
        "brow_left": _span(33, 41),
        "brow_right": _span(42, 50),
        "nose": _span(51, 59),
        "eye_left": _span(60, 67),
        "eye_right": _span(68, 75),
        "mouth_outer": _span(76, 87),
        "mouth_inner": _span(88, 95),
        "pupils": (96, 97),
    }
    flip = (
        *_span(32, 0), *_span(46, 42), *_span(50, 47), *_span(37, 33), *_span(41, 38),
        *_span(51, 54), *_span(59, 55), *_span(72, 68), 75, 74, 73, *_span(64, 60), 67, 66, 65,
        *_span(82, 76), *_span(87, 83), *_span(92, 88), 95, 94, 93, 97, 96,
    )  # fmt: skip
    edges = (
        *_line(groups["contour"]),
        *_line(groups["brow_left"], closed=True),
        *_line(groups["brow_right"], closed=True),
        *_line(_span(51, 54)),
        *_line(_span(55, 59)),
        *_line(groups["eye_left"], closed=True),
        *_line(groups["eye_right"], closed=True),
        *_line(groups["mouth_outer"], closed=True),
        *_line(groups["mouth_inner"], closed=True),
    )
    return Scheme(98, flip, groups, edges, ((60,), (72,)), ((96,), (97,)))


def _scheme_29():
    groups = {
        "contour": (28,),
        "brow_left": (0, 4, 2, 5),
        "brow_right": (1, 6, 3, 7),
        "nose": (18, 20, 19, 21),
        "eye_left": (8, 12, 10, 13),
        "eye_right": (9, 14, 11, 15),
        "mouth_outer": (22, 24, 23, 25),
        "mouth_inner": (22, 26, 23, 27),
        "pupils": (16, 17),
    }
    flip = (
        1, 0, 3, 2, 6, 7, 4, 5, 9, 8, 11, 10, 14, 15, 12, 13, 17, 16,
        19, 18, 20, 21, 23, 22, 24, 25, 26, 27, 28,
    )  # fmt: skip
    edges = tuple(
        edge for name, points in groups.items()
        if name not in ("contour", "pupils")
        for edge in _line(points, closed=True)
    )  # fmt: skip
    return Scheme(29, flip, groups, edges, ((8,), (9,)), ((16,), (17,)))


#: The schemes by number of points.
SCHEMES = {29: _scheme_29(), 68: _scheme_68(), 98: _scheme_98()}


def get(scheme):
    """The `Scheme` meant by a number of points or by a `Scheme`.

    Raises:
        ValueError: No scheme has that number of points.
    """
    if isinstance(scheme, Scheme):
        return scheme
    if scheme not in SCHEMES:
        raise ValueError(
            f"no scheme has {scheme} points; known are {sorted(SCHEMES)}, "
            "or build a schemes.Scheme of your own"
        )
    return SCHEMES[scheme]


def to_json(scheme: Scheme) -> int | dict:
    """A scheme as a JSON value: its number of points, or a reader's own scheme in full."""
    return scheme.n_points if SCHEMES.get(scheme.n_points) == scheme else asdict(scheme)


def from_json(value: int | dict) -> Scheme:
    """The scheme that `to_json` wrote down, or that somebody wrote by hand: only `n_points` must
    be there.

    Raises:
        ValueError: No scheme has that number of points, or an entry is missing or wrong.
    """
    if not isinstance(value, dict):
        return get(value)

    def tuples(item):
        return tuple(map(tuples, item)) if isinstance(item, list) else item

    try:
        entries = {key: tuples(item) for key, item in value.items()}
        entries["groups"] = {
            name: tuples(points) for name, points in (value.get("groups") or {}).items()
        }
        return Scheme(**entries)
    except (KeyError, TypeError, AttributeError) as error:
        _, *optional = Scheme.__dataclass_fields__
        raise ValueError(
            f"not a scheme ({error}); expected n_points and, where known, {', '.join(optional)}"
        ) from error


def of_config(config) -> Scheme:
    """The scheme of a network's landmarks.

    Args:
        config: What a network or an exported file says of itself: `n_points`, and `scheme` (see
            `to_json`) where the points are no built-in ones.

    Returns:
        The scheme that is named, or the built-in one of that number of points, or else one that
        knows nothing of the points but their number: a drawing of it has dots and no lines.
    """
    value = getattr(config, "scheme", None)
    if value is not None:
        return from_json(value)
    n = config.n_points
    return SCHEMES.get(n) or Scheme(n)


def get_named(name: str) -> Scheme:
    """The scheme that a command line means: a number of points, or a JSON file.

    Raises:
        ValueError: Neither.
    """
    if name.isdigit():
        return get(int(name))
    try:
        return from_json(json.loads(Path(name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"--scheme is {name!r}: {error}; give {', '.join(map(str, SCHEMES))}, or a JSON file"
        ) from error


def convert(points, source=98, target=68):
    """Landmarks of the 98-point scheme as landmarks of the 68-point scheme.

    The usual conversion, not an official one: the 68 points take every other contour point, the
    middle line of the brows, and eye points interpolated between two of WFLW's.

    Args:
        points: `(…, 98, 2)`, any unit.

    Returns:
        `(…, 68, 2)` in the same unit.

    Raises:
        ValueError: Another pair of schemes, or another number of points.
    """
    if (source, target) != (98, 68):
        raise ValueError(f"only 98 to 68 points is defined, asked for {source} to {target}")
    points = np.asarray(points)
    if points.shape[-2:] != (98, 2):
        raise ValueError(f"expected points of shape (…, 98, 2), found {points.shape}")

    def take(*indices):
        return points[..., list(indices), :]

    def brow(upper, lower):  # x of the upper point, y between the two
        upper, lower = take(*upper), take(*lower)
        return np.stack([upper[..., 0], (upper[..., 1] + lower[..., 1]) / 2], axis=-1)

    def eye(first):  # six points from the eight that start at `first`
        a = [first + i for i in range(8)]
        mixed = (2 * take(a[1], a[3], a[5], a[7]) + take(a[2], a[2], a[6], a[6])) / 3
        corner = take(a[0], a[4])
        order = [corner[..., 0, :], mixed[..., 0, :], mixed[..., 1, :],
                 corner[..., 1, :], mixed[..., 2, :], mixed[..., 3, :]]  # fmt: skip
        return np.stack(order, axis=-2)

    parts = [
        take(*range(0, 33, 2)),
        take(33),
        brow((34, 35, 36, 37), (41, 40, 39, 38)),
        brow((42, 43, 44, 45), (50, 49, 48, 47)),
        take(46),
        take(*range(51, 60)),
        eye(60),
        eye(68),
        take(*range(76, 96)),
    ]
    return np.concatenate(parts, axis=-2)
