"""Interactive figures: sliders over the functions of `kdnotes.plots`.

Each function returns an `Explorer`. Its sliders have names, so that a cell can move them as a hand
would: `explorer.sliders["tough"].value = 0.2`; `explorer.text` is what stands below the figure.
"""

import io
from collections.abc import Callable, Mapping

import ipywidgets as ipw
import numpy as np
import torch
from matplotlib.figure import Figure

from kdnotes import losses, plots
from kdnotes.asm import ActiveShapeModel
from kdnotes.faceset import FaceSet


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
        super().__init__([grid, self.picture, self.line])
        self.redraw()

    @property
    def text(self) -> str:
        return self.line.value

    def redraw(self, change=None) -> None:
        figure, text = self.draw(**{name: c.value for name, c in self.sliders.items()})
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=90)
        self.picture.value = stream.getvalue()
        self.line.value = text


def _slider(name, value, low, high, step):
    return ipw.FloatSlider(value, min=low, max=high, step=step, description=name)


def shape_modes(model: ActiveShapeModel, scheme, n: int = 4) -> Explorer:
    """One slider per component, in standard deviations: what each mode does to the mean shape."""
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
    """KD-Loss on one axis: move the teachers and the prediction, change the setting."""
    known = {"PAPER": losses.PAPER, "RELEASED": losses.RELEASED}
    controls = {
        "setting": ipw.Dropdown(options=list(known), description="setting"),
        "pred": _slider("prediction", 0.6, -1, 1, 0.01),
        "tough": _slider("Tough teacher", 0.4, -1, 1, 0.01),
        "tolerant": _slider("Tolerant teacher", 0.49, -1, 1, 0.01),
    }

    def draw(setting, pred, tough, tolerant):
        chosen = known[setting]
        figure = plots.kd_curves(tough, tolerant, pred=pred, settings=chosen)
        points = [
            torch.tensor([value], dtype=torch.float64) for value in (pred, 0, tough, tolerant)
        ]
        points[0].requires_grad_()
        terms = losses.kd_loss(*points, settings=chosen)
        (slope,) = torch.autograd.grad(terms.total, points[0])
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


def region_name(pred, target, teacher, assistance: losses.Assistance) -> str:
    """In words, where a prediction stands with respect to one teacher."""
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
    """A face by its rank, best to worst of the first network, with every network's landmarks.

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
        return figure, f"face {faces.table['id'].iloc[i]}, inter-ocular NME"

    return Explorer(draw, controls)
