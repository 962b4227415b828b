"""Runs the whole course: every numbered notebook in order, with its figures, times and results.

    python -m kdnotes course

Under `build/course/<profile>-<faces>/` it leaves each executed notebook, an HTML copy of it, and
`report.json`. A notebook that fails stops the run with the cell and its error; what was finished
before stays. Networks that an earlier run trained are used again, unless `--fresh` is asked for.
"""

import asyncio
import base64
import io
import os
import shutil
import time
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from PIL import Image
from tqdm import tqdm

from kdnotes import inference, plots, profiles, recipes
from kdnotes.evaluation import report
from kdnotes.files import new_file

WIDGET = "application/vnd.jupyter.widget-view+json"


class CourseError(RuntimeError):
    """A notebook did not run to its end."""


def notebooks(folder: str | Path | None = None) -> list[Path]:
    """The numbered notebooks, in order.

    Raises:
        FileNotFoundError: There are none: the command was not started in a checkout.
    """
    folder = Path(folder) if folder else (recipes.checkout() or Path.cwd()) / "notebooks"
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise FileNotFoundError(
            f"no numbered notebooks in {folder}; start this in a checkout of kdnotes"
        )
    return found


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An executed notebook as it is stored: without progress bars, widgets and time stamps.

    Widgets need a live kernel; a static figure stands beside each of them. Figures are
    made smaller, so that a notebook stays small enough for GitHub to show it.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3", "language": "python", "name": "python3"
    }  # fmt: skip
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr" and WIDGET not in output.get("data", {})
            ]
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                _shrink(output.get("data", {}))
    return notebook


def _joined(outputs):
    """Outputs with printed text in one piece, however the kernel happened to send it."""
    joined = []
    for output in outputs:
        if joined and output.get("name") and output.get("name") == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _shrink(data, largest=20_000):
    """Makes a PNG figure of more bytes than `largest` smaller, in the way that suits it.

    Faces shrink most as JPEG, drawings as PNG with a palette.
    """
    png = base64.b64decode(data.get("image/png", ""))
    if len(png) <= largest:
        return
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    jpeg, palette = io.BytesIO(), io.BytesIO()
    picture.save(jpeg, "JPEG", quality=82, optimize=True)
    picture.quantize(128).save(palette, "PNG", optimize=True)
    del data["image/png"]
    best, kind = min(((jpeg, "image/jpeg"), (palette, "image/png")), key=lambda x: x[0].tell())
    data[kind] = base64.b64encode(best.getvalue()).decode()


async def _execute(client, bar):
    """Executes a notebook while the bar's clock goes on."""
    work = asyncio.ensure_future(client.async_execute())
    while not work.done():
        await asyncio.wait([work], timeout=1)
        bar.refresh()
    return work.result()


def _run_notebook(path, bar):
    """Executes one notebook and returns it; a failing cell becomes a CourseError."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise CourseError(f"{path} is not a notebook: {error}") from error
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    bar.reset(total=len(code))
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
    )
    client.on_cell_executed = lambda cell, **_: cell.cell_type == "code" and bar.update()
    try:
        asyncio.run(_execute(client, bar))
    except (CellExecutionError, DeadKernelError) as error:
        failed = next(
            (i for i in code if any(o.output_type == "error" for o in notebook.cells[i].outputs)),
            code[min(int(bar.n), len(code) - 1)],
        )
        raise CourseError(
            f"{path.name}, cell {failed} failed:\n\n{notebook.cells[failed].source}\n\n{error}"
        ) from error
    return tidy(notebook)


def _store(notebook, path):
    """Writes a notebook and its HTML copy."""
    with new_file(path) as part:
        nbformat.write(notebook, part)
    html, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    with new_file(path.with_suffix(".html")) as part:
        part.write_text(html, encoding="utf-8")


def run(
    profile: str | None = None,
    data: str | Path | None = None,
    *,
    fresh: bool = False,
    record: bool = False,
    folder: str | Path | None = None,
) -> Path:
    """Executes the course and returns the folder of its results.

    Args:
        profile: Name of a profile; None chooses by the hardware.
        data: A face set; None means the embedded faces.
        fresh: Train everything again.
        record: Store the results as those that the course shows: the report as package data, and,
            with embedded faces, the executed notebooks in `notebooks/`.
        folder: Of the notebooks; None means those of the checkout we are in.

    Raises:
        CourseError: A notebook failed.
    """
    build = recipes.build_folder().absolute()
    paths = notebooks(folder)
    profile = profile or profiles.current().name
    os.environ["KDNOTES_BUILD"] = str(build)
    os.environ["KDNOTES_PROFILE"] = profile
    os.environ["KDNOTES_DATA"] = str(Path(data).absolute()) if data else ""
    os.environ["PYTHONWARNINGS"] = "ignore"  # a notebook's readers have no use for libraries' notes
    start = time.perf_counter()
    course = recipes.open_course(profile, data)
    print(f"profile {profile}, {len(course.faces)} faces: {course.faces.path}", flush=True)
    if fresh:
        shutil.rmtree(course.folder, ignore_errors=True)
    seconds = {"faces": round(time.perf_counter() - start, 1)}
    out = build / "course" / course.folder.name
    for path in paths:
        began = time.perf_counter()
        form = "{desc} {percentage:3.0f}% |{bar:20}| {n_fmt} of {total_fmt} cells, {elapsed}"
        with tqdm(desc=path.stem, total=1, bar_format=form) as bar:
            _store(_run_notebook(path, bar), out / path.name)
        seconds[path.stem] = round(time.perf_counter() - began, 1)
    results = report.build(course) | {"seconds": seconds}
    report.write(results, out / "report.json")
    _show(results, out)
    if record:
        _record(course, results, out, paths, embedded=not data)
    return out


def _show(results, out):
    """Prints times and results."""
    print()
    for name, value in {**results["seconds"], "in all": sum(results["seconds"].values())}.items():
        print(f"{name:32} {value:7.1f} s")
    print()
    print(report.table(results).to_string())
    print(f"\n{report.caption(results)}\n\nEverything is in {out}")


def _record(course, results, out, paths, embedded):
    """Makes this run the one that the course shows: results, README, and with embedded faces the
    stored notebooks and the README's picture (never with photographs: they show real people)."""
    name = results["data"]["name"]
    report.write(results, report.stored(name))
    readme = paths[0].parents[1] / "README.md"
    text = report.insert(readme.read_text("utf-8"), name, report.section(results))
    with new_file(readme) as part:
        part.write_text(text, encoding="utf-8")
    if not embedded:
        return
    with tqdm(desc="00 again, to show these results", total=1) as bar:
        _store(_run_notebook(paths[0], bar), out / paths[0].name)
    for path in paths:
        shutil.copyfile(out / path.name, path)
    with new_file(paths[0].parent / "figures" / "overview.png") as part:
        overview(course).savefig(part, format="png", dpi=110)


def overview(course: recipes.Course, n: int = 8) -> Figure:
    """Test faces of different people with the landmarks of the KD student and the true ones."""
    test = course.split("test")
    one_each = test.table.drop_duplicates("subject").index[:n].to_numpy()
    faces = test.select(one_each)
    pred = inference.predict(recipes.train_student(course, "kd-paper")[0], faces)
    named = [{"hard": g, "student": p} for g, p in zip(faces.landmarks, pred, strict=True)]
    return plots.face_grid(faces.images[:], named, faces.scheme, columns=n // 2, side=2.2, size=4)
