"""Interactive figures: sliders over the functions of `kdnotes.plots`.

Each function returns an `Explorer`. Its sliders have names, so that a cell can move them, too:
`explorer.sliders["tough"].value = 0.2`. The text below the figure is `explorer.text`.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace

import ipywidgets as ipw
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kdnotes import losses, plots
from kdnotes.asm import ActiveShapeModel
from kdnotes.data.faceset import FaceSet


class Explorer(ipw.VBox):
    """Named controls, a figure that follows them, and a line of text.

    Args:
        draw: Takes the controls' values by name; returns the figure and the text.
        controls: Name to widget.
    """

    def __init__(self, draw: Callable[..., tuple[Figure, str]], controls: Mapping[str, ipw.Widget]):
        self.draw, self.sliders = draw, dict(controls)
        self.picture = ipw.Image(format="png", layout=ipw.Layout(max_width="100%"))
        self.line = ipw.HTML()
        for control in self.sliders.values():
            control.style.description_width = "9em"
            control.observe(self.redraw, names="value")
        columns = ipw.Layout(grid_template_columns="repeat(auto-fit, minmax(300px, 1fr))")
        grid = ipw.GridBox(list(self.sliders.values()), layout=columns)
        self.places: list = []  # positions of the figure's axes, once they are known
        super().__init__([grid, self.picture, self.line])
        self.redraw()

    @property
    def text(self) -> str:
        return self.line.value

    def redraw(self, change=None) -> None:
        figure, text = self.draw(**{name: c.value for name, c in self.sliders.items()})
        if self.places:  # laying out a figure takes longer than drawing it, so it is done once
            figure.set_layout_engine("none")
            for axes, place in zip(figure.axes, self.places, strict=True):
                axes.set_position(place)
        self.picture.value = _png(figure)
        self.places = self.places or [axes.get_position(original=True) for axes in figure.axes]
        self.line.value = text


def _png(figure: Figure, dpi: int = 90) -> bytes:
    """The figure as a PNG file, in half the time of `savefig`."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    stream = io.BytesIO()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _slider(name, value, low, high, step):
    return ipw.FloatSlider(value, min=low, max=high, step=step, description=name)


def shape_modes(model: ActiveShapeModel, scheme, n: int = 4) -> Explorer:
    """What each mode does to the mean shape: one slider per component, in standard deviations.

    Args:
        model: The shape model.
        scheme: Of its landmarks.
        n: Number of sliders, at most one per component.
    """
    n = min(n, model.n_components_)
    controls = {f"mode {i + 1}": _slider(f"mode {i + 1}", 0, -3, 3, 0.1) for i in range(n)}

    def draw(**amounts):
        b = np.zeros(model.n_components_)
        b[:n] = list(amounts.values()) * np.sqrt(model.explained_variance_[:n])
        moved = model.shape(b).reshape(-1, 2)
        mean = model.mean_shape_.reshape(-1, 2)
        away = 100 * np.linalg.norm(moved - mean, axis=1).mean()
        text = f"points lie {away:.2f} % of the picture's width from the mean shape, on average"
        return plots.shapes({"mean": mean, "soft": moved}, scheme), text

    return Explorer(draw, controls)


def loss_explorer() -> Explorer:
    """KD-Loss on one axis, with sliders for truth, teachers, prediction and constants.

    A slider of a constant is a factor, which applies to both teachers.
    """
    known = {"PAPER": losses.PAPER, "RELEASED": losses.RELEASED}
    controls = {
        "setting": ipw.Dropdown(options=list(known), description="setting"),
        "pred": _slider("prediction", 0.6, -1, 1, 0.01),
        "target": _slider("truth", 0.0, -0.5, 0.5, 0.01),
        "tough": _slider("Tough teacher", 0.4, -1, 1, 0.01),
        "tolerant": _slider("Tolerant teacher", 0.49, -1, 1, 0.01),
        "alpha_positive": _slider("α⁺ ×", 1, 0, 2, 0.05),
        "alpha_negative": _slider("α⁻ ×", 1, 0, 2, 0.05),
        "beta": _slider("β ×", 1, 0.1, 2.4, 0.05),
        "main_weight": _slider("main weight ×", 1, 0, 2, 0.05),
    }

    def draw(setting, pred, target, tough, tolerant, **factors):
        chosen = _scaled(known[setting], **factors)
        figure = plots.kd_curves(tough, tolerant, target=target, pred=pred, settings=chosen)
        points = [
            torch.tensor([value], dtype=torch.float64) for value in (pred, target, tough, tolerant)
        ]
        terms = losses.kd_loss(*points, settings=chosen)
        slope = losses.kd_loss_grad(*points, settings=chosen).total
        parts = " ".join(f"{term:+.3f} ({name})" for name, term in terms._asdict().items()
                         if name != "total")  # fmt: skip
        regions = ", ".join(
            f"{name}: {region_name(points[0], points[1], teacher, assistance)}"
            for name, teacher, assistance in (
                ("Tough", points[2], chosen.tough),
                ("Tolerant", points[3], chosen.tolerant),
            )
        )
        text = f"loss {terms.total:+.3f} = {parts}; slope {slope.item():+.2f}<br>{regions}"
        return figure, text

    return Explorer(draw, controls)


def _scaled(settings: losses.KDSettings, *, main_weight: float, **factors) -> losses.KDSettings:
    """The settings with their constants multiplied.

    Args:
        main_weight: Factor of the main loss's weight.
        factors: Name of a constant of `Assistance` to its factor, the same for both teachers.
    """

    def scaled(assistance):
        constants = {name: x * getattr(assistance, name) for name, x in factors.items()}
        return replace(assistance, **constants)

    return replace(
        settings,
        tough=scaled(settings.tough),
        tolerant=scaled(settings.tolerant),
        main_weight=main_weight * settings.main_weight,
    )


def region_name(pred, target, teacher, assistance: losses.Assistance) -> str:
    """The region of the assistive loss that a prediction is in, in words.

    Args:
        pred, target, teacher: `(1,)` each.
    """
    number = losses.region(
        pred, target, teacher, beta=assistance.beta, low_influence=assistance.low_influence
    ).item()
    return {
        losses.POSITIVE: "behind the teacher, pulled in",
        losses.NEGATIVE: "ahead of the teacher, pushed on",
        losses.LOW: "nearly there, let go",
        losses.NONE: "a perfect teacher, no assistance",
    }[number]


def face_picker(
    faces: FaceSet, predictions: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray]
) -> Explorer:
    """One face with the landmarks of every network; a slider chooses it by its rank.

    Faces are ranked from best to worst of the first network.

    Args:
        predictions: Name in `plots.COLOURS` to `(N, L, 2)` in stored-crop units.
        errors: The same names to `(N,)` NME.
    """
    order = np.argsort(next(iter(errors.values())))
    controls = {
        "rank": ipw.IntSlider(
            len(order) // 2, min=0, max=len(order) - 1, description="best to worst"
        )
    }

    def draw(rank):
        i = order[rank]
        named = {"hard": faces.landmarks[i]} | {k: v[i] for k, v in predictions.items()}
        figure = plots.face_grid(
            [faces.images[i]] * len(predictions),
            [{k: named[k] for k in ("hard", name)} for name in predictions],
            faces.scheme,
            titles=[f"{name}: NME {errors[name][i]:.1%}" for name in predictions],
            side=2.6,
            size=6,
        )
        return figure, f"face {faces.table['id'].iloc[i]}, NME by the {faces.scheme.distance}"

    return Explorer(draw, controls)
