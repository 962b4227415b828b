"""One page about the networks of a run: how good, on which faces, at what price.

    page.write(page.build({"student": net, "tough": teacher}, faces), folder)

writes `report.html` from the template `page.html`, its pictures as PNG files, and every number as
`report.json`. With photographs the page shows real people: keep it to yourself.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from kdnotes import metrics, models, plots
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.data.schemes import DISTANCES
from kdnotes.evaluation import breakdown, cost, jitter, report
from kdnotes.evaluation.report import per_cent
from kdnotes.models import inference
from kdnotes.system.files import new_file, write_json
from kdnotes.views import plain_views, to_tensor, warp_images


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        numbers: Every number, as JSON values.
        figures: Name to a figure and its description for readers who cannot see it.
    """

    numbers: dict
    figures: dict[str, tuple[Figure, str]]


def build(
    nets: dict[str, models.LandmarkNet], faces: FaceSet, split: str, *, progress: bool = True
) -> Page:
    """Measures networks on one split.

    Args:
        nets: Name to network. The page is about the first; the others are there to compare. The
            names "student", "plain", "tough" and "tolerant" have their own colours.
        faces: The faces of the split.
        split: Its name, for the text.
        progress: Show a progress bar.
    """
    first = next(iter(nets))
    pred = {name: inference.predict(net, faces) for name, net in nets.items()}
    errors = {name: metrics.nme(p, faces.landmarks, faces.scheme) for name, p in pred.items()}
    points = metrics.point_errors(pred[first], faces.landmarks, faces.scheme).mean(axis=0)
    bar = tqdm(nets.items(), desc="moved crops", unit=" networks", disable=not progress)
    moved = {name: jitter.curve(net, faces) for name, net in bar}
    groups = breakdown.table(pred[first], faces)
    numbers = {
        "about": first,
        "split": split,
        "normaliser": faces.scheme.normaliser,
        "data": report.about_data(faces),
        "crop_margin": {name: net.config.crop_margin for name, net in nets.items()},
        "scores": {name: report.score(p, faces) for name, p in pred.items()},
        "points": points.round(6).tolist(),
        "groups": groups.to_dict("records"),
        "jitter": {name: curve.to_dict("records") for name, curve in moved.items()},
        "cost": cost.costs(nets),
        "hardware": hardware(),
    }
    mean, distance = faces.landmarks.mean(axis=0), faces.scheme.distance
    figures = {
        "curves": (
            plots.error_curves(errors, distance=distance),
            "Share of faces with at most each error.",
        ),
        "points": (
            plots.point_errors(mean, points, faces.scheme),
            f"Mean error of each landmark of {first}, drawn on the mean face.",
        ),
        "faces": (
            _faces(pred, errors, faces),
            f"Best, middle and worst faces of {first}: the labels and the answer of each network.",
        ),
        "jitter": (
            plots.jitter_curves(moved, distance=distance),
            "Error when the crop is shifted and scaled.",
        ),
    }
    return Page(numbers, figures)


def _faces(pred, errors, faces, each=2):
    """Best, middle and worst faces of the first network, two of each."""
    first = next(iter(pred))
    ranking = np.argsort(errors[first])
    middle = max(0, len(ranking) // 2 - 1)
    columns = {
        "best": ranking[:each],
        "middle": ranking[middle : middle + each],
        "worst": ranking[-each:][::-1],
    }
    rows, zoom = np.stack(list(columns.values()), axis=1).ravel(), faces.zoom()
    images = warp_images(to_tensor(faces.images[rows]), plain_views(len(rows), zoom), 160)
    points = {"hard": faces.landmarks} | pred
    shown = [{name: zoom * points[name][row] for name in points} for row in rows]
    names = itertools.cycle(columns)
    titles = [f"{next(names)}: {error:.1%}" for error in errors[first][rows]]
    return plots.face_grid(
        images, shown, faces.scheme, titles=titles, columns=len(columns), side=2.8, size=5
    )


def write(page: Page, folder: str | Path) -> Path:
    """Writes the page into a folder; a page that is there is replaced.

    Returns:
        The HTML file.
    """
    folder = Path(folder)
    for name, (figure, _) in page.figures.items():
        with new_file(folder / f"{name}.png") as part:
            figure.savefig(part, format="png", dpi=130)
    write_json(folder / "report.json", page.numbers)
    with new_file(folder / "report.html") as part:
        part.write_text(_html(page), encoding="utf-8")
    return folder / "report.html"


def _html(page):
    template = Path(__file__).with_name("page.html").read_text("utf-8")
    return jinja2.Template(template, autoescape=True).render(
        numbers=page.numbers,
        figures=page.figures,
        distance=DISTANCES[page.numbers["normaliser"]],
        scores=scores(page.numbers),
        groups=groups(page.numbers),
        prices=prices(page.numbers),
    )


def scores(numbers: dict) -> pd.DataFrame:
    """How good each network is, as a table for people.

    Args:
        numbers: Of a `Page`.

    Returns:
        A row per network; errors in per cent, as text.
    """
    rows = _by_network(numbers["scores"])
    return pd.DataFrame(
        {
            "network": rows["name"],
            "faces": rows["n"],
            "NME %": per_cent(rows["nme"]),
            "median %": per_cent(rows["median"]),
            "FR@10 %": per_cent(rows["fr10"]),
            "95 % interval": report.intervals(rows),
            "AUC@10": rows["auc10"].map("{:.3f}".format),
        }
    )


def groups(numbers: dict) -> pd.DataFrame:
    """Errors of groups of faces, as a table for people.

    Args:
        numbers: Of a `Page`.

    Returns:
        A row per group; errors in per cent, as text.
    """
    rows = pd.DataFrame(numbers["groups"])
    return rows[["by", "group", "faces"]].assign(
        **{
            "NME %": per_cent(rows["nme"]),
            "95 % interval": report.intervals(rows),
            "median %": per_cent(rows["median"]),
        }
    )


def prices(numbers: dict) -> pd.DataFrame:
    """Sizes and times of the networks, as a table for people.

    Args:
        numbers: Of a `Page`.

    Returns:
        A row per network.
    """
    rows = _by_network(numbers["cost"])
    return pd.DataFrame(
        {
            "network": rows["name"],
            "backbone": rows["network"],
            "pixels": rows["pixels"],
            "parameters, M": (rows["parameters"] / 1e6).map("{:.2f}".format),
            "multiply-adds, M": (rows["macs"] / 1e6).map("{:.0f}".format),
            "MB in 16 bits": (rows["bytes"] / 1e6).map("{:.2f}".format),
            "ms a face": rows["milliseconds"].map("{:.1f}".format),
        }
    )


def _by_network(values):
    """A row per network from a dict of dicts; its name is the column "name"."""
    return pd.DataFrame.from_dict(values, orient="index").reset_index(names="name")
