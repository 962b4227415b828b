"""What can stand in a teacher's place, to ask what a teacher is worth.

Each has the `answers`, `check` and `fingerprints` of `kdnotes.teachers.TeacherCache`, so a training
takes it for a teacher. KD-Loss asks a teacher for one thing only, its distance t from the landmarks
at each coordinate; these give other distances: those of other faces, a constant, or those of a
shape model without any network.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch

from kdnotes.data.faceset import FaceSet
from kdnotes.views import warp_points


class OnFaces:
    """Answers that are computed from the faces themselves; `position` leads from their rows to
    theirs."""

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
        """`points` `(N, L, 2)` of the faces at `rows`, as they lie in the views."""
        chosen = torch.as_tensor(points[self.position[rows]]).float().to(views.matrix.device)
        return warp_points(chosen, views, self.faces.scheme)


class Softened(OnFaces):
    """The soft landmarks themselves in the Tolerant teacher's place: no second network.

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
        found = self.teachers.answers(rows, view_ids, crops, views)
        return {name: truth + (points - truth).roll(1, dims=0) for name, points in found.items()}


class Together:
    """One teacher from here and one from there.

    Raises:
        ValueError: Two that are given for the same place.
    """

    def __init__(self, *parts):
        self.parts = parts
        names = [name for part in parts for name in part.fingerprints]
        if len(set(names)) < len(names):
            raise ValueError(f"two stand for the same teacher: {', '.join(names)}")
        self.fingerprints = {k: v for part in parts for k, v in part.fingerprints.items()}

    def check(self, expected: dict) -> None:
        for part in self.parts:
            part.check(expected)

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        found = {}
        for part in self.parts:
            found |= part.answers(rows, view_ids, crops, views)
        return found


class Only:
    """Some of the teachers' answers: the Tough one alone, say.

    Raises:
        ValueError: A name that the teachers do not have.
    """

    def __init__(self, teachers, *names: str):
        missing = set(names) - set(teachers.fingerprints)
        if missing:
            raise ValueError(f"no teacher is called {', '.join(sorted(missing))}")
        self.teachers, self.names = teachers, names
        self.fingerprints = {name: teachers.fingerprints[name] for name in names}

    def check(self, expected: dict) -> None:
        self.teachers.check(expected)

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        found = self.teachers.answers(rows, view_ids, crops, views)
        return {name: found[name] for name in self.names}
