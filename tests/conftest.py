"""What several test files share: a small face set, and the way to the real one."""

import os
import signal
from pathlib import Path

import pytest
import torch
from drawn_faces import draw_face

from kdnotes.data.faceset import FaceSet, Sample

torch.set_num_threads(1)


# A worker does not hear Ctrl-C, and neither would the trainings that tests interrupt.
if os.environ.get("PYTEST_XDIST_WORKER"):
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Where several workers run the tests, each trains the course's networks in a folder of its own.
if os.environ.get("KDNOTES_BUILD") and os.environ.get("PYTEST_XDIST_WORKER"):
    own = Path(os.environ["KDNOTES_BUILD"], os.environ["PYTEST_XDIST_WORKER"])
    os.environ["KDNOTES_BUILD"] = str(own)


@pytest.fixture(scope="session")
def youtube_archive():
    """Path of the archive of YouTube Faces, 68 points; skips the test where it is not there."""
    given = os.environ.get("KDNOTES_YOUTUBE_ARCHIVE")
    repository = Path(__file__).resolve().parents[1]
    path = Path(given) if given else repository.parent / "shared/data/youtube_faces_68.zip"
    if not path.is_file():
        pytest.skip(f"needs the YouTube Faces archive: set KDNOTES_YOUTUBE_ARCHIVE (now {path})")
    return path


@pytest.fixture(scope="session")
def small_faces(tmp_path_factory):
    """60 drawn faces of 15 people at 48 px: 9 people to train, 3 to validate, 3 to test."""

    def samples():
        for i in range(60):
            person = i // 4
            image, points = draw_face(person, i % 4)
            split = ("train", "train", "train", "validation", "test")[person % 5]
            yield Sample(image, points, id=f"drawn {i:02d}", subject=f"p{person}", split=split)

    return FaceSet.write(
        tmp_path_factory.mktemp("drawn") / "faces",
        samples(),
        scheme=68,
        size=48,
        name="drawn",
        source="tests/conftest.py",
        split_rule="by person",
        progress=False,
    )


@pytest.fixture(scope="session")
def trained_course(small_faces, tmp_path_factory):
    """The course in profile tiny on the drawn faces, its networks trained; and its report."""
    from kdnotes.course import recipes
    from kdnotes.evaluation import report

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KDNOTES_BUILD", str(tmp_path_factory.mktemp("build")))
        course = recipes.open_course("tiny", small_faces.path, progress=False)
    return course, report.build(course)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """By name each foreign face set and its open course; made when it is asked for."""
    from foreign_sets import MADE

    from kdnotes.course import recipes

    root, courses = tmp_path_factory.mktemp("foreign"), {}
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("KDNOTES_BUILD"):
            patch.setenv("KDNOTES_BUILD", str(root / "build"))
        patch.setenv("KDNOTES_PROFILE", "tiny")

        def course(name):
            if name not in courses:
                (root / name).mkdir()
                faces = MADE[name](root / name)
                courses[name] = recipes.open_course("tiny", faces.path, progress=False)
            patch.setenv("KDNOTES_DATA", str(courses[name].faces.path))
            return courses[name]

        yield course
