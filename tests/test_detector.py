"""Rendered faces look like faces to a detector that has only seen photographs."""

import numpy as np
import pytest

from kdnotes import samples, synthetic
from kdnotes.deploy import detect

pytest.importorskip("onnxruntime", reason="needs the extra export")

SIDE, N = 160, 64


def hits(boxes, points):
    """Whether a box lies about those of the landmarks `(L, 2)`: its middle and its longer side."""
    x, y, width, height = samples.landmarks_box(points)
    return any(
        abs(left + w / 2 - x - width / 2) < 0.25 * width
        and abs(top + h / 2 - y - height / 2) < 0.25 * height
        and 0.7 < max(w, h) / max(width, height) < 1.4
        for left, top, w, h in boxes
    )


def test_the_detector_finds_rendered_faces_turned_or_not():
    images, landmarks, _, attributes = synthetic.render_faces(N, SIDE, seed=5)
    points = SIDE * (landmarks + 0.5) - 0.5
    found = np.array(
        [hits(detect.find_faces(image), face) for image, face in zip(images, points, strict=True)]
    )
    frontal = (attributes["yaw"].abs() < 30) & ~attributes["occlusion"]
    assert frontal.sum() > 25
    assert found[frontal].mean() > 0.95, f"{found[frontal].sum()} of {frontal.sum()}"
    assert found.mean() > 0.8, f"{found.sum()} of {N}"


@pytest.fixture(scope="module")
def crowd():
    """Faces of 60 to 400 pixels in one photo of 1600, with their landmarks."""
    random = np.random.default_rng(3)
    photo = np.full((1200, 1600, 3), (120, 130, 110), np.uint8)
    photo += random.integers(0, 12, photo.shape, np.uint8)
    places = {400: (20, 20), 280: (920, 10), 150: (930, 700), 110: (1300, 680), 80: (1300, 960),
              60: (1100, 1040)}  # fmt: skip
    faces = {}
    for number, (size, (x, y)) in enumerate(places.items()):
        side = round(2.2 * size)  # the landmarks' box takes 1 / 2.2 of a rendered picture
        index = (8, 41, 124, 144, 152, 44)[number]
        image, landmarks, _, _ = synthetic.render_face(index, side)
        part = photo[y : y + side, x : x + side]
        part[:] = image[: part.shape[0], : part.shape[1]]
        faces[size] = side * (landmarks[68] + 0.5) - 0.5 + (x, y)
    return photo, faces


def test_small_faces_in_a_large_photo(crowd):
    photo, faces = crowd
    boxes = detect.find_faces(photo)
    assert [size for size, points in faces.items() if not hits(boxes, points)] == []
    assert len(boxes) <= len(faces) + 1
    widths = [w * h for _, _, w, h in boxes]
    assert widths == sorted(widths, reverse=True)


def test_boxes_do_not_depend_on_the_pictures_size(crowd):
    """The large photo shrunk by four: its large faces, a quarter as large."""
    photo, faces = crowd
    small = photo.reshape(300, 4, 400, 4, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    boxes = detect.find_faces(small)
    for size in (400, 280):
        assert hits(boxes, (faces[size] + 0.5) / 4 - 0.5)
