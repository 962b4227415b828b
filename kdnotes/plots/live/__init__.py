"""Figures that live: they run in a notebook, and in a page without a kernel."""

from kdnotes.plots.live.faces import FaceLearns, Failures, ShapeModes
from kdnotes.plots.live.figure import MIME, LiveFigure, bundle, number, page
from kdnotes.plots.live.loss import OneCoordinate, Plane
from kdnotes.plots.live.numbers import SeedsAndPeople, Temperature

__all__ = [
    "MIME", "FaceLearns", "Failures", "LiveFigure", "OneCoordinate", "Plane", "SeedsAndPeople",
    "ShapeModes", "Temperature", "bundle", "number", "page",
]  # fmt: skip
