"""One of each live figure, with small data."""

import numpy as np

from kdnotes import asm
from kdnotes.data import schemes, synthetic
from kdnotes.plots import live

SCHEME = schemes.get(68)


def make() -> dict[str, live.LiveFigure]:
    """Module to figure; each is in a state other than its first one."""
    images, landmarks, _, _ = synthetic.render_faces(8, 64, seed=0)
    rng = np.random.default_rng(0)

    def off(size):
        return landmarks + rng.normal(0, size, landmarks.shape)

    model = asm.fit_shapes(landmarks, SCHEME, variance=0.97)
    shapes = {"mean": landmarks.mean(axis=0), "hard": landmarks[0]}
    shapes |= {"tough": off(0.01)[0], "tolerant": off(0.02)[0]}
    epochs = np.linspace(shapes["mean"], landmarks[0], 5)
    points = {"student": off(0.03), "tough": off(0.01)}
    errors = {
        name: np.linalg.norm(p - landmarks, axis=-1).mean(axis=1) for name, p in points.items()
    }
    logits = rng.normal(0, 3, (3, 10))
    figures = [
        live.OneCoordinate(pred=0.25, tolerant=-0.3, released=True),
        live.Plane(tough_x=0.35, tolerant_y=-0.4, released=True),
        live.ShapeModes(model, SCHEME, {"face 1": landmarks[0]}),
        live.FaceLearns(images[0], shapes, SCHEME, {"KD student": epochs}),
        live.Failures(images, {"hard": landmarks} | points, errors, SCHEME),
        live.Temperature(rng.uniform(0, 1, (3, 8, 8)), logits, np.arange(3)),
        live.SeedsAndPeople(n_seeds=3, drawn=25),
    ]
    figures[3].way, figures[3].position = "KD student", 0.6
    figures[5].temperature = 3.0
    return {figure.module: figure for figure in figures}
