"""The arithmetic of the live figures: JavaScript and Python say the same numbers."""

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

import kdnotes
from kdnotes import losses

LIVE = Path(kdnotes.__file__).parent / "plots" / "live"
SETTINGS = {"PAPER": losses.PAPER, "RELEASED": losses.RELEASED}
TERMS = ("total", "main", "tough", "tolerant")

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def in_node(module, expression, data):
    """The value of a JavaScript expression; `m` is a module of the live figures, `x` the data."""
    script = (
        f"import * as m from {json.dumps((LIVE / module).as_uri())};"
        "import fs from 'node:fs';"
        "const x = JSON.parse(fs.readFileSync(0, 'utf8'));"
        f"process.stdout.write(JSON.stringify({expression}));"
    )
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, input=json.dumps(data), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_python(cases, settings):
    pred, target, tough, tolerant = torch.tensor(cases, dtype=torch.float64).T[..., None]
    terms = losses.kd_loss(pred, target, tough, tolerant, settings=settings, reduction="none")
    slopes = losses.kd_loss_grad(pred, target, tough, tolerant, settings=settings, reduction="none")
    found = {}
    for name, how in (("tough", settings.tough), ("tolerant", settings.tolerant)):
        teacher = {"tough": tough, "tolerant": tolerant}[name]
        regions = losses.region(
            pred, target, teacher, beta=how.beta, low_influence=how.low_influence
        )
        found[name] = regions[:, 0].tolist()
    return (
        np.stack([getattr(terms, name)[:, 0] for name in TERMS], axis=1),
        np.stack([getattr(slopes, name)[:, 0] for name in TERMS], axis=1),
        found,
    )


def compare(cases, settings):
    data = {"cases": np.asarray(cases).tolist(), "settings": asdict(settings)}
    found = in_node("kd.js", "x.cases.map(c => m.kdLoss(...c, x.settings))", data)
    values, slopes, regions = in_python(cases, settings)
    for key, expected in (("terms", values), ("slopes", slopes)):
        js = [[case[key][name] for name in TERMS] for case in found]
        np.testing.assert_allclose(js, expected, rtol=0, atol=1e-9)
    for name in ("tough", "tolerant"):
        assert [case["regions"][name] for case in found] == regions[name]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_loss_of_one_coordinate(name):
    """Random places; none is at a jump."""
    compare(np.random.default_rng(0).uniform(-1.5, 1.5, (2000, 4)), SETTINGS[name])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_border_with_numbers_that_are_exact(name):
    """u = 0, b, t, τ and their neighbours, t = 0 too; β is a power of two, so b is exact."""
    settings = SETTINGS[name].assisting(beta=0.25)
    grid = [-1.0, -0.5, -0.25, -0.125, 0.0, 0.125, 0.25, 0.5, 0.75, 1.0]
    cases = [(p, g, a, b) for p in grid for g in (0.0, 0.25) for a in grid for b in grid[::3]]
    compare(cases, settings)
