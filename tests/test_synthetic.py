"""The embedded faces: reproducible, exact, varied."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from kdnotes.data import schemes, synthetic
from kdnotes.data.crops import STORED_MARGIN
from kdnotes.data.synthetic.appearance import draw_person, draw_shot
from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Expression, Head, Identity
from kdnotes.data.synthetic.landmarks import all_schemes
from kdnotes.data.synthetic.raster import grid_triangles, rasterise
from kdnotes.data.synthetic.scene import render

ATTRIBUTES = {
    "subject", "yaw", "pitch", "roll", "skin_tone", "pose", "expression", "illumination",
    "make_up", "occlusion", "blur", "glasses", "beard",
}  # fmt: skip


@pytest.fixture(scope="module")
def faces():
    """40 small faces: images, landmarks, visible, attributes."""
    return synthetic.render_faces(40, 64, seed=5, scheme=98, processes=1)


@pytest.fixture(scope="module")
def plain():
    """(image, landmarks, visible) of a clear, frontal, bare face with open eyes, 192 pixels."""
    return _plain_face()


AHEAD = Camera()


def _plain_face(camera=AHEAD, size=192, looks=(), **changes):
    rng = np.random.default_rng(3)
    person = draw_person(rng)
    shot = draw_shot(rng, person)
    skin = np.array([0.45, 0.28, 0.2])
    person = replace(
        person, identity=Identity(), skin=skin, hair_style="short", beard="none", glasses=False,
        make_up=False, hair_colour=np.full(3, 0.01), iris=np.full(3, 0.02), masculine=0.2,
        brow_density=1.0, lip_colour=np.array([0.3, 0.04, 0.05]),
    )  # fmt: skip
    person = replace(person, **dict(looks))
    shot = replace(
        shot, expression=Expression(), camera=camera, occluder="none", grain=0.0, blur=0.0,
        detail=1000.0, compression=0.0, exposure=1.0, grey=False, key=np.array([0.0, -0.3, 0.954]),
        key_power=0.6, ambient=0.6, cast=np.ones(3), key_colour=np.ones(3),
    )  # fmt: skip
    return render(person, replace(shot, **changes), size, rng)


def _value(image, points):
    """(L,) brightness 0 to 255 at landmarks in picture units, the mean of a 3 × 3 patch."""
    column, row = np.floor((points + 0.5) * len(image)).astype(int).T
    grey = image.mean(axis=2)
    return np.mean([grey[row + i, column + j] for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)


def test_same_index_and_seed_give_the_same_face():
    first, again = (synthetic.render_face(7, 48, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    for n in (29, 68, 98):
        np.testing.assert_array_equal(first[1][n], again[1][n])
        np.testing.assert_array_equal(first[2][n], again[2][n])
    assert first[3] == again[3]
    other = synthetic.render_face(7, 48, seed=3)
    assert np.abs(first[1][68] - other[1][68]).max() > 0.01


def test_a_batch_holds_the_single_faces(faces):
    image, landmarks, visible, attributes = synthetic.render_face(21, 64, seed=5)
    np.testing.assert_array_equal(faces[0][21], image)
    np.testing.assert_array_equal(faces[1][21], landmarks[98])
    np.testing.assert_array_equal(faces[2][21], visible[98])
    assert faces[3].iloc[21].to_dict() == attributes


def test_worker_processes_change_nothing(monkeypatch):
    monkeypatch.setattr(synthetic, "FEW", 4)
    alone = synthetic.render_faces(9, 32, seed=1, processes=1)
    shared = synthetic.render_faces(9, 32, seed=1, processes=2)
    for a, b in zip(alone[:3], shared[:3], strict=True):
        np.testing.assert_array_equal(a, b)
    assert alone[3].equals(shared[3])


def test_a_plain_script_may_use_several_processes(tmp_path):
    """One without `if __name__ == "__main__":`, as a reader writes it."""
    script = tmp_path / "plain.py"
    script.write_text(
        "from kdnotes.data import synthetic\n"
        "synthetic.FEW = 8\n"
        "images, *_ = synthetic.render_faces(10, 16, processes=2, progress=True)\n"
        "images.tofile('images.raw')\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr and "Traceback" not in done.stderr
    images = np.fromfile(tmp_path / "images.raw", np.uint8).reshape(-1, 16, 16, 3)
    assert len(images) == 10
    np.testing.assert_array_equal(images[-1], synthetic.render_face(len(images) - 1, 16)[0])


@pytest.mark.parametrize("index", [0, 5, 13])
def test_landmarks_do_not_depend_on_size(index):
    small, large = synthetic.render_face(index, 40), synthetic.render_face(index, 104)
    for n in (29, 68, 98):
        np.testing.assert_allclose(small[1][n], large[1][n], atol=1e-6)
        assert np.mean(small[2][n] == large[2][n]) > 0.9
    assert small[3] == large[3]
    shrunk = large[0].reshape(8, 13, 8, 13, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small[0].reshape(8, 5, 8, 5, 3).mean(axis=(1, 3))).mean() < 8.0


def test_subjects_keep_their_face_and_change_their_pose(faces):
    table = faces[3]
    assert set(table.columns) == ATTRIBUTES
    for column in ("skin_tone", "make_up", "beard"):
        assert (table.groupby("subject")[column].nunique() == 1).all()
    assert (table.groupby("subject")["yaw"].nunique() == synthetic.PER_SUBJECT).all()
    assert table["subject"].nunique() == 40 // synthetic.PER_SUBJECT
    assert table["skin_tone"].between(1, 10).all() and table["skin_tone"].nunique() >= 5
    assert table["yaw"].abs().max() <= 60 and table["yaw"].std() > 12


@pytest.mark.parametrize("index", range(6))
def test_the_68_landmarks_fill_the_frame(index):
    points = synthetic.render_face(index, 32, seed=9)[1][68]
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, 0.0, atol=1e-6)
    assert (high - low).max() == pytest.approx(1 / STORED_MARGIN, abs=1e-6)


def test_schemes_agree():
    for index in range(12):
        points = synthetic.render_face(index, 16, seed=4)[1]
        left, right = points[68][36], points[68][45]
        error = np.linalg.norm(schemes.convert(points[98]) - points[68], axis=1)
        assert error.max() < 0.06 * max(np.linalg.norm(left - right), 0.15)
        assert error.mean() < 0.015 * max(np.linalg.norm(left - right), 0.15)
        for group in ("eye_left", "eye_right", "mouth_outer", "brow_left", "nose"):
            few = points[29][list(schemes.SCHEMES[29].groups[group])]
            many = points[98][list(schemes.SCHEMES[98].groups[group])]
            gaps = np.linalg.norm(few[:, None] - many, axis=2).min(axis=1)
            assert gaps.max() < 1e-6, group


@pytest.mark.parametrize("n", [29, 68, 98])
def test_a_symmetric_frontal_face_is_its_own_mirror_image(n):
    points = all_schemes(Head(Identity(), Expression(jaw=6.0, smile=0.5)), Camera())[n]
    flip = list(schemes.SCHEMES[n].flip)
    np.testing.assert_allclose(points[flip] * [-1, 1, 1], points, atol=1e-9)


@pytest.mark.parametrize("n", [29, 68, 98])
def test_a_mirrored_pose_gives_mirrored_landmarks(n):
    face = Head(Identity(), Expression(gaze=(2.0, 0.0), lids=(0.0, 0.4)))
    mirrored = Head(Identity(), Expression(gaze=(-2.0, 0.0), lids=(0.4, 0.0)))
    points = all_schemes(face, Camera(yaw=30, pitch=5, roll=12))[n]
    other = all_schemes(mirrored, Camera(yaw=-30, pitch=5, roll=-12))[n]
    flip = list(schemes.SCHEMES[n].flip)
    np.testing.assert_allclose(points[flip] * [-1, 1, 1], other, atol=1e-9)


def test_left_is_the_image_left_and_down_is_down(plain):
    points = plain[1]
    assert points[68][36, 0] < points[68][45, 0] and points[98][96, 0] < points[98][97, 0]
    assert points[68][0, 0] < points[68][16, 0] and points[68][48, 0] < points[68][54, 0]
    brow, eye, mouth, chin = (points[68][i, 1] for i in (19, 37, 51, 8))
    assert brow < eye < mouth < chin
    assert points[98][62, 1] < points[98][96, 1] < points[98][66, 1]


def test_positive_angles_turn_right_lift_and_tilt_clockwise():
    def nose(camera):
        points = all_schemes(Head(Identity(), Expression()), camera)[68]
        return points[30] - 0.5 * (points[36] + points[45]), points[45] - points[36]

    (ahead, _), (turned, _) = nose(Camera()), nose(Camera(yaw=20))
    assert turned[0] > ahead[0] + 5
    assert nose(Camera(pitch=15))[0][1] < ahead[1] - 2
    assert nose(Camera(roll=15))[1][1] > 5


def test_landmarks_lie_on_what_they_mark(plain):
    image, points, visible = plain
    points = points[98]
    assert visible[98].all()
    cheek = _value(image, 0.5 * (points[[96, 97]] + points[[76, 82]]))
    assert (_value(image, points[[96, 97]]) < 0.65 * cheek).all()  # pupils and irises are dark
    white = _value(image, 0.65 * points[[64, 68]] + 0.35 * points[[96, 97]])
    assert (white > 1.3 * _value(image, points[[96, 97]])).all()
    brow = 0.5 * (points[[35, 44]] + points[[40, 48]])
    assert (_value(image, brow) < 0.7 * cheek).all()
    lip = 0.5 * (points[[85]] + points[[94]])
    column, row = np.floor((lip[0] + 0.5) * len(image)).astype(int)
    red, green, _ = image[row, column].astype(float)
    skin = image[
        tuple(np.floor((0.5 * (points[85] + points[16]) + 0.5) * len(image)).astype(int)[::-1])
    ]
    assert red / green > 1.15 * (skin[0] / skin[1])


GREEN = np.array([0.0, 1.0, 0.0])


def _where_green(image):
    """(K, 2) picture units of the pixels that are green."""
    red, green, blue = np.moveaxis(image.astype(float), -1, 0)
    row, column = np.nonzero((green > 1.6 * red) & (green > 1.6 * blue) & (green > 60))
    return (np.column_stack([column, row]) + 0.5) / len(image) - 0.5


@pytest.mark.parametrize("camera", [Camera(), Camera(yaw=28, roll=10), Camera(yaw=-20, pitch=12)])
def test_painted_lips_end_at_their_landmarks(camera):
    image, points, _ = _plain_face(camera, 256, {"lip_colour": GREEN})
    lips, marks = _where_green(image), points[98][list(schemes.SCHEMES[98].groups["mouth_outer"])]
    for axis in (0, 1):
        found, expected = np.ptp(lips[:, axis]), np.ptp(marks[:, axis])
        assert found == pytest.approx(expected, abs=3.5 / 256)
        assert lips[:, axis].min() == pytest.approx(marks[:, axis].min(), abs=2.5 / 256)
        assert lips[:, axis].max() == pytest.approx(marks[:, axis].max(), abs=2.5 / 256)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_painted_irises_surround_the_pupil_landmarks(yaw):
    gaze = Expression(gaze=(3.0, 0.0), lids=(-0.1, -0.1))
    image, points, _ = _plain_face(Camera(yaw=yaw), 256, {"iris": GREEN}, expression=gaze)
    irises = _where_green(image)
    for pupil in points[98][[96, 97]]:
        near = irises[np.linalg.norm(irises - pupil, axis=1) < 9 / 256]
        assert len(near) > 20
        middle = 0.5 * (near.min(axis=0) + near.max(axis=0))
        assert abs(middle[0] - pupil[0]) < 1.2 / 256
        assert abs(middle[1] - pupil[1]) < 3.0 / 256  # the lids cut off more above than below


def test_an_open_mouth_is_dark_between_its_inner_landmarks():
    image, points, _ = _plain_face(expression=Expression(jaw=18.0))
    top, low, lower = points[98][[90, 94, 85]]
    assert low[1] - top[1] > 0.04
    inside = _value(image, (0.3 * top + 0.7 * low)[None])
    assert inside < 0.75 * _value(image, (0.5 * (low + lower))[None])


def test_what_is_hidden_is_flagged():
    scheme = schemes.SCHEMES[98].groups
    _, _, visible = _plain_face(occluder="mask")
    assert not visible[98][list(scheme["mouth_outer"])].any()
    assert visible[98][list(scheme["eye_left"])].all()
    _, _, visible = _plain_face(occluder="sunglasses")
    assert not visible[98][[96, 97]].any()
    assert visible[98][list(scheme["mouth_outer"])].all()
    _, _, visible = _plain_face(Camera(yaw=58))
    assert visible[98][list(scheme["eye_left"])].all()
    assert not visible[98][68]  # the inner corner of the far eye, behind the nose


def test_faces_differ(faces):
    images, landmarks, visible, _ = faces
    colours = images[:, 26:38, 26:38].reshape(len(images), -1, 3).mean(axis=1)
    assert (colours.std(axis=0) > 20).all()
    corners = images[:, :8, :8].reshape(len(images), -1, 3).mean(axis=1)
    assert (corners.std(axis=0) > 25).all()
    assert landmarks.std(axis=0).mean() > 0.01
    assert 0.8 < visible.mean() < 1.0
    assert np.isfinite(landmarks).all() and np.abs(landmarks).max() < 0.5
    within = images.reshape(len(images), -1).std(axis=1)
    assert (within > 8).all(), "a picture without contrast"


def test_rasteriser_covers_a_surface_once_and_keeps_the_nearest():
    x, y = np.meshgrid(np.linspace(3.2, 27.9, 9), np.linspace(2.1, 25.3, 11))
    far = np.stack([x, y, 0.1 * x], axis=-1).reshape(-1, 3)
    near = far[[0, 8, 90]] + [0, 0, 50.0]
    triangles = np.vstack([grid_triangles(11, 9), [[99, 100, 101]]])
    pixel, triangle, weights, depth = rasterise(np.vstack([far, near]), triangles, 32)
    row, column = np.divmod(pixel, 32)
    expected = (np.arange(32) + 0.5 > 3.2) & (np.arange(32) + 0.5 < 27.9)
    assert set(column) == set(np.flatnonzero(expected)) and len(set(pixel)) == len(pixel)
    assert set(row) == set(range(2, 25)) and len(pixel) == 25 * 23
    np.testing.assert_allclose(np.sum(weights, axis=0), 1.0)
    front = triangle == len(triangles) - 1
    np.testing.assert_allclose(depth[row, column], 0.1 * (column + 0.5) + 50 * front, atol=1e-9)
    assert front[(row == 3) & (column == 4)] and not front[(row == 24) & (column == 27)]


@pytest.mark.parametrize(
    "call",
    [
        lambda: synthetic.render_face(-1, 64),
        lambda: synthetic.render_face(0, 4),
        lambda: synthetic.render_face(0, 64, seed=-2),
        lambda: synthetic.render_faces(0, 64),
        lambda: synthetic.render_faces(3, 64, scheme=5),
    ],
)
def test_bad_arguments_are_named(call):
    with pytest.raises(ValueError, match=r"expected|no scheme"):
        call()


@pytest.mark.parametrize("what", ["camera", "light", "background"])
def test_variety_that_is_left_out_changes_the_picture_and_no_landmark(what):
    changed = 0
    for index in range(4):
        image, landmarks, _, _ = synthetic.render_face(index, 48, seed=3)
        plain, same, _, _ = synthetic.render_face(index, 48, seed=3, without=(what,))
        assert all((landmarks[n] == same[n]).all() for n in landmarks)
        changed += (image != plain).any()
    assert changed == 4


def test_one_background_is_the_same_behind_everybody():
    corners = []
    for index in range(0, 12, 4):  # three people
        image, *_ = synthetic.render_face(
            index, 48, seed=3, without=("camera", "light", "background")
        )
        corners.append(image[0, 0].astype(float) / max(image[0, 0].max(), 1))
    assert np.ptp(corners, axis=0).max() < 0.05


def test_other_variety_is_refused():
    with pytest.raises(ValueError, match="cannot render without"):
        synthetic.render_face(0, 48, without=("hair",))
