"""Rendered faces look like faces to somebody who has only seen photographs: a Haar cascade."""

import numpy as np
import pytest

from kdnotes import synthetic

cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless<5, in the extra dev")
if not hasattr(cv2, "CascadeClassifier"):
    pytest.skip("this OpenCV has no Haar cascades; 4.x has", allow_module_level=True)

SIDE, N = 160, 240


def test_a_frontal_face_detector_finds_the_near_frontal_faces():
    images, landmarks, _, attributes = synthetic.render_faces(N, SIDE, seed=5)
    frontal = (attributes["yaw"].abs() < 20) & (attributes["pitch"].abs() < 15)
    frontal &= (attributes["roll"].abs() < 12) & ~attributes["occlusion"]
    rows = np.flatnonzero(frontal)
    assert len(rows) > 60
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = 0
    for row in rows:
        grey = cv2.cvtColor(images[row], cv2.COLOR_RGB2GRAY)
        boxes = detector.detectMultiScale(grey, 1.05, 3, minSize=(SIDE // 4, SIDE // 4))
        x, y = (landmarks[row].mean(axis=0) + 0.5) * SIDE
        found += any(a < x < a + w and b < y < b + h for a, b, w, h in boxes)
    assert found >= 0.8 * len(rows), f"{found} of {len(rows)}"
