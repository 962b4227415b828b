"""The head: one surface in space and the curves of brows, eyes, nose and mouth that lie on it.

Head coordinates are millimetres with the origin between the eyes: x to the image's right, y down,
z towards the viewer. The skull is a stack of horizontal slices: at height y a slice has a half
width, a centre, and a depth in front and behind. On its front lie the hills and hollows that make
it a face. `surface(y, angle)` gives the same points to the pictures and to the landmarks.

Sizes follow adult averages: 66 mm between the pupils, 93 mm between the outer eye corners.
"""

from dataclasses import dataclass

import numpy as np

from kdnotes.data.synthetic.smooth import Real, bump, smoothstep, spline


@dataclass(frozen=True)
class Identity:
    """Proportions of one person: millimetres, widths measured from the middle line."""

    width: float = 75.0  # at the cheekbones
    jaw: float = 58.0  # at the height of the mouth
    chin: float = 26.0
    chin_y: float = 119.0
    crown_y: float = -118.0
    flatness: float = 2.3  # exponent of a slice's front: 2 is an ellipse, more is flatter
    eye_x: float = 33.0
    eye_width: float = 13.3
    eye_open: float = 6.2
    eye_tilt: float = 1.5
    brow_y: float = -21.5
    brow_arch: float = 3.5
    brow_thick: float = 6.5
    brow_ridge: float = 3.0
    nose_tip_y: float = 35.5
    nose_height: float = 22.0
    nose_width: float = 17.0
    nose_bridge: float = 6.0
    mouth_y: float = 70.0
    mouth_width: float = 26.5
    lip_upper: float = 7.0
    lip_lower: float = 9.0
    cheek: float = 4.0
    chin_out: float = 5.0


@dataclass(frozen=True)
class Expression:
    """What the muscles do; pairs are (image-left, image-right)."""

    jaw: float = 0.0  # millimetres by which the lower lip and the chin drop
    smile: float = 0.0  # -0.5 sad to 1 broad
    pucker: float = 0.0  # 0 to 1
    brow_raise: tuple[float, float] = (0.0, 0.0)  # millimetres
    frown: float = 0.0  # 0 to 1
    lids: tuple[float, float] = (0.0, 0.0)  # 0 open to 1 closed
    gaze: tuple[float, float] = (0.0, 0.0)  # millimetres by which the irises shift


def _side(pair: tuple[float, float], side: int) -> float:
    """The image-left or image-right number of a pair; `side` is -1 or +1."""
    return pair[0] if side < 0 else pair[1]


