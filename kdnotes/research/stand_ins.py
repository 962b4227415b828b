"""Stand-ins for a teacher, to measure what a teacher is worth.

Each has the `answers`, `check` and `fingerprints` of `kdnotes.teachers.TeacherCache`, so a training
accepts it as a teacher. KD-Loss uses one thing only of a teacher: its distance t from the landmarks
at each coordinate. The stand-ins give other distances: those of other faces, a constant, or those
of a shape model without any network.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch

from kdnotes.data.faceset import FaceSet
from kdnotes.views import warp_points


class OnFaces:
    """Base of stand-ins that compute answers from the faces themselves.

    Args:
        faces: Training faces.

    Attributes:
        position: Row of the whole face set to position in `faces`; -1 for other rows.
    """

    def __init__(self, faces: FaceSet):
        self.faces = faces
        self.position = np.full(int(faces.rows.max()) + 1, -1)
        self.position[faces.rows] = np.arange(len(faces))

    def check(self, expected: dict) -> None:
        """
        Raises:
            ValueError: The training is about another face set.
        """
        if expected["faces"] != self.faces.fingerprint:
            raise ValueError("the stand-in for a teacher was made for another face set")

    def _in_view(self, points, rows, views):
        """Points `(N, L, 2)` of all faces to those of the faces at `rows` in their views."""
        chosen = torch.as_tensor(points[self.position[rows]]).float().to(views.matrix.device)
        return warp_points(chosen, views, self.faces.scheme)


class Softened(OnFaces):
    """The soft landmarks themselves in place of the Tolerant teacher: no second network.

    Args:
        faces: Training faces.
        soft: `(N, L, 2)` soft landmarks of `faces` in stored-crop units.
    """

    def __init__(self, faces: FaceSet, soft: np.ndarray):
        super().__init__(faces)
        self.soft = soft
        digest = hashlib.sha256(np.ascontiguousarray(soft).tobytes()).hexdigest()
        self.fingerprints = {"tolerant": f"soft landmarks {digest}"}

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        return {"tolerant": self._in_view(self.soft, rows, views)}


class Constant(OnFaces):
    """A teacher that is equally far from every face's landmarks: no network at all.

    Args:
        faces: Training faces.
        distances: Name to `(L, 2)`: the distance t of each coordinate, in network-crop widths.
    """

    def __init__(self, faces: FaceSet, distances: Mapping[str, np.ndarray]):
        super().__init__(faces)
        self.distances = {k: torch.as_tensor(v).float() for k, v in distances.items()}
        self.fingerprints = {k: f"constant {v.tolist()}" for k, v in self.distances.items()}

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        truth = self._in_view(self.faces.landmarks, rows, views)
        return {name: truth + t.to(truth.device) for name, t in self.distances.items()}


class Shuffled(OnFaces):
    """Each face gets the error that the teachers make on another face of the batch.

    The errors are those of real teachers, but they say nothing about the face at hand.

    Args:
        teachers: Live or cached teachers.
        faces: Training faces.
    """

    def __init__(self, teachers, faces: FaceSet):
        super().__init__(faces)
        self.teachers = teachers
        self.fingerprints = {k: f"shuffled {v}" for k, v in teachers.fingerprints.items()}

    def check(self, expected: dict) -> None:
        super().check(expected)
        self.teachers.check(expected)

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        truth = self._in_view(self.faces.landmarks, rows, views)
        answers = self.teachers.answers(rows, view_ids, crops, views)
        return {name: truth + (points - truth).roll(1, dims=0) for name, points in answers.items()}


class Combined:
    """Base of stand-ins that are made of other teachers.

    Args:
        parts: Teachers, caches or stand-ins.
    """

    def __init__(self, *parts):
        self.parts = parts

    def check(self, expected: dict) -> None:
        """
        Raises:
            ValueError: A part was made for another training.
        """
        for part in self.parts:
            part.check(expected)


class Together(Combined):
    """Teachers of several parts as one.

    Args:
        parts: Teachers, caches or stand-ins.

    Raises:
        ValueError: Two parts have the same teacher.
    """

    def __init__(self, *parts):
        super().__init__(*parts)
        names = [name for part in parts for name in part.fingerprints]
        if len(set(names)) < len(names):
            raise ValueError(f"two stand for the same teacher: {', '.join(names)}")
        self.fingerprints = {k: v for part in parts for k, v in part.fingerprints.items()}

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        answers = {}
        for part in self.parts:
            answers |= part.answers(rows, view_ids, crops, views)
        return answers


class Only(Combined):
    """Some of the teachers only, such as the Tough one alone.

    Args:
        teachers: Live or cached teachers.
        names: Those to keep.

    Raises:
        ValueError: A name that the teachers do not have.
    """

    def __init__(self, teachers, *names: str):
        super().__init__(teachers)
        missing = set(names) - set(teachers.fingerprints)
        if missing:
            raise ValueError(f"no teacher is called {', '.join(sorted(missing))}")
        self.fingerprints = {name: teachers.fingerprints[name] for name in names}

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        answers = self.parts[0].answers(rows, view_ids, crops, views)
        return {name: answers[name] for name in self.fingerprints}
