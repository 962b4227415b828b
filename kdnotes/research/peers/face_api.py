"""face-api's 68-point networks, which web developers use (`@vladmandic/face-api`), under node."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from kdnotes.data import crops
from kdnotes.research.peers.common import Answers, Unavailable
from kdnotes.system import npm

PACKAGES = ("@vladmandic/face-api", "@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm")
MODELS = {"face-api": "face_landmark_68_model", "face-api tiny": "face_landmark_68_tiny_model"}
SIDE, MARGIN = 112, 1.2

#: What makes coordinates from the crop's corner of face-api's. It draws them as if they had that
#: origin, but the x of a landmark and that of its mirror image add up to 110.1 of 112 pixels on
#: average, where the middle of the first pixel as the origin gives 111. This half pixel is worth a
#: point of NME on YouTube Faces: 7.8 % without it, 6.7 % with it.
MIDDLE = 0.5


def install(folder: Path) -> Path:
    """Installs the packages with npm, unless they are there.

    Args:
        folder: For the packages.

    Returns:
        The same folder.

    Raises:
        Unavailable: node or npm is not there, or the packages cannot be fetched.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise Unavailable("face-api needs node and npm, which are not here")
    if not all((folder / "node_modules" / name).is_dir() for name in PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        reason = npm.run(folder, "install", *PACKAGES)
        if reason:
            raise Unavailable(f"face-api cannot be installed: {reason}")
    return folder


def size(folder: Path, name: str) -> int:
    """Bytes of the model."""
    return (folder / "node_modules" / PACKAGES[0] / "model" / f"{MODELS[name]}.bin").stat().st_size


def predict(name: str, folder: Path, images: list, boxes: list, margin: float = MARGIN) -> Answers:
    """Landmarks of one face per picture.

    Args:
        name: In `MODELS`.
        folder: Where `install` put the packages.
        images: `(H, W, 3)` uint8 each.
        boxes: x, y, width, height of each face's landmarks.
        margin: Side of the square crop in longer sides of the box.

    Raises:
        Unavailable: face-api failed.
    """
    squares = [crops.square_around(box, margin) for box in boxes]
    faces = [crops.cut(image, square, SIDE) for image, square in zip(images, squares, strict=True)]
    with tempfile.TemporaryDirectory() as place:
        raw, answers = Path(place) / "crops.raw", Path(place) / "answers.json"
        raw.write_bytes(np.stack(faces).tobytes())
        script = Path(__file__).with_name("face_api.mjs")
        command = ["node", script, folder.absolute(), raw, answers, MODELS[name]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"face-api stopped: {done.stderr.strip()[-300:]}")
        results = json.loads(answers.read_text())
    places = np.array(squares)[:, None]  # (N, 1, 3)
    # counted from the middle of the first pixel: mirrored faces show it (see `MIDDLE`)
    units = (np.array(results["landmarks"]) + MIDDLE) / SIDE - 0.5  # (N, 68, 2)
    points = places[..., :2] + places[..., 2:] * units
    return Answers(points, float(np.median(results["milliseconds"])))