class Head:
    """A face of one identity with one expression.

    Attributes:
        identity: Its proportions.
        expression: What its muscles do.
        chin_y, nose_base_y: Heights of the chin's end and of the base of the nose, millimetres.
        slices: `(n, 5)` y, half width, centre, depth in front and behind; from crown to chin.
        ridge: `(n, 3)` y, height and half width of the nose's ridge, from brow to upper lip.
    """

    def __init__(self, identity: Identity, expression: Expression):
        self.identity = identity
        self.expression = expression
        self.chin_y = identity.chin_y + expression.jaw
        self.nose_base_y = identity.nose_tip_y + 11.0
        self.slices = self._make_slices()
        self.ridge = self._make_nose()

    def _make_slices(self) -> np.ndarray:
        one = self.identity
        w, j, c, top, end = one.width, one.jaw, one.chin, one.crown_y, self.chin_y
        drop = self.expression.jaw
        knots = [
            (top, 0.0, -5.0, 0.0, 0.0),
            (0.92 * top, 0.53 * w, -5.0, 50.0, 54.0),
            (0.73 * top, 0.86 * w, -5.0, 78.0, 80.0),
            (0.43 * top, 1.01 * w, -5.0, 95.0, 92.0),
            (0.12 * top, 1.03 * w, 0.0, 95.0, 88.0),
            (20.0, w, 5.0, 87.0, 75.0),
            (50.0 + 0.3 * drop, 0.4 * w + 0.6 * j + 5.5, 18.0, 74.0, 55.0),
            (end - 39.0, 0.97 * j, 32.0, 58.0, 35.0),
            (end - 20.0, 0.5 * j + 0.65 * c, 48.0, 43.0, 20.0),
            (end - 6.5, c, 62.0, 27.0, 10.0),
            (end, 0.0, 82.0, 0.0, 0.0),
        ]
        return spline(knots, 400, odd=(1, 3, 4))

    def _make_nose(self) -> np.ndarray:
        one = self.identity
        tip, base, h = one.nose_tip_y, self.nose_base_y, one.nose_height
        wide = 0.6 * one.nose_width
        knots = [
            (-26.0, 0.0, 9.0),
            (-6.0, one.nose_bridge, 7.5),
            (0.45 * tip, 0.5 * (one.nose_bridge + 0.85 * h), 0.85 * wide),
            (tip - 6.0, 0.93 * h, 0.98 * wide),
            (tip + 1.0, h, 1.05 * wide),
            (base - 4.0, 0.74 * h, 1.1 * wide),
            (base + 0.5, 0.25 * h, wide),
            (base + 5.0, 0.03 * h, wide),
            (base + 12.0, 0.0, wide),
        ]
        return spline(knots, 120)

    def profile(self, y: Real) -> tuple[Real, Real, Real, Real]:
        """Half width, centre, depth in front and behind of the slices at heights y."""
        heights, *columns = self.slices.T
        return tuple(np.interp(y, heights, column) for column in columns)

    def surface(self, y: Real, angle: Real, relief: bool = True) -> np.ndarray:
        """Points of the head.

        Args:
            y: Heights in millimetres, any shape.
            angle: Radians around the vertical axis: 0 is the face's middle line, positive to the
                image's right, ±π the back of the head.
            relief: With nose, lips and eye sockets; else the bare skull, for masks and hair.

        Returns:
            `(…, 3)` x, y, z in millimetres.
        """
        y, angle = np.broadcast_arrays(np.asarray(y, float), np.asarray(angle, float))
        width, centre, front, back = self.profile(y)
        sine, cosine = np.sin(angle), np.cos(angle)
        x = width * sine
        rounded = np.sqrt(np.maximum(1.0 - np.abs(sine) ** self.identity.flatness, 0.0))
        z = np.array(centre + np.where(cosine > 0, front * rounded, back * cosine))
        if relief:
            ahead = cosine > 0
            hills = self.relief(np.asarray(x)[ahead], y[ahead])
            ends = smoothstep(y[ahead], self.chin_y, self.chin_y - 6.0)  # the pole stays a point
            z[ahead] += smoothstep(np.asarray(cosine)[ahead], 0.0, 0.4) * ends * hills
        return np.stack([x, y, z], axis=-1)

    def front(self, x: Real, y: Real) -> np.ndarray:
        """Points `(…, 3)` of the front of the head above the picture-plane position (x, y)."""
        width = self.profile(y)[0]
        return self.surface(y, np.arcsin(np.clip(x / np.maximum(width, 1e-6), -1.0, 1.0)))

    def relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height in millimetres of the features above the bare skull, at head coordinates x, y."""
        one, face = self.identity, self.expression
        ax = np.abs(x)
        height, wide = (np.interp(y, self.ridge[:, 0], self.ridge[:, k]) for k in (1, 2))
        base, mouth = self.nose_base_y, one.mouth_y + 0.4 * face.jaw
        smile = max(face.smile, 0.0)
        hills = [  # height; place beside the middle line, y, width and tallness of a `bump`
            (0.45 * one.nose_height, one.nose_width - 4.5, base - 6.5, 5.5, 7.0),  # nostril wings
            (one.brow_ridge, 24.0, one.brow_y + 4.0, 26.0, 9.0),
            (-9.5, one.eye_x - 3.0, 0.0, 20.0, 13.0),  # eye sockets
            (7.5, one.eye_x, 0.0, 13.0, 9.5),  # eyeballs
            (one.cheek + 3.0 * smile, 43.0, 29.0 - 5.0 * smile, 20.0, 17.0),
            (6.0, 0.0, mouth, 30.0, 24.0),
            (-1.5, 0.0, base + 8.0, 3.0, 8.0),  # groove under the nose
            (-1.5 - 2.5 * smile, 33.0 + 3.0 * smile, mouth - 8.0, 6.0, 16.0),  # beside the mouth
            (one.chin_out, 0.0, self.chin_y - 11.0, 19.0, 11.0),
            (-4.0, 0.0, self.chin_y - 26.0, 18.0, 6.0),  # hollow above the chin
            (-4.0, 62.0, -25.0, 14.0, 25.0),  # temples
        ]
        z = height * np.exp(-((ax / wide) ** 2.4))
        for rise, *place in hills:
            z += rise * bump(ax, y, *place)
        near = (ax < 1.05 * self.mouth_reach()) & (y > one.mouth_y - 25.0) & (y < self.chin_y)
        z[near] += self._lip_relief(x[near], y[near])
        return z

    def _lip_relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The swell of the lips, the groove between them, and the hollow of an open mouth."""
        u = np.clip(x / self.mouth_reach(), -1.0, 1.0)
        upper, top, low, lower = (self.mouth(u, k)[1] for k in ("upper", "top", "low", "lower"))
        inside = smoothstep(np.abs(x) / self.mouth_reach(), 1.05, 0.8)
        z = 3.5 * np.exp(-(((y - 0.5 * (upper + top)) / (0.6 * (top - upper) + 1.0)) ** 2))
        z += 4.5 * np.exp(-(((y - 0.5 * (low + lower)) / (0.6 * (lower - low) + 1.0)) ** 2))
        gap = 0.5 * (low - top)
        z -= (2.0 + 0.4 * gap) * np.exp(-(((y - 0.5 * (top + low)) / (gap + 1.2)) ** 4))
        return inside * z

    def brow_ends(self) -> tuple[float, float]:
        """Distance of a brow's outer and inner end from the middle line, millimetres."""
        eye = self.identity.eye_x
        return eye + 27.0, eye - 15.5 - 2.0 * self.expression.frown

    def brow(self, side: int, t: Real, edge: Real = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """A line along a brow.

        Args:
            side: -1 for the image-left brow, 1 for the other.
            t: Places along it, from 0 at the outer end to 1.
            edge: -1 the upper edge, 0 the middle, 1 the lower edge.

        Returns:
            x and y in millimetres, both of the shape of `t`.
        """
        one, face = self.identity, self.expression
        t = np.asarray(t, float)
        outer, inner = self.brow_ends()
        x = outer + (inner - outer) * t
        arch = one.brow_arch * np.sin(np.pi * (0.15 + 0.8 * t)) - 0.5 * one.brow_arch
        y = one.brow_y - arch - _side(face.brow_raise, side) * smoothstep(t, -0.6, 0.6)
        y = y + 5.0 * face.frown * smoothstep(t, 0.3, 1.0) + 3.0 * smoothstep(t, 0.4, -0.1)
        thick = one.brow_thick * (0.3 + 0.7 * smoothstep(t, 0.0, 0.5))
        return side * x, y + 0.5 * edge * thick

    def eye(self, side: int, t: Real, lid: str) -> tuple[np.ndarray, np.ndarray]:
        """A line along an eyelid.

        Args:
            side: -1 for the image-left eye, 1 for the other.
            t: Places along it, from 0 at the outer corner to 1.
            lid: "upper" or "lower".

        Returns:
            x and y in millimetres, both of the shape of `t`.
        """
        one, face = self.identity, self.expression
        t = np.asarray(t, float)
        closed = _side(face.lids, side)
        x = one.eye_x + one.eye_width * (1.0 - 2.0 * t)
        line = one.eye_tilt * (2.0 * t - 1.0)
        hill = 4.0 * np.clip(t * (1.0 - t), 0.0, None)
        low = (0.55 - 0.15 * max(face.smile, 0.0)) * one.eye_open * hill**0.85
        high = -one.eye_open * (hill**0.7 * (1.0 - 0.25 * (0.5 - t)))
        y = low if lid == "lower" else (1.0 - closed) * high + closed * (low - 0.3)
        return side * x, line + y

    def pupil(self, side: int) -> tuple[float, float]:
        """x and y of the middle of an iris, millimetres."""
        x, y = self.expression.gaze
        top, low = (self.eye(side, 0.5, lid)[1] for lid in ("upper", "lower"))
        return side * self.identity.eye_x + x, np.clip(0.15 * top + y, top, low)

    def mouth_reach(self) -> float:
        """Half width of the mouth in millimetres."""
        face = self.expression
        wider = 1.0 + 0.2 * face.smile - 0.28 * face.pucker - 0.004 * face.jaw
        return self.identity.mouth_width * wider

    def mouth(self, u: Real, line: str) -> tuple[np.ndarray, np.ndarray]:
        """A line along a lip.

        Args:
            u: Places along it, from -1 at the image-left corner to 1.
            line: From top to bottom: "upper" outer edge, "top" inner edge of the upper lip, "low"
                inner edge of the lower lip, "lower" outer edge.

        Returns:
            x and y in millimetres, both of the shape of `u`.

        Raises:
            ValueError: Another line.
        """
        one, face = self.identity, self.expression
        u = np.asarray(u, float)
        fall = np.clip(1.0 - np.abs(u) ** 2.2, 0.0, None)
        fuller = 1.0 - 0.22 * max(face.smile, 0.0) + 0.2 * face.pucker
        y = one.mouth_y + 0.3 * face.jaw * (1.0 - fall) - 6.0 * face.smile * np.abs(u) ** 1.6
        top = y - (0.12 * face.jaw + 2.0 * max(face.smile, 0.0)) * fall
        low = y + (0.88 * face.jaw + 0.3) * fall
        if line == "top":
            y = top
        elif line == "low":
            y = low
        elif line == "upper":
            bow = 1.0 + 0.25 * bump(np.abs(u), 0.0, 0.22, 0.0, 0.16, 1.0)
            bow = bow - 0.22 * np.exp(-((u / 0.12) ** 2))
            y = top - one.lip_upper * fuller * fall**0.9 * bow
        elif line == "lower":
            y = low + one.lip_lower * fuller * fall**0.8
        else:
            raise ValueError(f"expected a lip line upper, top, low or lower, found {line!r}")
        return self.mouth_reach() * u, y
