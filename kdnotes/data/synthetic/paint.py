"""Colour of skin, beard, hair and cloth, and the choice of paint for every kind of surface.

Paint for the head is a function of head coordinates and of the head's curves, the same that the
landmarks lie on, so that features follow pose and expression exactly (`features` paints brows,
eyes and mouth). Colours are linear-light RGB `(3, K)`; `gloss` `(K,)` says how much of a highlight
a surface shows.
"""

import numpy as np

from kdnotes.data.synthetic.appearance import Person, Shot
from kdnotes.data.synthetic.features import Painted, paint_brows, paint_eyes, paint_mouth
from kdnotes.data.synthetic.hair import hairline
from kdnotes.data.synthetic.head import Head
from kdnotes.data.synthetic.meshes import Kind
from kdnotes.data.synthetic.smooth import Real, bump, mix, noise, rgb, smoothstep


def colour(kind: Kind, local: np.ndarray, head: Head, person: Person, shot: Shot) -> Painted:
    """Paint of one kind of surface.

    Args:
        kind: Which.
        local: `(3, K)` coordinates of its points, see `meshes.Patch`.
        head: The head that the features of a face belong to.
        person: Whose.
        shot: The picture.

    Returns:
        Colour `(3, K)` and gloss `(K,)`.

    Raises:
        ValueError: No such kind.
    """
    x, y, _ = local
    flat = np.zeros_like(x)
    first, second = (rgb(*cloth) for cloth in person.cloth)
    thing = rgb(*shot.occluder_colour)
    if kind == Kind.NECK and person.hair_style == "scarf":
        kind = Kind.SCARF
    match kind:
        case Kind.HEAD:
            return _face(local, head, person, shot)
        case Kind.HAIR:
            return _hair(local, person), flat + 0.5
        case Kind.BODY:
            return _clothes(x, y, person, first, second), flat
        case Kind.SCARF:
            return _cloth(x, y, second, 0.25), flat
        case Kind.EAR | Kind.NECK:
            return _skin(x, y, person) * rgb(1.0, 0.93, 0.91), flat + 0.15
        case Kind.HAND:
            return thing * (1.0 + 0.08 * noise(x / 90.0, y / 90.0)), flat + 0.15
        case Kind.LENS:
            return rgb(1, 1, 1) * mix(0.10, 0.008, smoothstep(y, 24.0, -16.0)), flat + 1.0
        case Kind.FRAME:
            return first * (0.08 if person.offsets[4] < 0.7 else 0.5) + 0 * x, flat + 0.8
        case Kind.MASK:
            return thing * (1.0 - 0.10 * np.sin(y / 3.2) ** 8), flat
        case Kind.OBJECT:
            return thing * (0.2 + 0.07 * np.sin(x) * np.sin(y)), flat + 0.4
        case Kind.CAP:
            return _cloth(x, y, second, 0.2) * (0.8 + 0.2 * np.sin(x / 1.6)), flat
    raise ValueError(f"expected a kind of surface from meshes.py, found {kind}")


def _skin(x: np.ndarray, y: np.ndarray, person: Person) -> np.ndarray:
    """Bare skin: base colour, blotches and pores."""
    a, b = person.offsets[:2]
    blotch = 0.045 * noise(x / 330.0 + a, y / 330.0 + b)
    pores = (0.015 + 0.04 * person.age) * noise(x / 110.0 + b, y / 110.0 + a)
    return rgb(*person.skin) * (1.0 + blotch + pores)


