"""The camera: turns the head and projects points onto the picture."""

from dataclasses import dataclass

import numpy as np

#: The head turns about the upper end of the neck (head coordinates, millimetres).
PIVOT = np.array([0.0, 60.0, -20.0])


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """`(3, 3)` matrix of a head pose in degrees.

    Positive yaw turns the face to the image's right, positive pitch lifts it, positive roll tilts
    it clockwise in the picture.
    """
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return tilt @ nod @ turn


@dataclass(frozen=True)
class Camera:
    """A camera in front of a turned head.

    Attributes:
        yaw, pitch, roll: The head's pose in degrees, see `rotation`.
        distance: From the camera to the head in millimetres.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 1200.0

    def turn(self, points: np.ndarray, share: float = 1.0) -> np.ndarray:
        """Points turned with the head.

        Args:
            points: `(…, 3)` head coordinates in millimetres.
            share: How much of the turn they follow; shoulders follow less than the head.

        Returns:
            The same shape.
        """
        matrix = rotation(share * self.yaw, share * self.pitch, share * self.roll)
        return (points - PIVOT) @ matrix.T + PIVOT

    def flatten(self, turned: np.ndarray) -> np.ndarray:
        """Perspective: `(…, 3)` turned points to x, y on the image plane and depth, millimetres."""
        shrink = self.distance / (self.distance - turned[..., 2:])
        return np.concatenate([turned[..., :2] * shrink, turned[..., 2:]], axis=-1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Head coordinates `(…, 3)` to x, y on the image plane and depth; more depth is nearer."""
        return self.flatten(self.turn(points))

    def across(self) -> np.ndarray:
        """The picture's direction `(2,)` that is at right angles to the face's middle line."""
        roll = np.radians(self.roll)
        return np.array([np.cos(roll), np.sin(roll)])


@dataclass(frozen=True)
class Frame:
    """The square of the image plane that becomes the picture.

    Attributes:
        centre: `(2,)` its middle in millimetres.
        side: In millimetres.
    """

    centre: np.ndarray
    side: float

    @classmethod
    def around(cls, points: np.ndarray, margin: float) -> "Frame":
        """The square around the box of points `(L, 2+)`, `margin` times its longer side."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        return cls((low + high) / 2.0, float((high - low).max()) * margin)

    def units(self, points: np.ndarray) -> np.ndarray:
        """Image-plane points `(…, 2+)` to landmark units `(…, 2)`: origin at the centre, unit the
        image width."""
        return (points[..., :2] - self.centre) / self.side
