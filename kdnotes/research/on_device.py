"""What each precision of an exported network costs and buys, on validation faces.

    python -m kdnotes study on-device --data FACE_SET

Needs the extra `export`. Writes the results that notebook 07 shows.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from tqdm import tqdm

from kdnotes import metrics, models
from kdnotes.course.machine import hardware
from kdnotes.data.faceset import FaceSet
from kdnotes.deploy import precisions
from kdnotes.deploy.crops import plain_crops, rendered_crops
from kdnotes.deploy.export import TOLERANCE, export
from kdnotes.deploy.exported import Exported
from kdnotes.evaluation import cost
from kdnotes.models import zoo

#: Training faces that int8 is fitted to; fewer where one block after the other is.
CALIBRATED, FEW = 128, 32

#: The side at which the time is measured once more: the paper's.
LARGE = 224


def drift(found: np.ndarray, expected: np.ndarray, scheme) -> dict[str, float]:
    """How far points moved: mean, 95 % quantile and largest, as shares of the eyes' distance."""
    moved = metrics.point_errors(found, expected, scheme)
    quantiles = {"drift": moved.mean(), "drift95": np.quantile(moved, 0.95), "most": moved.max()}
    return {name: float(value) for name, value in quantiles.items()}


def calibration(faces: FaceSet, config, n: int) -> np.ndarray:
    """Crops of `n` training faces, evenly spread."""
    train = faces.split("train")
    chosen = np.linspace(0, len(train) - 1, min(n, len(train))).astype(int)
    return plain_crops(train.select(chosen), config)


def of_network(net: models.LandmarkNet, faces: FaceSet, folder: Path) -> list[dict]:
    """A row for PyTorch and for each precision: error, drift, bytes, time of one face."""
    validation = faces.split("validation")
    seen, zoom = plain_crops(validation, net.config), validation.zoom(net.config.crop_margin)
    fitted = calibration(faces, net.config, CALIBRATED)
    expected = np.concatenate([net.read(seen[i : i + 64]) for i in range(0, len(seen), 64)])
    files = {name: export(net, folder / f"{name}.onnx", name, fitted) for name in TOLERANCE}
    networks = {name: Exported(path) for name, path in files.items()}
    ways = {"PyTorch": lambda: net.read(seen[:1])}
    ways |= {name: lambda found=found: found.read(seen[:1]) for name, found in networks.items()}
    taken, rows = cost.taking_turns(ways), []
    for name in ways:
        points = expected if name == "PyTorch" else networks[name].read(seen)
        errors = metrics.nme(points / zoom, validation.landmarks, validation.scheme)
        size = 4 * models.count_parameters(net) if name == "PyTorch" else files[name].stat().st_size
        rows.append(
            {
                "runs as": name,
                "nme": float(errors.mean()),
                "bytes": size,
                "milliseconds": taken[name],
            }
            | drift(points, expected, validation.scheme)
        )
    return rows


def at_side(net: models.LandmarkNet, side: int, folder: Path) -> dict[str, float]:
    """Milliseconds of one crop of that side, by what the network runs as."""
    larger = models.LandmarkNet(replace(net.config, size=side), net.backbone)
    larger.load_state_dict(net.state_dict())
    larger.eval()
    fitted = rendered_crops(FEW, larger.config)
    ways = {"PyTorch": lambda: larger.read(fitted[:1])}
    for name in TOLERANCE:
        found = Exported(export(larger, folder / f"{side}-{name}.onnx", name, fitted))
        ways[name] = lambda found=found: found.read(fitted[:1])
    return cost.taking_turns(ways, rounds=30)


def sensitivity(net: models.LandmarkNet, faces: FaceSet, folder: Path) -> dict[str, dict]:
    """Drift on validation faces when one block alone is computed in 8 bits."""
    validation = faces.split("validation")
    validation = validation.select(np.arange(0, len(validation), max(1, len(validation) // 64)))
    seen, fitted = plain_crops(validation, net.config), calibration(faces, net.config, FEW)
    path = export(net, folder / "whole.onnx")
    expected, model = Exported(path).read(seen), onnx.load(path)
    blocks, found = precisions.blocks(precisions.prepared(model)), {}
    for block in tqdm(blocks, unit=" blocks"):
        others = [node for name, nodes in blocks.items() if name != block for node in nodes]
        (folder / "one.onnx").write_bytes(
            precisions.eight_bits(model, fitted, leave=others).SerializeToString()
        )
        points = Exported(folder / "one.onnx").read(seen)
        found[block] = drift(points, expected, validation.scheme)
    return found


def run(faces: FaceSet) -> dict:
    """All of it for the student and the Tough teacher that ship for this face set; JSON values."""
    shipped, found = zoo.shipped(faces), {}
    for name in ("student-kd", "tough"):
        net = shipped[name]
        with tempfile.TemporaryDirectory() as folder:
            found[name] = {
                "network": net.config.name,
                "size": net.config.size,
                "parameters": models.count_parameters(net),
                "macs": cost.macs(net),
                "rows": of_network(net, faces, Path(folder)),
                f"at {LARGE}": at_side(net, LARGE, Path(folder)),
            }
            if name == "student-kd":
                found[name]["blocks"] = sensitivity(net, faces, Path(folder))
    about = {"faces": len(faces.split("validation")), "split": "validation"}
    return about | {"hardware": hardware(), "networks": found}


def table(found: dict, name: str = "student-kd") -> pd.DataFrame:
    """The rows of one network for people."""
    rows = pd.DataFrame(found["networks"][name]["rows"]).set_index("runs as")
    shown = pd.DataFrame(index=rows.index)
    shown["NME %"] = (100 * rows["nme"]).map("{:.3f}".format)
    for column, title in {"drift": "mean", "drift95": "95 %", "most": "max"}.items():
        shown[f"drift {title}, %"] = (100 * rows[column]).map("{:.3f}".format)
    shown["MB"] = (rows["bytes"] / 1e6).map("{:.2f}".format)
    shown["ms"] = rows["milliseconds"].map("{:.2f}".format)
    faster = rows["milliseconds"]["PyTorch"] / rows["milliseconds"]
    shown["times as fast"] = faster.map("{:.1f}".format)
    return shown


def section(found: dict) -> str:
    """The student's table in Markdown, for the README."""
    shown = table(found).reset_index()
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    machine = found["hardware"]
    return (
        "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
        + f"\n\nDrift: how far points move from their places in 32 bits, % of the eyes' distance. "
        f"{machine['device']}, torch {machine['torch']}."
    )
