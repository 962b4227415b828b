"""Paint of the features that landmarks mark: brows, eyes and mouth.

Each `paint_…` takes the skin's colour `(3, K)` and gloss `(K,)` at head coordinates x, y `(K,)` in
millimetres, and returns both with the feature painted over. Edges are soft over a millimetre,
centred on the head's curves.
"""

from collections.abc import Callable

import numpy as np

from kdnotes.data.synthetic.appearance import Person, Shot
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.smooth import Real, bump, mix, noise, rgb, smoothstep

#: Colour `(3, K)` and gloss `(K,)`.
Painted = tuple[np.ndarray, np.ndarray]


def _by_side(x: np.ndarray, value: Callable[[int], Real]) -> np.ndarray:
    """`value(-1)` on the image's left half of the face and `value(+1)` on its right."""
    return np.where(x < 0, value(-1), value(1))


def paint_brows(
    skin: np.ndarray,
    gloss: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    head: Head,
    person: Person,
    shot: Shot,
) -> Painted:
    """Hairs that lie along the brow, denser in its middle."""
    one = head.identity
    outer, inner = head.brow_ends()
    t = (np.abs(x) - outer) / (inner - outer)
    middle = _by_side(x, lambda side: head.brow(side, np.clip(t, -0.2, 1.1))[1])
    thick = one.brow_thick * (0.3 + 0.7 * smoothstep(t, 0.0, 0.5))
    inside = smoothstep(np.abs(y - middle) / thick, 0.75, 0.30)
    inside *= smoothstep(t, -0.06, 0.08) * smoothstep(t, 1.04, 0.86)
    ax = np.abs(x)
    strands = 0.88 + 0.22 * noise((ax * 0.8 + y) / 34.0, (y - 0.5 * ax) / 110.0)
    hair = np.minimum(rgb(*person.hair_colour), 0.10) * 0.8 + 0.002
    cover = np.clip(inside * strands * person.brow_density, 0.0, 1.0)
    return mix(skin, hair, cover), gloss * (1.0 - cover)


def _eyeball(
    x: np.ndarray,
    y: np.ndarray,
    t: np.ndarray,
    upper: np.ndarray,
    head: Head,
    person: Person,
    shot: Shot,
) -> np.ndarray:
    """Colour of the white, the iris, the pupil, and the reflection of the light."""
    pupil_x = _by_side(x, lambda side: head.pupil(side)[0])
    pupil_y = _by_side(x, lambda side: head.pupil(side)[1])
    r = np.hypot(x - pupil_x, y - pupil_y)
    shade = (1.0 - 0.35 * smoothstep(y - upper, 3.5, 0.0)) * (
        1.0 - 0.35 * smoothstep(np.abs(t - 0.5), 0.25, 0.5)
    )
    white = rgb(0.62, 0.56, 0.53) * shade
    ring = 0.7 + 0.9 * smoothstep(r, 2.0, 5.0) - 0.9 * smoothstep(r, 4.6, 6.0)
    ball = mix(white, rgb(*person.iris) * ring, smoothstep(r, 6.3, 5.5))
    ball = ball * (1.0 - 0.95 * smoothstep(r, 2.6, 2.0))
    ball = ball * (1.0 - 0.6 * smoothstep(y - upper, 1.8, 0.2))
    spot = np.hypot(x - pupil_x - 2.6 * shot.key[0] - 0.6, y - pupil_y - 3.0 * shot.key[1])
    return mix(ball, 0.9 * min(shot.key_power + 0.2, 1.0), smoothstep(spot, 1.3, 0.6))


