"""Hair, knitted caps and head scarves: a shell over the skull that ends at a hairline."""

import numpy as np

from kdnotes.data.synthetic.appearance import Person
from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.meshes import Kind, Patch
from kdnotes.data.synthetic.smooth import noise, smoothstep

#: Where the shell ends: height y in millimetres at these angles from the face's middle.
DEGREES = (0, 30, 52, 66, 78, 90, 100, 112, 135, 180)
EDGES = {
    "short": (-80, -77, -62, -38, -10, 18, 10, 34, 66, 74),
    "curly": (-74, -71, -56, -34, -6, 20, 12, 40, 72, 80),
    "fringe": (-38, -37, -34, -26, -4, 24, 16, 36, 70, 78),
    "receding": (-106, -105, -88, -50, -14, 20, 10, 30, 66, 76),
    "long": (-78, -74, -56, -30, 0, 95, 130, 150, 160, 160),
    "bald": (-84, -80, -62, -38, -10, 12, 10, 34, 70, 78),
    "cap": (-46, -45, -42, -36, -28, -22, -16, -8, 4, 8),
    "scarf": (-60, -58, -50, -30, 150, 185, 195, 200, 200, 200),
}


def hairline(person: Person, angle: np.ndarray) -> np.ndarray:
    """Where hair, cap or scarf ends.

    Args:
        person: Whose.
        angle: Radians around the vertical axis, 0 in the middle of the face; any shape.

    Returns:
        Heights y in millimetres, of the same shape.
    """
    style = person.hair_style
    edge = np.interp(np.abs(np.degrees(angle)), DEGREES, EDGES[style])
    if style in ("cap", "scarf"):
        return edge
    if style == "long":
        edge = edge + 45.0 * (person.offsets[5] - 0.5) * smoothstep(edge, 0.0, 60.0)
    ragged = noise(angle * 0.9 + person.offsets[6], person.offsets[7])
    front = np.clip(np.cos(angle), 0.0, 1.0) ** 2
    aside = person.hair_part * (16.0 * np.sin(2.0 * angle) - 6.0)
    return edge + front * (aside + 16.0 * (person.offsets[7] - 0.5)) + 2.5 * ragged


def _thickness(person: Person, t: np.ndarray, around: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance in millimetres between the shell and the skull."""
    if person.hair_style in ("cap", "scarf"):
        return 4.0 + 6.0 * smoothstep(t, 1.0, 0.9) + 0.0 * around
    thick = person.hair_thick * smoothstep(t, 1.02, 0.72) ** 0.6
    if person.hair_style in ("long", "fringe"):
        thick = np.maximum(thick, 5.0 * smoothstep(t, 1.0, 0.96))
    if person.hair_style == "receding":
        thick = 0.35 * thick
    rough = noise(around / 160.0 + person.offsets[0], y / 160.0 + person.offsets[1])
    return thick * (1.0 + (0.22 if person.hair_style == "curly" else 0.10) * rough) + 1.0


def hair_patch(head: Head, camera: Camera, person: Person) -> Patch:
    """The shell from crown to hairline; what is longer than the skull hangs down beside it."""
    angle = np.radians(np.r_[-180:-101:10.0, -100:100.1:4.0, 110:180.1:10.0])
    t = np.linspace(0.0, 1.0, 38)[:, None]
    crown = head.identity.crown_y
    y = crown + (hairline(person, angle) - crown) * t**1.2
    around = angle * 75.0
    thick = _thickness(person, t, around, y)

    bare = head.surface(np.minimum(y, 12.0), angle, relief=False)
    up = np.minimum((y + 5.0) / 70.0, 0.0)
    out = np.stack(np.broadcast_arrays(np.sin(angle), up, np.cos(angle)), axis=-1)
    out = out / np.linalg.norm(out, axis=-1, keepdims=True)
    points = bare + thick[..., None] * out
    hanging = np.maximum(y - 12.0, 0.0)
    points[..., 1] += hanging
    points[..., 0] *= 1.0 + 0.0009 * hanging
    share = smoothstep(hanging, 60.0, 170.0)[..., None]
    turned = (1 - share) * camera.turn(points) + share * camera.turn(points, 0.4)

    kind = {"cap": Kind.CAP, "scarf": Kind.SCARF}.get(person.hair_style, Kind.HAIR)
    local = np.stack(np.broadcast_arrays(around, y, t), axis=-1)
    return Patch(kind, turned, local, np.broadcast_to(0.8 + 0.2 * t, y.shape))
