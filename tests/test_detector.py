"""Rendered faces look like faces to a detector that has only seen photographs."""

import numpy as np
import pytest

from kdnotes.data import crops, synthetic
from kdnotes.deploy import detect

pytest.importorskip("onnxruntime", reason="needs the extra export")

SIDE, N = 160, 64


def hits(boxes, points):
    """Whether a box lies about those of the landmarks `(L, 2)`: its middle and its longer side."""
    x, y, width, height = crops.landmarks_box(points)
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


class OneCell:
    """A detector that sees one face, in one size: in column 2 and row 1 of 5, by its anchor 1."""

    def run(self, names, inputs):
        n = inputs["pixels"].shape[1] // 32
        cells = np.full((1, n, n, 5, 5), -9.0)  # scores
        cells[..., :4] = 0.0  # the middle of a cell, an anchor's size
        if n == 5:
            cells[0, 1, 2, 1] = [0.0, 0.0, np.log(2), 0.0, 9.0]  # twice as wide
        return [cells.reshape(1, n, n, 25)]


def test_a_cell_is_read_as_the_page_reads_it(monkeypatch):
    """By hand: a picture of 320 × 200, seen as the square of 320 around its middle."""
    about = {"anchors": [[9, 9], [1.5, 2.0], [9, 9], [9, 9], [9, 9]], "larger": 1.25,
             "middle": [-0.03, -0.04]}  # fmt: skip
    monkeypatch.setattr(detect, "_detector", lambda: (OneCell(), about))
    ((x, y, width, height),) = detect.find_faces(np.zeros((200, 320, 3), np.uint8))
    assert (width, height) == pytest.approx((2 * 1.5 * 64 / 1.25, 2 * 64 / 1.25))
    left, top = -0.5, 99.5 - 160
    middle = left + 2.5 * 64 + 0.03 * width, top + 1.5 * 64 + 0.04 * height
    assert (x + width / 2, y + height / 2) == pytest.approx(middle)
