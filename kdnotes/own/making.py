"""A scheme of landmarks made by clicking on a picture."""

from collections.abc import Mapping
from pathlib import Path

from kdnotes.data import schemes
from kdnotes.data.pictures import PictureError, read_picture
from kdnotes.data.schemes import Scheme
from kdnotes.own.figure import address


def begin_scheme(pictures: Mapping[str, Path]) -> dict:
    """The state of a page on which a scheme is made: the first picture that opens, no points yet.

    Args:
        pictures: Name to file, as `labels.pictures_of` gives them.

    Raises:
        PictureError: None of the pictures opens.
    """
    for file, path in pictures.items():
        try:
            image = read_picture(path).pixels
        except PictureError as error:
            problem = error
            continue
        state = {"file": file, "source": address(image), "step": "points", "mirrored": False}
        state |= {"width": image.shape[1], "height": image.shape[0], "asked": 0, "problem": ""}
        return state | {"scheme": {}} | {
            name: [] for name in ("points", "names", "edges", "partners", "pair")
        }  # fmt: skip
    raise problem


def check_scheme(value: dict) -> Scheme:
    """The scheme that somebody has clicked together.

    Raises:
        ValueError: It has no point or names that are empty, or contradicts itself.
    """
    scheme = schemes.from_json(value)
    if scheme.n_points < 1:
        raise ValueError("a scheme has at least one point; click on the picture to add one")
    if not all(scheme.names):
        raise ValueError(f"every point has a name; point {scheme.names.index('') + 1} has none")
    return scheme
