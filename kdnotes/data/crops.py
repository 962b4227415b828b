"""One annotated face, and the square that is cut around it.

A `Sample` is what the readers of `kdnotes.data.formats` deliver and a face set stores: a picture,
its landmarks in pixels, whose face it is. The functions below turn it into a *stored crop*: a
generous square picture, and landmarks in units of that square.

Pixels are counted from the middle of the first pixel: (0, 0) is its centre, (-0.5, -0.5) its
outer corner. A crop is (cx, cy, side) in these pixels, and a point u in the crop's units (origin in
its centre, unit its width) lies at (cx + side * u_x, cy + side * u_y).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kdnotes.data import schemes

STORED_MARGIN = 2.2  # side of a stored crop / larger side of the landmarks' box
CROP_MARGIN = 1.3  # side of the crop a network sees / the same

#: The two margins of whole pictures: a network sees the picture, and views may look beyond it.
PICTURE_STORED_MARGIN, PICTURE_CROP_MARGIN = 1.4, 1.0

#: If a larger share of a face's points lies outside the picture, they belong to another picture,
#: such as the same one in another size.
MAX_OUTSIDE = 0.5

#: Points that lie farther outside the picture than this share of its longer side are mistakes.
FAR_OUTSIDE = 0.5

#: Middle of the tip of the nose, by number of points.
NOSE_TIP = {29: 20, 68: 30, 98: 54}

#: How far the tip of the nose stands before the outer eye corners, in units of their distance.
NOSE_DEPTH = 0.45


@dataclass(frozen=True)
class Sample:
    """One face of a picture.

    Attributes:
        image: `(H, W, 3)` uint8, RGB.
        points: `(L, 2)` landmarks x, y in pixels of `image` (see above; may lie outside).
        visible: `(L,)` bool, or None if the data set does not tell: all count as visible.
        box: The data set's own box of the face: x, y, width, height in pixels, or None.
        id: Unique name in the data set.
        subject: Whose face it is, "" where unknown; a fair split never cuts a person in two.
        split: "train", "validation" or "test".
        subsets: Names of the subsets the face belongs to.
        attributes: Name to value, such as the yaw in degrees.
        crop: Set if `image` already is a crop: its (cx, cy, side) in the pixels of `points`.
        notes: Remarks on how it was read, in the same words for all faces that they apply to.
    """

    image: np.ndarray
    points: np.ndarray
    visible: np.ndarray | None = None
    box: tuple[float, float, float, float] | None = None
    id: str = ""
    subject: str = ""
    split: str = "train"
    subsets: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    crop: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BadSample:
    """A face that a reader could not deliver.

    Attributes:
        id: Its unique name.
        reason: What is wrong, in the same words for every face with the same fault.
        where: Where to look, such as a file and line; "" if the id says enough.
    """

    id: str
    reason: str
    where: str = ""


class Crop(NamedTuple):
    """What is stored of a face.

    Attributes:
        image: `(S, S, 3)` uint8.
        points: `(L, 2)` float64 landmarks in units of the crop.
        place: cx, cy, side in pixels of the source picture.
    """

    image: np.ndarray
    points: np.ndarray
    place: tuple[float, float, float]


def find_problem(sample: Sample, n_points: int, box: str = "landmarks") -> str:
    """Why a sample cannot be stored.

    Args:
        sample: The face.
        n_points: Number of landmarks L it should have.
        box: Where its crop comes from, see `box_of`.

    Returns:
        The problem in a few words, or "" if there is none.
    """
    image, points = sample.image, np.asarray(sample.points)
    if points.shape != (n_points, 2):
        return f"{points.shape} landmarks instead of {(n_points, 2)}"
    if not np.isfinite(points.astype(float)).all():
        return "landmarks that are not finite numbers"
    if sample.visible is not None and np.shape(sample.visible) != (n_points,):
        return f"visibility of shape {np.shape(sample.visible)} instead of {(n_points,)}"
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        return "picture is not an array of uint8"
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        return f"picture of shape {image.shape} instead of (height, width, 3)"
    if sample.crop is not None:
        is_square = image.shape[0] == image.shape[1] and np.isfinite(sample.crop).all()
        return "" if is_square and sample.crop[2] > 0 else "ready crop is not a square"
    if box == "dataset" and sample.box is None:
        return "no box in the data set"
    x, y, width, height = box_of(sample, box)
    if not (np.isfinite([x, y]).all() and 0 < width < np.inf and 0 < height < np.inf):
        return "box without an area"
    corners = np.array([[x, y], [x + width, y + height], points.min(0), points.max(0)])
    far = FAR_OUTSIDE * max(image.shape[:2])
    end = np.array(image.shape[1::-1])
    outside = ((points < -0.5) | (points > end - 0.5)).any(axis=1)
    if (corners < -far).any() or (corners > end + far).any() or outside.mean() > MAX_OUTSIDE:
        return "points far outside the picture, or more than half of them"
    return ""


def landmarks_box(points: np.ndarray) -> tuple[float, float, float, float]:
    """The box x, y, width, height around `(L, 2)` points, in their unit."""
    (left, top), (right, bottom) = np.min(points, axis=0), np.max(points, axis=0)
    return float(left), float(top), float(right - left), float(bottom - top)


def picture_box(image: np.ndarray) -> tuple[float, float, float, float]:
    """The box of a whole picture `(H, W, …)`, from corner to corner."""
    height, width = image.shape[:2]
    return -0.5, -0.5, float(width), float(height)


def box_of(sample: Sample, box: str) -> tuple[float, float, float, float]:
    """The box that a sample is cropped around: that of its "landmarks", that of the "dataset", or
    the whole "picture"."""
    if box == "dataset":
        return sample.box
    return picture_box(sample.image) if box == "picture" else landmarks_box(sample.points)


def square_around(box: tuple, margin: float) -> tuple[float, float, float]:
    """The square (cx, cy, side) about a box's centre: its longer side times `margin`.

    A square, so that faces keep their proportions whatever the box's.
    """
    x, y, width, height = (float(value) for value in box)
    return x + width / 2, y + height / 2, max(width, height) * margin


def cut(image: np.ndarray, crop: tuple, size: int) -> np.ndarray:
    """The content of a square crop, resampled to `size` pixels.

    The crop may lie between pixels and reach outside the picture, whose border pixels are then
    repeated. Shrinking averages (Pillow's antialiased bicubic filter), so nothing flickers.

    Args:
        image: `(H, W, 3)` uint8.
        crop: (cx, cy, side) in pixels, counted from the middle of the first pixel.
        size: Side of the result in pixels.

    Returns:
        `(size, size, 3)` uint8.
    """
    cx, cy, side = crop
    # Pillow counts from the picture's corner, so its coordinates are half a pixel larger.
    left, top = cx + 0.5 - side / 2, cy + 0.5 - side / 2
    reach = int(np.ceil(2 * max(side / size, 1))) + 1  # pixels that the filter looks at around it
    first = np.floor([left, top]).astype(int) - reach
    last = np.ceil([left + side, top + side]).astype(int) + reach
    columns, rows = (np.arange(a, b) for a, b in zip(first, last, strict=True))
    height, width = image.shape[:2]
    columns, rows = np.clip(columns, 0, width - 1), np.clip(rows, 0, height - 1)
    region = Image.fromarray(image.take(rows, axis=0).take(columns, axis=1))
    box = (left - first[0], top - first[1], left - first[0] + side, top - first[1] + side)
    return np.asarray(region.resize((size, size), Image.Resampling.BICUBIC, box=box))


def stored_crop(sample: Sample, size: int, margin: float, box: str = "landmarks") -> Crop:
    """The stored crop of a sample that `find_problem` finds nothing wrong with.

    Args:
        sample: The face.
        size: Side of the crop in pixels.
        margin: Side of the crop in units of the box's longer side.
        box: Where the box comes from, see `box_of`.
    """
    if sample.crop is not None:
        place, side = sample.crop, len(sample.image)
        whole = (side / 2 - 0.5, side / 2 - 0.5, side)
        image = sample.image if side == size else cut(sample.image, whole, size)
    else:
        place = square_around(box_of(sample, box), margin)
        image = cut(sample.image, place, size)
    points = (np.asarray(sample.points, dtype=np.float64) - place[:2]) / place[2]
    return Crop(np.ascontiguousarray(image), points, place)


def knows_yaw(scheme: schemes.Scheme | int) -> bool:
    """Whether the turn of a head can be estimated from points of this scheme."""
    scheme = schemes.get(scheme)
    return schemes.SCHEMES.get(scheme.n_points) == scheme


def estimate_yaw(points: np.ndarray, scheme: schemes.Scheme | int) -> float:
    """A rough yaw of the head in degrees; positive where the nose points to the image's right.

    Under a turn by θ the distance of the outer eye corners shrinks with cos θ and the tip of the
    nose, which stands before them, moves sideways with sin θ. Its offset from their middle, in
    units of their distance, is therefore `NOSE_DEPTH` * tan θ. It is an estimate from the points,
    good enough to sort faces into frontal, half-turned and profile; noses differ.

    Args:
        points: `(L, 2)`, any unit.
        scheme: Their scheme.

    Returns:
        Degrees in (-90, 90); NaN for a scheme without a known nose tip or eyes in one point.
    """
    scheme = schemes.get(scheme)
    if not knows_yaw(scheme):
        return float("nan")
    points = np.asarray(points, dtype=np.float64)
    left, right = (points[list(side)].mean(axis=0) for side in scheme.interocular)
    distance = np.linalg.norm(right - left)
    if not distance > 0:
        return float("nan")
    along = (right - left) / distance
    offset = (points[NOSE_TIP[scheme.n_points]] - (left + right) / 2) @ along / distance
    return float(np.degrees(np.arctan(offset / NOSE_DEPTH)))
