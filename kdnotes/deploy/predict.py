"""A photo in, landmarks out.

The face's box is given by hand (its landmarks' box: from the brows to the chin, from ear to ear),
or the whole picture is taken as the network's crop. Coordinates are pixels of the upright picture,
counted from the middle of its first pixel.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from kdnotes import models, plots, samples
from kdnotes.files import new_file
from kdnotes.models import LandmarkNet
from kdnotes.views import to_tensor


def read_photo(path: str | Path) -> np.ndarray:
    """A picture file as `(H, W, 3)` uint8, turned upright as its camera meant it.

    Raises:
        ValueError: The file is not a picture that can be read.
    """
    try:
        with Image.open(path) as photo:
            return np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))
    except FileNotFoundError:
        raise FileNotFoundError(f"no picture at {path}") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error


def crop_of(image: np.ndarray, box: tuple | None, margin: float) -> tuple[float, float, float]:
    """The network's crop (cx, cy, side) for a landmarks' box (x, y, width, height) in pixels.

    Without a box the crop is the largest square in the middle of the picture.

    Raises:
        ValueError: A box without an area, or outside the picture.
    """
    height, width = image.shape[:2]
    if box is None:
        return (width - 1) / 2, (height - 1) / 2, float(min(width, height))
    x, y, w, h = box
    if not (w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0):
        raise ValueError(
            f"box {box} is no part of the picture of {width} × {height} pixels; expected x, y, "
            "width, height of the face, in pixels"
        )
    return samples.square_around(box, margin)


@torch.no_grad()
def predict(net: LandmarkNet, image: np.ndarray, box: tuple | None = None) -> np.ndarray:
    """Landmarks `(L, 2)` of one face in pixels of `image` `(H, W, 3)` uint8.

    Args:
        box: The landmarks' box x, y, width, height in pixels; None: the picture is the crop.
    """
    crop = crop_of(image, box, net.config.crop_margin)
    small = samples.cut(image, crop, net.config.size)
    found = net(to_tensor(small[None]).float() / 255)[0]
    return np.asarray(crop[:2]) + crop[2] * found.double().numpy()


def predict_files(
    photos: list[Path], network: Path, out: Path, box: tuple | None = None
) -> Iterator[str]:
    """Writes `NAME_landmarks.json` and the drawn `NAME_landmarks.png` for each photo.

    Yields one line on each photo; for one that cannot be used it begins with "skipped".
    """
    net = models.load(network)
    for path in photos:
        try:
            image = read_photo(path)
            points = predict(net, image, box)
        except (OSError, ValueError) as error:
            yield f"skipped: {error}"
            continue
        about = {
            "photo": path.name,
            "unit": "pixels of the upright picture, (0, 0) = middle of its first pixel",
            "box": box,
            "landmarks": points.round(2).tolist(),
        }
        result = out / f"{path.stem}_landmarks"  # never the name of the photo itself
        with new_file(result.with_name(f"{result.name}.json")) as part:
            part.write_text(json.dumps(about, indent=2) + "\n")
        figure = plots.face(image, points, scheme=net.config.n_points)
        with new_file(result.with_name(f"{result.name}.png")) as part:
            figure.savefig(part, format="png", dpi=150)
        yield f"{path} → {result}.json and .png"
