"""One page about the networks of a run: how good, on which faces, at what price.

    page.write(page.build({"student": net, "tough": teacher}, faces), folder)

leaves `report.html`, its pictures as PNG files, and every number in `report.json`. With photographs
the page shows real people: it is made for the reader's own eyes.
"""

import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from kdnotes import metrics, models, plots
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.data.schemes import DISTANCES
from kdnotes.evaluation import breakdown, cost, jitter, report
from kdnotes.models import inference
from kdnotes.system.files import new_file, write_json
from kdnotes.views import plain_views, to_tensor, warp_images


@dataclass(frozen=True)
class Page:
    """Numbers (JSON values) and figures, each with the words for somebody who cannot see it."""

    numbers: dict
    figures: dict[str, tuple[Figure, str]]


def build(
    nets: dict[str, models.LandmarkNet], faces: FaceSet, split: str, *, progress: bool = True
) -> Page:
    """Measures networks on one split.

    Args:
        nets: Name to network; the first is the one that the page is about, the others stand
            beside it. The names "student", "plain", "tough" and "tolerant" have their own colours.
        faces: The faces of the split.
        split: Its name, for the text.
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
        "cost": cost.of(nets),
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
    columns = {"best": ranking[:each], "middle": ranking[middle : middle + each]}
    columns["worst"] = ranking[-each:][::-1]
    zoom = faces.zoom()
    images, shown, titles = [], [], []
    for rows in zip(*columns.values(), strict=True):
        for name, row in zip(columns, rows, strict=True):
            crop = to_tensor(faces.images[[row]])
            images.append(warp_images(crop, plain_views(1, zoom), 160)[0])
            answers = {who: zoom * points[row] for who, points in pred.items()}
            shown.append({"hard": zoom * faces.landmarks[row]} | answers)
            titles.append(f"{name}: {errors[first][row]:.1%}")
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


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 } .wide { overflow-x: auto }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } figure { margin: 1.5rem 0 }
img { max-width: 100%; height: auto } figcaption, .note { color: #555 }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #1b1b1b }
  img { background: #fff } figcaption, .note { color: #bbb } th, td { border-color: #444 } }
"""


def _html(page):
    numbers = page.numbers
    data, pictures = numbers["data"], {}
    for name, (_, words) in page.figures.items():
        words = html.escape(words)
        pictures[name] = (
            f'<figure><img src="{name}.png" alt="{words}"><figcaption>{words}</figcaption></figure>'
        )
    title = html.escape(f"{numbers['about']} on {data['name']}, {numbers['split']} faces")
    labels = f" Labels: {data['labels']}." if data["labels"] else ""
    about = html.escape(
        f"NME divided by the {DISTANCES[numbers['normaliser']]}; {data['points']} points; "
        f"crop: {data['box']} box × {next(iter(numbers['crop_margin'].values()))}; "
        f"split: {data['split_rule']}.{labels}"
    )
    machine = html.escape(", ".join(f"{k} {v}" for k, v in numbers["hardware"].items()))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p class="note">{about}</p>
<h2>How good</h2>{_table(scores(numbers))}
<p class="note">The interval resamples people. FR@10: share of faces with an error above 10 %.</p>
{pictures["curves"]}
<h2>Where</h2>{pictures["points"]}{_table(groups(numbers))}
<p class="note">Groups of few faces, or few people, say little: read the interval.</p>
{pictures["faces"]}
<h2>When the box does not fit</h2>{pictures["jitter"]}
<h2>At what price</h2>{_table(prices(numbers))}
<p class="note">One face on one thread of the CPU, PyTorch; networks took turns. {machine}</p>
</body></html>
"""


def _table(frame):
    return f'<div class="wide">{frame.to_html(index=False, border=0)}</div>'


def scores(numbers: dict) -> pd.DataFrame:
    """The table of scores for people."""
    rows = pd.DataFrame(numbers["scores"]).T
    shown = pd.DataFrame({"network": rows.index, "faces": rows["n"].astype(int).to_numpy()})
    for name, column in (("NME %", "nme"), ("median %", "median"), ("FR@10 %", "fr10")):
        shown[name] = [f"{100 * value:.2f}" for value in rows[column]]
    shown["95 % interval"] = report.intervals(rows)
    shown["AUC@10"] = [f"{value:.3f}" for value in rows["auc10"]]
    return shown


def groups(numbers: dict) -> pd.DataFrame:
    """The table of groups of faces for people."""
    rows = pd.DataFrame(numbers["groups"])
    shown = rows[["by", "group", "faces"]].copy()
    shown["NME %"] = [f"{100 * value:.2f}" for value in rows["nme"]]
    shown["95 % interval"] = report.intervals(rows)
    shown["median %"] = [f"{100 * value:.2f}" for value in rows["median"]]
    return shown


def prices(numbers: dict) -> pd.DataFrame:
    """The table of sizes and times for people."""
    rows = pd.DataFrame(numbers["cost"]).T
    return pd.DataFrame(
        {
            "network": rows.index,
            "backbone": rows["network"].to_numpy(),
            "pixels": rows["pixels"].to_numpy(),
            "parameters, M": [f"{value / 1e6:.2f}" for value in rows["parameters"]],
            "multiply-adds, M": [f"{value / 1e6:.0f}" for value in rows["macs"]],
            "MB in 16 bits": [f"{value / 1e6:.2f}" for value in rows["bytes"]],
            "ms a face": [f"{value:.1f}" for value in rows["milliseconds"]],
        }
    )
