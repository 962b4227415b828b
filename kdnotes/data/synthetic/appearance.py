"""Chance: what a person looks like, and what one picture of that person shows.

`draw_person` depends on (seed, subject) only and `draw_shot` on (seed, index), so that the pictures
of a subject show the same face, and any picture can be made without the others.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

import numpy as np

from kdnotes.data.synthetic.camera import Camera
from kdnotes.data.synthetic.head import Expression, Identity

#: Relative spread of an identity's proportions, and absolute spread (mm) of the places.
SPREAD = {
    "width": 0.045, "jaw": 0.07, "chin": 0.12, "eye_x": 0.035, "eye_width": 0.06,
    "eye_open": 0.16, "brow_thick": 0.28, "brow_arch": 0.5, "brow_ridge": 0.4,
    "nose_height": 0.13, "nose_width": 0.13, "nose_bridge": 0.25, "mouth_width": 0.09,
    "lip_upper": 0.25, "lip_lower": 0.22, "cheek": 0.6, "chin_out": 0.4, "flatness": 0.06,
}  # fmt: skip
SHIFT = {"chin_y": 5.0, "crown_y": 5.0, "brow_y": 2.2, "nose_tip_y": 2.6, "mouth_y": 2.8,
         "eye_tilt": 1.3}  # fmt: skip
#: How much larger a proportion is in the most masculine face than in the least.
MASCULINE = {"jaw": 0.08, "chin": 0.2, "brow_ridge": 0.9, "brow_thick": 0.35, "nose_height": 0.1,
             "lip_upper": -0.25, "eye_open": -0.12}  # fmt: skip

#: Linear-light colours of hair; the last three are grey, white and a dye.
HAIR_COLOURS = np.array([
    [0.006, 0.005, 0.005], [0.014, 0.009, 0.007], [0.035, 0.018, 0.011], [0.075, 0.036, 0.018],
    [0.16, 0.085, 0.035], [0.34, 0.22, 0.10], [0.16, 0.045, 0.014],
    [0.22, 0.22, 0.22], [0.55, 0.54, 0.52], [0.12, 0.03, 0.12],
])  # fmt: skip
IRIS_COLOURS = np.array([
    [0.025, 0.012, 0.006], [0.06, 0.028, 0.011], [0.11, 0.07, 0.025], [0.07, 0.10, 0.05],
    [0.09, 0.15, 0.22], [0.12, 0.14, 0.15],
])  # fmt: skip
MASK_COLOURS = np.array([[0.75, 0.78, 0.80], [0.25, 0.50, 0.68], [0.02, 0.02, 0.025]])
#: How often there is which beard on a face that may have one, and which thing before a face.
BEARDS = {"none": 0.5, "stubble": 0.2, "moustache": 0.08, "goatee": 0.09, "full": 0.13}
OCCLUDERS = {"none": 0.84, "hand": 0.06, "mask": 0.03, "sunglasses": 0.03, "object": 0.04}
STYLES = ("short", "fringe", "long", "curly", "receding", "bald", "cap", "scarf")


@dataclass(frozen=True)
class Person:
    """One subject. Colours are linear-light RGB; shares run from 0 to 1."""

    identity: Identity
    tone: int  # 1 lightest to 10 deepest skin, all equally frequent
    skin: np.ndarray
    age: float
    masculine: float
    hair_style: str
    hair_colour: np.ndarray
    hair_thick: float
    hair_part: float
    brow_density: float
    beard: str  # none, stubble, moustache, goatee, full
    glasses: bool
    iris: np.ndarray
    make_up: bool
    lip_colour: np.ndarray
    cloth: np.ndarray  # (2, 3): cloth and pattern or shirt
    cloth_pattern: str
    offsets: tuple[float, ...]  # 8 places in the noise tile, so that no two skins are alike


@dataclass(frozen=True)
class Shot:
    """One picture of a person."""

    expression: Expression
    camera: Camera
    key: np.ndarray  # unit vector towards the main light
    key_power: float
    key_colour: np.ndarray
    ambient: float
    exposure: float
    occluder: str  # none, hand, mask, sunglasses, object
    occluder_colour: np.ndarray
    blur: float  # standard deviation, picture widths
    detail: float  # the camera's own resolution in pixels across the picture
    grain: float
    compression: float  # 0 none to 1 strong
    grey: bool
    cast: np.ndarray
    scenery: int  # seed of the background


def skin_colour(tone: float, redness: float = 0.0) -> np.ndarray:
    """Colour of skin: light passes melanin, then blood.

    Args:
        tone: 1 lightest to 10 deepest.
        redness: More or less blood; 0 is usual.

    Returns:
        `(3,)` linear-light RGB.
    """
    melanin = 0.06 + 2.0 * (max(tone - 1.0, 0.0) / 9.0) ** 1.25
    blood = 0.33 + 0.12 * redness
    absorbed = melanin * np.array([0.70, 1.0, 1.27]) + blood * np.array([0.10, 0.85, 0.95])
    return np.array([0.86, 0.80, 0.70]) * np.exp(-absorbed)


def _draw_identity(rng: np.random.Generator, masculine: float) -> Identity:
    values = asdict(Identity())
    for name, spread in SPREAD.items():
        values[name] *= 1.0 + spread * np.clip(rng.normal(), -2.2, 2.2)
    for name, shift in SHIFT.items():
        values[name] += shift * np.clip(rng.normal(), -2.2, 2.2)
    lean = masculine - 0.5
    for name, share in MASCULINE.items():
        values[name] *= 1.0 + share * lean
    values["brow_y"] += 3.0 * lean
    return Identity(**{name: float(value) for name, value in values.items()})


def _draw_hair(
    rng: np.random.Generator, masculine: float, age: float, tone: int
) -> tuple[str, np.ndarray, float, float]:
    """Style, colour, thickness in millimetres, and parting from -1 to 1."""
    chances = np.array([
        0.12 + 0.5 * masculine, 0.17, 0.55 * (1 - masculine) + 0.03, 0.12,
        0.16 * masculine * (0.3 + age), 0.10 * masculine, 0.05, 0.05 * (1 - masculine) + 0.01,
    ])  # fmt: skip
    style = STYLES[rng.choice(len(STYLES), p=chances / chances.sum())]
    dark = np.array([4, 4, 3, 2, 1.2, 1.2, 0.5, 0, 0, 0.15])
    deep = np.array([7, 3, 1, 0.2, 0.05, 0.05, 0.02, 0, 0, 0.15])
    weights = dark + (tone / 10.0) ** 1.5 * (deep - dark) + np.eye(10)[7] * 5 * age**2
    weights = weights + np.eye(10)[8] * 4 * age**3
    colour = HAIR_COLOURS[rng.choice(10, p=weights / weights.sum())]
    colour = colour * np.exp(0.07 * rng.normal(size=3)) * np.exp(0.25 * rng.normal())
    thick = rng.uniform(18, 40) if style == "curly" else rng.uniform(8, 22)
    return style, colour, thick, rng.uniform(-1, 1)


def _draw_cloth(rng: np.random.Generator) -> np.ndarray:
    """`(2, 3)` two colours of clothes; more are dark, white or muted than gaudy."""
    grey = rng.uniform(0.08, 0.9, size=(2, 1)) ** 2.2
    return np.clip(grey * np.exp(rng.uniform(0.0, 0.9) * rng.normal(size=(2, 3))), 0.004, 0.8)


def draw_person(rng: np.random.Generator) -> Person:
    """A random person."""
    masculine, age = rng.uniform(), rng.beta(1.6, 2.0)
    tone = int(rng.integers(1, 11))
    identity = _draw_identity(rng, masculine)
    skin = skin_colour(tone + rng.uniform(-0.5, 0.5), rng.normal())
    style, hair, thick, part = _draw_hair(rng, masculine, age, tone)
    beard = rng.choice(list(BEARDS), p=list(BEARDS.values())) if masculine > 0.5 else "none"
    make_up = bool(rng.uniform() < 0.55 * (masculine < 0.45))
    natural = skin * np.array([0.86, 0.52, 0.55])
    stick = np.array([0.34, 0.03, 0.05]) * np.exp(0.35 * rng.normal(size=3))
    stick = stick * (0.4 + 0.6 * skin[0] / 0.8)  # the same stick looks darker on deep skin
    iris_p = np.array([1, 1, 1, 1, 1, 0.7]) if tone < 5 else np.array([4, 2, 0.4, 0.1, 0.1, 0.1])
    return Person(
        identity=identity, tone=tone, skin=skin, age=age, masculine=masculine,
        hair_style=style, hair_colour=hair, hair_thick=thick, hair_part=part,
        brow_density=rng.uniform(0.55, 1.0) * (1.0 - 0.25 * age), beard=str(beard),
        glasses=bool(rng.uniform() < 0.10 + 0.15 * age),
        iris=IRIS_COLOURS[rng.choice(6, p=iris_p / iris_p.sum())], make_up=make_up,
        lip_colour=stick if make_up else natural,
        cloth=_draw_cloth(rng),
        cloth_pattern=str(rng.choice(("plain", "stripes", "checks", "suit", "v-neck"))),
        offsets=tuple(rng.uniform(0.0, 1.0, size=8).tolist()),
    )  # fmt: skip


def _draw_expression(rng: np.random.Generator) -> Expression:
    talking = rng.uniform() < 0.45
    jaw = abs(rng.normal(0.0, 8.0)) if talking else 0.0
    smile = rng.choice((0.0, 1.0), p=(0.5, 0.5)) * rng.uniform(0.1, 1.0) + rng.normal(0.0, 0.08)
    raise_both, raise_one = rng.normal(0.5, 2.2), rng.normal(0.0, 0.6)
    squint = 0.22 * max(smile, 0.0)
    shut = rng.uniform(0.75, 1.0) if rng.uniform() < 0.06 else abs(rng.normal(0.0, 0.12))
    lids = np.clip(squint + shut + rng.normal(0.0, 0.02, size=2), -0.1, 1.0)
    return Expression(
        jaw=float(min(jaw, 24.0)),
        smile=float(np.clip(smile, -0.4, 1.0)),
        pucker=float(rng.uniform(0, 0.9) * (rng.uniform() < 0.08)),
        brow_raise=(float(raise_both - raise_one), float(raise_both + raise_one)),
        frown=float(rng.uniform(0, 1) * (rng.uniform() < 0.2)),
        lids=(float(lids[0]), float(lids[1])),
        gaze=(float(np.clip(rng.normal(0, 2.2), -5, 5)), float(np.clip(rng.normal(0, 1), -2, 2))),
    )


def _draw_camera(rng: np.random.Generator) -> Camera:
    # most people look into the camera, one in eight looks anywhere
    yaw = rng.uniform(-75.0, 75.0) if rng.uniform() < 0.125 else rng.normal(0.0, 18.0)
    return Camera(
        yaw=float(np.clip(yaw, -75.0, 75.0)),
        pitch=float(np.clip(rng.normal(-2.0, 11.0), -28.0, 25.0)),
        roll=float(np.clip(rng.normal(0.0, 8.0), -35.0, 35.0)),
        distance=float(500.0 * np.exp(rng.uniform(0.0, 1.6))),
    )


def _draw_light(rng: np.random.Generator) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Direction, power and colour of the main light, and the power of the light all around."""
    azimuth = np.radians(np.clip(rng.normal(0.0, 40.0), -85.0, 85.0))
    height = np.radians(np.clip(rng.normal(28.0, 18.0), -25.0, 70.0))
    key = np.array([
        np.sin(azimuth) * np.cos(height), -np.sin(height), np.cos(azimuth) * np.cos(height)
    ])  # fmt: skip
    share = rng.beta(2.2, 1.8)  # of the main light; the rest comes from all around
    warm = rng.normal(0.0, 0.10)
    return key, 1.25 * share, np.exp(warm * np.array([1.0, 0.1, -1.0])), 1.0 - 0.8 * share