def _face(local: np.ndarray, head: Head, person: Person, shot: Shot) -> Painted:
    """Colour and gloss of the head."""
    x, y, z = local
    ax, one = np.abs(x), head.identity
    skin = _skin(x, y, person)
    gloss = np.full_like(x, 0.22)
    ahead = np.flatnonzero((z > 20.0) & (y > -75.0))
    part = skin[:, ahead]
    u, v, au = x[ahead], y[ahead], ax[ahead]
    red = (
        0.8 * bump(au, v, 42.0, 34.0, 20.0, 17.0)
        + 0.8 * bump(au, v, 0.0, one.nose_tip_y + 3.0, 15.0, 9.0)
        + 0.5 * bump(au, v, 0.0, head.chin_y - 10.0, 18.0, 9.0)
    )
    part = part * (1.0 - (0.14 + 0.2 * person.make_up) * red * rgb(0.1, 1.0, 0.9))
    dark = (0.12 + 0.25 * person.age) * bump(au, v, one.eye_x - 3.0, 11.0, 15.0, 5.0)
    dark += 0.2 * bump(au, v, one.eye_x, -5.0, 17.0, 7.0) + 0.2 * bump(au, v, 13.0, 3.0, 6.0, 8.0)
    part = part * (1.0 - dark) * (1.0 - _creases(u, v, head, person))
    part = _beard(part, u, v, head, person)
    skin[:, ahead] = _nostrils(part, au, v, head)
    gloss[ahead] += 0.35 * bump(au, v, 0.0, 25.0, 12.0, 30.0) + 0.2 * bump(u, v, 0.0, -50.0, 40, 22)

    skin = _scalp(skin, local, head, person)
    for region, painter in (
        ((np.abs(y - one.brow_y) < 22.0) & (ax < 74.0), paint_brows),
        ((np.abs(y) < 21.0) & (np.abs(ax - one.eye_x) < 24.0), paint_eyes),
        ((ax < 1.15 * head.mouth_reach()) & (y > one.mouth_y - 22.0), paint_mouth),
    ):
        chosen = np.flatnonzero(region & (z > 20.0))
        skin[:, chosen], gloss[chosen] = painter(
            skin[:, chosen], gloss[chosen], x[chosen], y[chosen], head, person, shot
        )
    return skin, gloss


def _line(y: np.ndarray, at: Real, width: float) -> np.ndarray:
    """A soft line along a curve."""
    return np.exp(-(((y - at) / width) ** 2))


def _creases(x: np.ndarray, y: np.ndarray, head: Head, person: Person) -> np.ndarray:
    """Darkness of folds: from nose to mouth, on the forehead, between the brows."""
    one, face = head.identity, head.expression
    ax, smile = np.abs(x), max(face.smile, 0.0)
    start, reach = head.nose_base_y - 6.0, head.mouth_reach() + 7.0
    s = np.clip((y - start) / (one.mouth_y + 6.0 - start), 0.0, 1.0)
    fold = one.nose_width + 3.0 + (reach - one.nose_width - 3.0) * s**0.8
    ends = smoothstep(y, start - 3.0, start + 6.0)
    ends = ends * smoothstep(y, one.mouth_y + 8.0, one.mouth_y - 6.0)
    dark = (0.06 + 0.22 * person.age + 0.30 * smile) * _line(ax, fold, 2.4) * ends
    raised = 0.03 * max(sum(face.brow_raise), 0.0)
    lines = np.sin((y + 0.004 * x**2) / 2.2) ** 6 * bump(x, y, 0.0, -48.0, 40.0, 14.0)
    dark += (0.3 * person.age**2 + raised) * 0.5 * lines
    dark += 0.5 * face.frown * bump(ax, y, 6.0, one.brow_y + 2.0, 1.6, 9.0)
    return np.minimum(dark, 0.6)


def _nostrils(skin: np.ndarray, ax: np.ndarray, y: np.ndarray, head: Head) -> np.ndarray:
    """Two dark holes, and the shade beside and under the wings of the nose."""
    one, base = head.identity, head.nose_base_y
    hole = bump(ax, y, 0.45 * one.nose_width, base - 0.8, 0.26 * one.nose_width, 2.6)
    wing = _line(ax, one.nose_width + 0.5, 1.6) * _line(y, base - 6.0, 7.0)
    under = _line(y, base + 1.5, 2.5) * smoothstep(ax, one.nose_width, 4.0)
    shade = 1.0 - 0.30 * wing - 0.2 * under
    return skin * np.minimum(shade, 1.0 - 0.88 * smoothstep(hole, 0.25, 0.75))


def _scalp(skin: np.ndarray, local: np.ndarray, head: Head, person: Person) -> np.ndarray:
    """Roots of the hair show at the hairline, and a shaved head keeps a shadow of its hair."""
    x, y, z = local
    if person.hair_style in ("cap", "scarf"):
        return skin
    width, centre = head.profile(y)[:2]
    angle = np.arcsin(np.clip(x / np.maximum(width, 1.0), -1.0, 1.0))
    angle = np.where(z < centre, np.sign(x) * np.pi - angle, angle)
    strands = noise(x / 60.0, y / 240.0)
    covered = smoothstep(hairline(person, angle) - y + 3.5 * strands, -6.0, 5.0)
    strength = 0.35 * person.offsets[3] if person.hair_style == "bald" else 0.85
    return mix(skin, rgb(*person.hair_colour) * 1.2, strength * covered)


