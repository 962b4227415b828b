"""Things in front of the face: glasses, sunglasses, mask, hand, microphone."""

import numpy as np

from kdnotes.data.synthetic.appearance import Person
from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.meshes import Kind, Patch
from kdnotes.data.synthetic.smooth import smoothstep


def _patch(kind: Kind, camera: Camera, xyz: np.ndarray, turn: bool = True) -> Patch:
    """A patch whose paint uses the points themselves."""
    return Patch(kind, camera.turn(xyz) if turn else xyz, xyz, np.ones(xyz.shape[:2]))


def _outline(head: Head, side: int, scale: np.ndarray, shape: float) -> np.ndarray:
    """Points around a lens: `scale` `(R, 1)` of its size; `shape` from 0 round to 1 square."""
    phi = np.linspace(0.0, 2 * np.pi, 41)
    power = 1.0 - 0.5 * shape
    c, s = np.cos(phi), np.sin(phi)
    x = head.identity.eye_x + 1.5 + scale * 24.5 * np.sign(c) * np.abs(c) ** power
    y = 4.0 + scale * (21.0 - 4.0 * shape) * np.sign(s) * np.abs(s) ** power
    z = head.front(0.0, -4.0)[2] + 9.0 - 0.004 * x**2 - 0.004 * np.maximum(x - 30, 0) ** 2
    return np.stack(np.broadcast_arrays(side * x, y, z), axis=-1)


def glasses(head: Head, camera: Camera, person: Person, dark: bool) -> list[Patch]:
    """Frames with clear or `dark` lenses."""
    shape, width = person.offsets[2], 1.04 + 0.12 * person.offsets[3]
    rim = np.array([[1.0], [width]])
    width_at_ear, centre_at_ear = head.profile(-2.0)[:2]
    patches = []
    for side in (-1, 1):
        ring = _outline(head, side, rim, shape)
        hinge, ear = ring[1, 0], np.array([side * (width_at_ear + 2), -4.0, centre_at_ear - 8.0])
        along = np.linspace(0.0, 1.0, 12)[:, None]
        bar = hinge + (ear - hinge) * along + np.array([side * 6.0, 0, 0]) * along * (1 - along)
        tall = np.array([0.0, 14.0 * (width - 1.0) + 0.8, 0.0])
        patches += [_patch(Kind.FRAME, camera, ring),
                    _patch(Kind.FRAME, camera, np.stack([bar - tall, bar + tall]))]  # fmt: skip
        if dark:
            lens = _outline(head, side, np.linspace(0.02, 1.0, 9)[:, None], shape)
            patches.append(_patch(Kind.LENS, camera, lens))
    inner = _outline(head, 1, np.array([[1.0]]), shape)[0, 20]
    arch = np.linspace(-1.0, 1.0, 9)
    bridge = np.stack([inner[0] * arch, inner[1] - 5 + 2 * arch**2, 0 * arch + inner[2]], axis=-1)
    return [
        *patches,
        _patch(Kind.FRAME, camera, np.stack([bridge, bridge + np.array([0, 2.5, 0])])),
    ]


def mask(head: Head, camera: Camera) -> Patch:
    """A cloth mask from the bridge of the nose to below the chin."""
    angle, t = np.radians(np.linspace(-82, 82, 61)), np.linspace(0.0, 1.0, 34)[:, None]
    top = 20.0 + 22.0 * np.sin(angle) ** 2
    y = top + (head.chin_y + 6.0 - top) * t
    bare = head.surface(np.minimum(y, head.chin_y - 0.5), angle, relief=False)
    nose = 1.08 * np.interp(y, head.ridge[:, 0], head.ridge[:, 1])
    tent = np.maximum(nose, 0.3 * head.identity.nose_height * smoothstep(y, 120.0, 40.0))
    thick = 3.0 + (tent + 7.0) * np.exp(-((bare[..., 0] / 27.0) ** 2))
    out = np.stack([np.sin(angle), 0.0 * angle, np.cos(angle)], axis=-1)
    points = bare + thick[..., None] * out
    points[..., 1] = y
    return Patch(Kind.MASK, camera.turn(points), points, np.ones(y.shape))


def _tube(kind: Kind, camera: Camera, path: np.ndarray, radius: np.ndarray) -> Patch:
    """A round bar with closed ends along `path` `(n, 3)`, in camera coordinates; `radius` `(n,)`
    in millimetres."""
    along = np.linspace(0.0, 1.0, len(path))
    round_end = np.sqrt(np.clip(1.0 - np.clip((along - 0.85) / 0.15, 0, 1) ** 2, 0.0, 1.0))
    radius = (radius * round_end)[:, None]
    phi = np.linspace(0.0, 2 * np.pi, 17)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    aside = np.cross(tangent, [0.0, 0.0, 1.0])
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    front = np.cross(aside, tangent)
    ring = np.cos(phi)[:, None] * aside[:, None] + np.sin(phi)[:, None] * front[:, None]
    xyz = path[:, None] + radius[..., None] * ring
    return _patch(kind, camera, xyz, turn=False)


def hand(head: Head, camera: Camera, rng: np.random.Generator) -> list[Patch]:
    """A hand that touches the face from below or from one side: four fingers, back and wrist."""
    x, y = rng.choice([-1, 1]) * rng.uniform(5, 50), rng.uniform(20, head.chin_y)
    touch = camera.turn(head.front(x, y)) + np.array([0.0, 0.0, 12.0])
    from_side = rng.choice([0, 180]) + rng.uniform(-40, 40)
    heading = np.radians(rng.uniform(200, 340) if y > 60 else from_side)
    pointing = np.array([np.cos(heading), np.sin(heading), 0.0])
    aside = np.array([-pointing[1], pointing[0], 0.0])
    t = np.linspace(0.0, 1.0, 16)[:, None]
    patches = []
    spread = 1.0 + 0.15 * t
    bend = np.array([0.0, 0.0, 14.0]) * (1 - t) ** 2
    for finger, length in enumerate((62, 74, 78, 66)):
        offset = (finger - 1.5) * 17.0
        path = touch + aside * offset * spread + pointing * (t - 1.0) * length + bend
        patches.append(_tube(Kind.HAND, camera, path + pointing * (length - 70), np.full(16, 9.0)))
    palm = touch - pointing * (58.0 + 220.0 * (1.0 - t)) + np.array([0.0, 0.0, 2.0])
    return [*patches, _tube(Kind.HAND, camera, palm, 28.0 + 9.0 * smoothstep(t[:, 0], 0.4, 0.8))]


def microphone(head: Head, camera: Camera, rng: np.random.Generator) -> list[Patch]:
    """A bar with a ball at its end, below or beside the mouth."""
    x, y = rng.uniform(-45, 45), rng.uniform(head.identity.mouth_y, head.chin_y + 10)
    end = camera.turn(head.front(x, min(y, head.chin_y - 5))) + np.array([0.0, 6.0, 34.0])
    heading = np.radians(rng.uniform(60, 120))
    t = np.linspace(0.0, 1.0, 14)[:, None]
    direction = np.array([np.cos(heading), np.sin(heading), 0.15])
    bulge = 22.0 * np.sqrt(np.clip(1.0 - (2 * t[:, 0] - 1) ** 2, 0.01, 1.0))
    return [
        _tube(Kind.OBJECT, camera, end + direction * 230.0 * (1.0 - t), np.full(14, 11.0)),
        _tube(Kind.OBJECT, camera, end + direction * 22.0 * (1.0 - 2.0 * t), bulge),
    ]