def draw_shot(rng: np.random.Generator, person: Person) -> Shot:
    """A random picture of a person."""
    key, power, colour, ambient = _draw_light(rng)
    occluder = str(rng.choice(list(OCCLUDERS), p=list(OCCLUDERS.values())))
    paint = MASK_COLOURS[rng.integers(3)] if occluder == "mask" else rng.uniform(0.02, 0.7, 3)
    sharp = rng.uniform() < 0.55
    return Shot(
        expression=_draw_expression(rng), camera=_draw_camera(rng),
        key=key, key_power=power, key_colour=colour, ambient=ambient,
        exposure=float(np.exp(rng.normal(0.0, 0.25)) * (0.35 if rng.uniform() < 0.06 else 1.0)),
        occluder=occluder,
        occluder_colour=skin_colour(person.tone) if occluder == "hand" else paint,
        blur=0.0 if sharp else float(rng.gamma(1.5, 0.0025)),
        detail=float(np.exp(rng.uniform(np.log(70), np.log(300)))),
        grain=float(min(rng.gamma(1.5, 0.005), 0.035)),
        compression=float(rng.uniform() ** 2),
        grey=bool(rng.uniform() < 0.05), cast=np.exp(0.06 * rng.normal(size=3)),
        scenery=int(rng.integers(2**31)),
    )  # fmt: skip


#: What `simplified` can take away.
VARIETY = ("camera", "light", "background")


def simplified(shot: Shot, without: Collection[str] = ()) -> Shot:
    """The same shot with some of the world's variety taken away, to see what it was worth.

    Args:
        shot: The shot.
        without: Some of `VARIETY`. Without "camera" there is no blur, noise, compression and
            colour cast; without "light" all have the same soft light from the front; without
            "background" all are in the same place.

    Raises:
        ValueError: Another name.
    """
    if unknown := set(without) - set(VARIETY):
        raise ValueError(f"cannot render without {sorted(unknown)}; choose from {VARIETY}")
    if "camera" in without:
        shot = replace(
            shot, blur=0.0, detail=300.0, grain=0.0, compression=0.0, grey=False, cast=np.ones(3)
        )
    if "light" in without:
        key = np.array([0.0, -0.4, 0.9])
        shot = replace(
            shot, key=key / np.linalg.norm(key), key_power=0.6, key_colour=np.ones(3), ambient=0.6,
            exposure=1.0,
        )  # fmt: skip
    if "background" in without:
        shot = replace(shot, scenery=0)
    return shot
