"""KD-Loss along one coordinate and in the plane (notebook 03)."""

from dataclasses import asdict, replace

import numpy as np
import torch
from matplotlib.figure import Figure
from traitlets import Dict, Int, Unicode

from kdnotes import losses, plots
from kdnotes.plots.live.figure import LiveFigure, Number, number

SETTINGS = {"PAPER": losses.PAPER, "RELEASED": losses.RELEASED}


def _synced(kind, value, **limits):
    return kind(value, **limits).tag(sync=True)


class LossFigure(LiveFigure):
    """A figure of KD-Loss in one of its settings.

    Args:
        released: Let the reader choose between the settings of `SETTINGS`; else there is `PAPER`
            alone, and no choice is shown.

    Attributes:
        setting: "PAPER" or "RELEASED".
    """

    settings = Dict().tag(sync=True)
    setting = _synced(Unicode, "PAPER")

    def __init__(self, *, released: bool = False, **traits):
        names = SETTINGS if released else ("PAPER",)
        settings = {name: asdict(SETTINGS[name]) for name in names}
        super().__init__(settings=settings, **traits)


class OneCoordinate(LossFigure):
    """Truth, student and two teachers on an axis; the teachers' weights, the loss, its slope.

    Attributes:
        pred, target, tough, tolerant: Places on the axis, from -1 to 1.
        alpha_positive, alpha_negative, beta, main_weight: Factors of these constants, the same for
            both teachers.
    """

    module = "coordinate"
    alt = (
        "KD-Loss along one coordinate: the whole loss with its three terms, and its slope, over "
        "the place of the prediction. Truth and both teachers are marked."
    )
    pred, target = _synced(Number, 0.6), _synced(Number, 0.0)
    tough, tolerant = _synced(Number, 0.4), _synced(Number, 0.49)
    alpha_positive, alpha_negative = _synced(Number, 1.0), _synced(Number, 1.0)
    beta, main_weight = _synced(Number, 1.0), _synced(Number, 1.0)

    def chosen(self) -> losses.KDSettings:
        """The settings with their constants multiplied as the sliders say."""
        known = SETTINGS[self.setting]

        def scaled(assistance):
            names = ("alpha_positive", "alpha_negative", "beta")
            constants = {name: getattr(self, name) * getattr(assistance, name) for name in names}
            return replace(assistance, **constants)

        return replace(
            known,
            tough=scaled(known.tough),
            tolerant=scaled(known.tolerant),
            main_weight=self.main_weight * known.main_weight,
        )

    def says(self) -> str:
        values = (self.pred, self.target, self.tough, self.tolerant)
        points = [torch.tensor([value], dtype=torch.float64) for value in values]
        terms = losses.kd_loss(*points, settings=self.chosen())
        slope = losses.kd_loss_grad(*points, settings=self.chosen()).total.item()
        parts = " ".join(
            f"{name} {number(getattr(terms, name), 3, plus=True)}"
            for name in ("main", "tough", "tolerant")
        )
        total = number(terms.total, 3, plus=True)
        return f"loss {total} = {parts}; slope {number(slope, 2, plus=True)}"

    def still(self) -> Figure:
        return plots.kd_curves(
            self.tough,
            self.tolerant,
            target=self.target,
            pred=self.pred,
            settings=self.chosen(),
            top=4.0 if "RELEASED" in self.settings else None,  # it is the steeper one
        )


class Plane(LossFigure):
    """The pull of KD-Loss in the plane, two teachers to drag, and a race of losses.

    Attributes:
        pred_x, pred_y, tough_x, tough_y, tolerant_x, tolerant_y: Places, the truth is at 0, 0.
        steps: How far the race has come.
    """

    module = "plane"
    alt = (
        "The pull of KD-Loss in the plane: arrows towards the truth in the middle, dotted lines at "
        "each teacher's distance on both axes, and the ways of a student under several losses."
    )
    pred_x, pred_y = _synced(Number, 0.5), _synced(Number, 0.3)
    tough_x, tough_y = _synced(Number, 0.1), _synced(Number, 0.2)
    tolerant_x, tolerant_y = _synced(Number, -0.3), _synced(Number, 0.25)
    steps = _synced(Int, 0, min=0)

    def pull(self) -> torch.Tensor:
        """Minus the gradient at the prediction, `(1, 2)`."""
        pred, tough, tolerant = (
            torch.tensor([[getattr(self, f"{name}_{axis}") for axis in "xy"]], dtype=torch.float64)
            for name in ("pred", "tough", "tolerant")
        )
        return -losses.kd_loss_grad(
            pred,
            torch.zeros_like(pred),
            tough,
            tolerant,
            settings=SETTINGS[self.setting],
            reduction="none",
        ).total

    def says(self) -> str:
        x, y = (number(value, 2, plus=True) for value in self.pull()[0].tolist())
        return f"pull at the student: x {x}, y {y}"

    def race(self) -> dict[str, np.ndarray]:
        """The way of the student under each loss, `(steps + 1, 2)`: the whole race."""
        slopes = {
            "L2": lambda p, g, *teachers: 2 * (p - g),
            "L1": lambda p, g, *teachers: torch.sign(p - g),
        }
        for name in self.settings:
            slopes[f"KD-Loss, {name}"] = lambda *points, settings=SETTINGS[name]: (
                losses.kd_loss_grad(*points, settings=settings, reduction="none").total
            )
        slopes["L1 to the Tough teacher"] = lambda p, g, tough, tolerant: torch.sign(p - tough)
        start, *teachers = self._places()
        return {
            name: plots.descend(slope, start, teachers, rate=0.004, steps=250)
            for name, slope in slopes.items()
        }

    def _places(self):
        return [
            (getattr(self, f"{name}_x"), getattr(self, f"{name}_y"))
            for name in ("pred", "tough", "tolerant")
        ]

    def still(self) -> Figure:
        """The whole race, since a still cannot start it."""
        settings = SETTINGS[self.setting]
        return plots.pull_field(*self._places()[1:], settings=settings, ways=self.race())
