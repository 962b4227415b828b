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
from typing import Any

import numpy as np

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
        names: Of the points, for people; none or L of them.
    """

    n_points: int
    flip: tuple[int, ...] | None = None
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    edges: tuple[tuple[int, int], ...] = ()
    interocular: Pair | None = None
    interpupil: Pair | None = None
    pair: Pair | None = None
    names: tuple[str, ...] = ()

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
        pairs = [p for p in (self.interocular, self.interpupil, self.pair) if p is not None]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise ValueError(f"a pair is two groups of points, such as [[8], [9]]; found {pairs}")
        if self.names and (len(self.names) != len(points) or len({*self.names}) < len(points)):
            raise ValueError(
                f"a scheme of {self.n_points} points needs {self.n_points} different names; found "
                f"{self.names}"
            )
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


def _span(first: int, last: int) -> tuple[int, ...]:
    """The numbers from `first` to `last`, both included, upwards or downwards."""
    step = 1 if last >= first else -1
    return tuple(range(first, last + step, step))


def _line(points: tuple[int, ...], closed: bool = False) -> tuple[tuple[int, int], ...]:
    """Edges that join `points` one after the other, and the last to the first if `closed`."""
    edges = tuple(pairwise(points))
    return (*edges, (points[-1], points[0])) if closed else edges


def _scheme_68() -> Scheme:
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


def _scheme_98() -> Scheme:
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


def _scheme_29() -> Scheme:
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


def get(scheme: Scheme | int) -> Scheme:
    """The scheme of a number of points, or the scheme itself.

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


def of_config(config: Any) -> Scheme:
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
    return SCHEMES.get(config.n_points) or Scheme(config.n_points)


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


#: For each of the 68 points the nearest of the 98.
FROM_98 = (
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60),
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96),
)  # fmt: skip
#: Of the 98 points, those on a brow's upper edge and the ones below them; a brow's middle line lies
#: halfway.
LOWER_BROW = {34: 41, 35: 40, 36: 39, 37: 38, 42: 50, 43: 49, 44: 48, 45: 47}
#: Of the 98 points, those on a lid and the lid's middle; points of 68 lie a third of the way there.
LIDS = {61: 62, 63: 62, 65: 66, 67: 66, 69: 70, 71: 70, 73: 74, 75: 74}


def convert(points: np.ndarray, source: int = 98, target: int = 68) -> np.ndarray:
    """Landmarks of the 98-point scheme as landmarks of the 68-point scheme.

    The usual conversion, not an official one: the 68 points take every other contour point, the
    middle line of the brows, and eye points interpolated between two of WFLW's.

    Args:
        points: `(…, 98, 2)`, any unit.
        source, target: Numbers of points; only 98 to 68 is defined.

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

    converted = points[..., FROM_98, :] / 1.0  # a copy, in floating point
    for i, near in enumerate(FROM_98):
        if near in LOWER_BROW:
            lower = points[..., LOWER_BROW[near], 1]
            converted[..., i, 1] = (points[..., near, 1] + lower) / 2
        elif near in LIDS:
            converted[..., i, :] = (2 * points[..., near, :] + points[..., LIDS[near], :]) / 3
    return converted
