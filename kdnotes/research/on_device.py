"""What each precision of an exported network costs and buys, on validation faces.

    python -m kdnotes study on-device --data FACE_SET

Needs the extra `export`. Writes the results that notebook 07 shows.
"""

import tempfile
from dataclasses import replace
from functools import partial
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
from kdnotes.evaluation.report import markdown_table, per_cent
from kdnotes.models import zoo

#: Training faces that int8 is calibrated on, and fewer where each block is calibrated alone.
CALIBRATED, FEW = 128, 32

#: Another side in pixels at which the time is measured: the paper's.
LARGE = 224


def drift(points: np.ndarray, expected: np.ndarray, scheme) -> dict[str, float]:
    """How far points moved: mean, 95 % quantile and largest, as shares of the eyes' distance.

    Args:
        points, expected: `(N, L, 2)` in one unit.
        scheme: Of the points.
    """
    moved = metrics.point_errors(points, expected, scheme)
    quantiles = {"drift": moved.mean(), "drift95": np.quantile(moved, 0.95), "most": moved.max()}
    return {name: float(value) for name, value in quantiles.items()}


def calibration(faces: FaceSet, config, n: int) -> np.ndarray:
    """Crops of `n` training faces, evenly spread over the face set.

    Args:
        faces: A whole face set.
        config: Of the network that sees the crops.
        n: Number of faces; fewer where there are not as many.

    Returns:
        `(n, size, size, 3)` uint8.
    """
    train = faces.split("train")
    chosen = np.linspace(0, len(train) - 1, min(n, len(train))).astype(int)
    return plain_crops(train.select(chosen), config)


def of_network(net: models.LandmarkNet, faces: FaceSet, folder: Path) -> list[dict]:
    """Measures a network in PyTorch and in each precision, on validation faces.

    Args:
        net: The network.
        faces: A whole face set.
        folder: For the exported files.

    Returns:
        A row for each: error, drift, bytes, time of one face.
    """
    validation = faces.split("validation")
    crops, zoom = plain_crops(validation, net.config), validation.zoom(net.config.crop_margin)
    calibrated = calibration(faces, net.config, CALIBRATED)
    times = _times(net, folder, calibrated, crops[:1])
    expected = np.concatenate([net.read(crops[i : i + 64]) for i in range(0, len(crops), 64)])
    rows = []
    for name in times:
        points, size = expected, 4 * models.count_parameters(net)
        if name in TOLERANCE:
            path = folder / f"{name}.onnx"
            points, size = Exported(path).read(crops), path.stat().st_size
        errors = metrics.nme(points / zoom, validation.landmarks, validation.scheme)
        rows.append(
            {
                "runs as": name,
                "nme": float(errors.mean()),
                "bytes": size,
                "milliseconds": times[name],
                **drift(points, expected, validation.scheme),
            }
        )
    return rows


def _times(net, folder, calibrated, crop, rounds=60):
    """Median milliseconds of a crop `(1, H, W, 3)` in PyTorch and in each precision.

    The exported networks stay in the folder.
    """
    ways = {"PyTorch": partial(net.read, crop)}
    for name in TOLERANCE:
        exported = Exported(export(net, folder / f"{name}.onnx", name, calibrated))
        ways[name] = partial(exported.read, crop)
    return cost.taking_turns(ways, rounds)


def at_side(net: models.LandmarkNet, side: int, folder: Path) -> dict[str, float]:
    """Milliseconds of one crop of another side, by what the network runs as.

    Args:
        net: The network.
        side: In pixels.
        folder: For the exported files.
    """
    larger = type(net)(replace(net.config, size=side), net.backbone)
    larger.load_state_dict(net.state_dict())
    larger.eval()
    crops = rendered_crops(FEW, larger.config)
    return _times(larger, folder, crops, crops[:1], rounds=30)


def sensitivity(net: models.LandmarkNet, faces: FaceSet, folder: Path) -> dict[str, dict]:
    """Drift on validation faces when one block alone is computed in 8 bits.

    Args:
        net: The network.
        faces: A whole face set.
        folder: For the exported files.

    Returns:
        Name of the block to its `drift`.
    """
    validation = faces.split("validation")
    validation = validation.select(np.arange(0, len(validation), max(1, len(validation) // 64)))
    crops, calibrated = plain_crops(validation, net.config), calibration(faces, net.config, FEW)
    path = export(net, folder / "whole.onnx")
    expected, model = Exported(path).read(crops), onnx.load(path)
    blocks, drifts = precisions.blocks(precisions.prepared(model)), {}
    for block in tqdm(blocks, unit=" blocks"):
        others = [node for name, nodes in blocks.items() if name != block for node in nodes]
        one = folder / "one.onnx"
        onnx.save(precisions.eight_bits(model, calibrated, leave=others), one)
        drifts[block] = drift(Exported(one).read(crops), expected, validation.scheme)
    return drifts


def run(faces: FaceSet) -> dict:
    """Measures the student and the Tough teacher that ship for a face set.

    Returns:
        JSON values: the numbers of each network, number of faces, split and machine.
    """
    shipped, networks = zoo.shipped(faces), {}
    for name in ("student-kd", "tough"):
        net = shipped[name]
        with tempfile.TemporaryDirectory() as folder:
            networks[name] = {
                "network": net.config.name,
                "size": net.config.size,
                "parameters": models.count_parameters(net),
                "macs": cost.macs(net),
                "rows": of_network(net, faces, Path(folder)),
                f"at {LARGE}": at_side(net, LARGE, Path(folder)),
            }
            if name == "student-kd":
                networks[name]["blocks"] = sensitivity(net, faces, Path(folder))
    return {
        "faces": len(faces.split("validation")),
        "split": "validation",
        "hardware": hardware(),
        "networks": networks,
    }


def readable(block: str) -> str:
    """The name of a part of a MobileNetV2 in words, as `sensitivity` and `precisions.blocks` have
    it.

    Examples:
        >>> readable("blocks.1.0"), readable("conv_stem")
        ('stage 1, block 0', 'first convolution')
    """
    kind, *numbers = block.split(".")
    if kind == "blocks" and len(numbers) == 2:
        return f"stage {numbers[0]}, block {numbers[1]}"
    return {"conv_stem": "first convolution", "conv_head": "last convolution"}.get(block, block)


def table(results: dict, name: str = "student-kd") -> pd.DataFrame:
    """The rows of one network as a table for people.

    Args:
        results: What `run` returns.
        name: Of the network.
    """
    rows = pd.DataFrame(results["networks"][name]["rows"]).set_index("runs as")
    milliseconds = rows["milliseconds"]
    return pd.DataFrame(
        {
            "NME %": per_cent(rows["nme"], digits=3),
            "drift mean, %": per_cent(rows["drift"], digits=3),
            "drift 95 %, %": per_cent(rows["drift95"], digits=3),
            "drift max, %": per_cent(rows["most"], digits=3),
            "MB": (rows["bytes"] / 1e6).map("{:.2f}".format),
            "ms": milliseconds.map("{:.2f}".format),
            "times as fast": (milliseconds["PyTorch"] / milliseconds).map("{:.1f}".format),
        }
    )


def section(results: dict) -> str:
    """The student's table in Markdown, for the page of results.

    Args:
        results: What `run` returns.
    """
    shown, machine = table(results).reset_index(), results["hardware"]
    return (
        f"{markdown_table(shown.columns, shown.to_numpy())}\n\n"
        "Drift: how far points move from their places in 32 bits, % of the eyes' distance. "
        f"{machine['device']}, torch {machine['torch']}."
    )