def _beard(
    skin: np.ndarray, x: np.ndarray, y: np.ndarray, head: Head, person: Person
) -> np.ndarray:
    """Stubble and beards: hair colour where the beard grows."""
    strength = {"none": 0.0, "stubble": 0.42}.get(person.beard, 0.93)
    strength = max(strength, 0.16 * (person.masculine > 0.55))
    if strength == 0.0:
        return skin
    one, ax, reach = head.identity, np.abs(x), head.mouth_reach()
    lips = head.mouth(np.clip(x / reach, -1.0, 1.0), "upper")[1]
    moustache = smoothstep(y, head.nose_base_y + 3.0, head.nose_base_y + 8.0)
    moustache *= smoothstep(y, lips + 4.0, lips - 1.0) * smoothstep(ax, reach + 7.0, reach - 3.0)
    beside = smoothstep(ax, reach - 4.0, reach + 3.0)
    cheek = one.mouth_y - 12.0 + 12.0 * smoothstep(ax, 58.0, 36.0)
    jaw = smoothstep(y, cheek - 4.0, cheek + 7.0) * beside
    below = one.mouth_y + 14.0 + 0.8 * head.expression.jaw
    chin = smoothstep(y, below, below + 10.0)
    strip = np.maximum(chin, beside * smoothstep(y, one.mouth_y - 8.0, one.mouth_y))
    goatee = smoothstep(ax, reach + 8.0, reach) * strip
    where = {"moustache": moustache, "goatee": np.maximum(moustache, goatee)}.get(
        person.beard, np.maximum(np.maximum(moustache, jaw), chin)
    )
    hairs = np.clip(0.88 + 0.13 * noise(x / 45.0, y / 90.0 + person.offsets[2]), 0.0, 1.0)
    shade = np.clip(0.9 + 0.25 * noise(x / 60.0, y / 120.0), 0.4, 1.5)
    return mix(skin, rgb(*person.hair_colour) * shade, strength * where * hairs)


def _hair(local: np.ndarray, person: Person) -> np.ndarray:
    """Strands run down from the crown; curls have no direction."""
    around, y, t = local
    a, b = person.offsets[4:6]
    if person.hair_style == "curly":
        strands = noise(around / 55.0 + a, y / 55.0 + b)
    else:
        strands = 0.6 * noise(around / 34.0 + a, y / 420.0 + b)
        strands += 0.4 * noise(around / 90.0, y / 500.0)
    base = rgb(*person.hair_colour)
    return base * np.clip(1.0 + 0.34 * strands, 0.25, 2.0) * (0.75 + 0.25 * t)


def _cloth(x: np.ndarray, y: np.ndarray, base: np.ndarray, rough: float) -> np.ndarray:
    """Cloth of the colour `base` with folds, deeper where it is rough."""
    return base * np.maximum(1.0 + rough * noise(x / 420.0, y / 420.0), 0.3)


def _clothes(
    x: np.ndarray, y: np.ndarray, person: Person, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """A plain shirt, stripes, checks, a suit with a tie, or a neckline that shows skin."""
    ax, pattern = np.abs(x), person.cloth_pattern
    result = _cloth(x, y, first, 0.18)
    if pattern == "stripes":
        result = mix(result, second, smoothstep(np.sin(y / 5.0), -0.2, 0.2))
    elif pattern == "checks":
        result = mix(result, second, 0.5 * (np.sin(x / 4.0) > 0) + 0.5 * (np.sin(y / 4.0) > 0))
    elif pattern == "suit":
        opening = 62.0 - 0.45 * (y - 150.0)
        shirt = _cloth(x, y, 0.45 + 0.4 * second, 0.1)
        shirt = mix(shirt, 0.4 * second, ax < 9.0 + 0.05 * (y - 150.0))
        result = 0.12 * result * (1.0 - 0.5 * _line(ax, opening + 16.0, 3.0))
        result = mix(result, shirt, ax < opening)
    if person.hair_style == "scarf":
        return result
    neckline = {"v-neck": 200.0 - 0.85 * ax, "suit": 158.0}.get(pattern, 172.0 - 0.004 * x**2)
    return mix(result, rgb(*person.skin), smoothstep(neckline - y, -1.0, 1.0))