def paint_eyes(
    skin: np.ndarray,
    gloss: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    head: Head,
    person: Person,
    shot: Shot,
) -> Painted:
    """Eyeball between the lids, lashes, the fold of the upper lid, and eye make-up."""
    one = head.identity
    t = 0.5 * (1.0 - (np.abs(x) - one.eye_x) / one.eye_width)
    inner_t = np.clip(t, 0.0, 1.0)
    upper = _by_side(x, lambda side: head.eye(side, inner_t, "upper")[1])
    lower = _by_side(x, lambda side: head.eye(side, inner_t, "lower")[1])
    inside = smoothstep(y - upper, -0.5, 0.5) * smoothstep(lower - y, -0.5, 0.5)
    inside *= smoothstep(t, -0.02, 0.03) * smoothstep(t, 1.03, 0.97)
    ball = _eyeball(x, y, t, upper, head, person, shot)

    past = smoothstep(t, -0.14, 0.0) * smoothstep(t, 1.08, 0.98)
    lash = 0.9 * np.exp(-(((y - upper + 0.5) / (1.0 + 0.7 * person.make_up)) ** 2))
    fold = 0.5 * np.exp(-(((y - upper + 4.4 - 1.5 * t) / 1.3) ** 2))
    under = (0.35 + 0.4 * person.make_up) * np.exp(-(((y - lower - 0.3) / 0.8) ** 2))
    shadow = 0.35 * person.make_up * smoothstep(upper - y, 9.0, 1.0) * (y < upper)
    dark = np.maximum(np.maximum(lash, fold), np.maximum(under, shadow)) * past
    lids = mix(skin, skin * rgb(0.10, 0.07, 0.07), dark)
    return mix(lids, ball, inside), gloss * (1.0 - inside) * (1.0 - dark) + 0.5 * inside


def _mouth_inside(x: np.ndarray, u: np.ndarray, depth: np.ndarray, gap: float) -> np.ndarray:
    """Colour behind the lips, `depth` millimetres below the upper one: teeth, tongue, dark."""
    tongue = bump(x, depth, 0.0, gap, 15.0, 0.35 * gap + 1.0) * smoothstep(gap, 9.0, 16.0)
    inside = mix(rgb(0.05, 0.010, 0.009), rgb(0.22, 0.06, 0.055), tongue)
    edge = 8.5 - 2.5 * np.abs(u) + 0.5 * np.abs(np.sin(x / 2.7))
    teeth = smoothstep(edge - depth, -0.6, 0.6) * smoothstep(np.abs(u), 0.97, 0.75)
    shade = 1.0 - 0.35 * np.abs(u) - 0.25 * smoothstep(depth, 1.5, 0.0)
    shade = shade * (1.0 - 0.2 * np.abs(np.cos(x * np.pi / 7.5)) ** 16)
    return mix(inside, rgb(0.66, 0.60, 0.50) * shade, teeth * smoothstep(gap, 1.0, 2.5))


def paint_mouth(
    skin: np.ndarray,
    gloss: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    head: Head,
    person: Person,
    shot: Shot,
) -> Painted:
    """Lips, the line between them, and the opening."""
    face, reach = head.expression, head.mouth_reach()
    u = np.clip(x / reach, -1.0, 1.0)
    upper, top, low, lower = (head.mouth(u, k)[1] for k in ("upper", "top", "low", "lower"))
    within = smoothstep(np.abs(x) / reach, 1.03, 0.97)
    lips = smoothstep(y - upper, -1.0, 0.8) * smoothstep(lower - y, -1.2, 1.2) * within
    ripple = 1.0 + 0.07 * noise(x / 26.0, y / 200.0 + person.offsets[3])
    red = rgb(*person.lip_colour) * (np.where(y < top, 0.85, 1.05) * ripple)

    gap = face.jaw + 2.0 * max(face.smile, 0.0)
    opening = smoothstep(y - top, -0.5, 0.5) * smoothstep(low - y, -0.5, 0.5) * within
    opening = opening * smoothstep(gap, 0.4, 1.5)
    parting = np.exp(-(((y - 0.5 * (top + low)) / 0.9) ** 2)) * within * smoothstep(gap, 2.0, 0.5)
    corners = 0.45 * bump(np.abs(x), y, reach, head.mouth(1.0, "top")[1], 2.5, 2.2)
    result = mix(skin, red, 0.9 * lips) * (1.0 - 0.75 * parting) * (1.0 - corners)
    shine = gloss + lips * (0.25 + 0.5 * person.make_up)
    inside = _mouth_inside(x, u, y - top, gap)
    return mix(result, inside, opening), shine * (1.0 - opening)
