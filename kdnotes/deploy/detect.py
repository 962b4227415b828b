"""Finding faces: OpenCV's Haar cascade (Viola and Jones, 2001), whose model lies in its package.

A detector's box is not the landmarks' box: it leaves out the chin and jumps to the side with the
turn of the head. `find_faces` moves and scales it to where landmarks' boxes lie on average; what is
left of the difference is taken out by looking twice (`kdnotes.deploy.predict`).
"""

import functools

import numpy as np
from PIL import Image

#: The landmarks' box from the cascade's: its longer side and how far its middle lies below, in
#: sides of the cascade's box. Fitted on 500 training faces of YouTube Faces, of which it found 491:
#: median side 0.912 (sd 0.08), middle 0.175 below (sd 0.04) and 0.009 beside it (sd 0.11).
SIDE, BELOW = 0.912, 0.175

#: Pictures are searched at this size at most; their longer side in pixels.
SEARCHED = 1024


def find_faces(image: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Boxes x, y, width, height about where the landmarks of each face lie; the largest first.

    Args:
        image: `(H, W, 3)` uint8.

    Raises:
        RuntimeError: OpenCV is not there, or a version without cascades.
    """
    height, width = image.shape[:2]
    factor = min(1.0, SEARCHED / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    grey = Image.fromarray(image).convert("L").resize(size, Image.Resampling.BOX)
    least = max(24, min(size) // 12)
    if min(size) < least:
        return []
    boxes = _cascade().detectMultiScale(np.asarray(grey), 1.1, 3, minSize=(least, least))
    found = []
    for x, y, side, _ in sorted((tuple(map(float, box)) for box in boxes), key=lambda b: -b[2]):
        middle = np.array([x + side / 2, y + side / 2 + BELOW * side])
        left, top = (middle - SIDE * side / 2) / factor - 0.5
        found.append((float(left), float(top), SIDE * side / factor, SIDE * side / factor))
    return found


@functools.cache
def _cascade():
    try:
        import cv2

        folder = cv2.data.haarcascades
        return cv2.CascadeClassifier(f"{folder}haarcascade_frontalface_alt2.xml")
    except (ImportError, AttributeError) as error:
        raise RuntimeError(
            "faces are found with OpenCV 4, which is not here: pip install "
            '"opencv-python-headless<5", or say where the face is with --box'
        ) from error
