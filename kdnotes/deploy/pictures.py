"""The rendered pictures of the live page: a film with its true points, and faces to try.

Each is rendered once and kept in a cache folder.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from kdnotes.data import synthetic
from kdnotes.data.synthetic.film import render_film
from kdnotes.system.files import new_file

#: The film: number of frames, frames per second, width and height of a frame in pixels, frames per
#: row, and the rendered person.
FRAMES, RATE, WIDTH, HEIGHT, COLUMNS, PERSON = 84, 12, 400, 300, 7, 1

#: The film's true points are stored as whole numbers of this part of a pixel.
POINT_STEP = 1 / 16

#: Rendered faces to try, and their side in pixels.
SAMPLES, SAMPLE_SIZE = (124, 144, 152, 44, 24, 188), 320


def film(cache: Path) -> tuple[Path, Path]:
    """The film's two files.

    Args:
        cache: Folder of the files.

    Returns:
        A JPEG with all frames side by side, and the true points of each frame: `(FRAMES, 68, 2)`
        little-endian int16, in `POINT_STEP`s, counted from the middle of the frame's first pixel.
    """
    name = f"film-{synthetic.VERSION}-{PERSON}-{FRAMES}-{WIDTH}x{HEIGHT}"
    picture, points = cache / f"{name}.jpg", cache / f"{name}.bin"
    if not (picture.exists() and points.exists()):
        rows = -(-FRAMES // COLUMNS)
        sheet, truth = Image.new("RGB", (COLUMNS * WIDTH, rows * HEIGHT)), []
        frames = render_film(FRAMES, WIDTH, HEIGHT, PERSON)
        for i, still in enumerate(tqdm(frames, "film", FRAMES, unit=" frames")):
            row, column = divmod(i, COLUMNS)
            sheet.paste(Image.fromarray(still.image), (column * WIDTH, row * HEIGHT))
            truth.append(np.rint(still.points / POINT_STEP))
        _save_jpeg(sheet, picture, quality=82)
        with new_file(points) as part:
            part.write_bytes(np.stack(truth).astype("<i2").tobytes())
    return picture, points


def samples(cache: Path) -> list[Path]:
    """The rendered faces to try, each in a file of its own."""
    paths = []
    for face in SAMPLES:
        path = cache / f"face-{synthetic.VERSION}-{face}-{SAMPLE_SIZE}.jpg"
        if not path.exists():
            image = synthetic.render_face(face, SAMPLE_SIZE)[0]
            _save_jpeg(Image.fromarray(np.asarray(image)), path, quality=88)
        paths.append(path)
    return paths


def _save_jpeg(picture, path, quality):
    with new_file(path) as part:
        picture.save(part, format="jpeg", quality=quality)
