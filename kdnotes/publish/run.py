"""Runs the whole course: every numbered notebook in order, with its figures, times and results.

    python -m kdnotes course

`build/course/<profile>-<faces>/` then holds each executed notebook, an HTML copy of it, and
`report.json`. A notebook that fails stops the run, and the error names the cell. Notebooks that
were finished before stay. Networks from an earlier run are used again, unless `--fresh` is given.

The appendices are not part of a run. `--record` executes them after the course, to store them, too.
"""

import asyncio
import contextlib
import os
import shutil
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

from kdnotes.course import profiles, recipes
from kdnotes.evaluation import published, report
from kdnotes.evaluation.marks import marks
from kdnotes.publish.html_copy import store
from kdnotes.publish.record import record_run
from kdnotes.publish.tidy import tidy


class CourseError(RuntimeError):
    """A notebook could not be run to its end."""


def notebooks(folder: str | Path | None = None) -> list[Path]:
    """The numbered notebooks, in order.

    Args:
        folder: Their folder. None: that of the current checkout.

    Raises:
        FileNotFoundError: There are none, since the command was not started in a checkout.
    """
    folder = Path(folder) if folder else (recipes.checkout() or Path.cwd()) / "notebooks"
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise FileNotFoundError(
            f"no numbered notebooks in {folder}; start this in a checkout of kdnotes"
        )
    return paths


def appendices(folder: Path) -> list[Path]:
    """The appendices, which lie beside the numbered notebooks."""
    return sorted(folder.glob("appendix_*.ipynb"))


def _kernel_environment(profile, data):
    """Environment of a notebook's kernel: its folders and data, and no warnings of libraries."""
    return os.environ | {
        "KDNOTES_BUILD": str(recipes.build_folder().absolute()),
        "KDNOTES_PROFILE": profile,
        "KDNOTES_DATA": str(Path(data).absolute()) if data else "",
        "PYTHONWARNINGS": "ignore",
    }


async def _execute(client, bar, environment):
    """Executes a notebook and keeps the bar's clock running; returns the peak memory in bytes."""
    work, peak = asyncio.ensure_future(client.async_execute(env=environment)), 0
    while not work.done():
        await asyncio.wait([work], timeout=1)
        bar.refresh()
        peak = max(peak, _memory_of_children())
    work.result()
    return peak


def _memory_of_children():
    """Memory of the kernel and its workers in bytes."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += child.memory_info().rss
    return total


def _read(path):
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise CourseError(f"{path} is not a notebook: {error}") from error


def execute(
    notebook: nbformat.NotebookNode, path: Path, bar: tqdm, *, profile: str, data: str | Path
) -> tuple[nbformat.NotebookNode, int]:
    """Executes a notebook in the folder of `path`.

    Args:
        notebook: The notebook; it is changed in place.
        path: Its file, which is not written.
        bar: Shows the number of executed cells.
        profile, data: For its kernel. No data means the embedded faces.

    Returns:
        The tidied notebook, and its peak memory in bytes.

    Raises:
        CourseError: A cell failed; the message shows it.
    """
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    bar.reset(total=len(code))
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=40"],  # no warning about TCP
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
    )
    client.on_cell_executed = lambda cell, **_: cell.cell_type == "code" and bar.update()
    try:
        peak = asyncio.run(_execute(client, bar, _kernel_environment(profile, data)))
    except (CellExecutionError, DeadKernelError) as error:
        failed = next(
            (i for i in code if any(o.output_type == "error" for o in notebook.cells[i].outputs)),
            code[min(int(bar.n), len(code) - 1)],
        )
        raise CourseError(
            f"{path.name}, cell {failed} failed:\n\n{notebook.cells[failed].source}\n\n{error}"
        ) from error
    return tidy(notebook), peak


def run(
    profile: str | None = None,
    data: str | Path | None = None,
    *,
    fresh: bool = False,
    record: bool = False,
    folder: str | Path | None = None,
) -> Path:
    """Executes the course.

    Args:
        profile: Name of a profile. None chooses by the hardware.
        data: A face set. None means the embedded faces.
        fresh: Train everything again.
        record: Store the results as those that the course shows: the report as package data and,
            with embedded faces, the executed notebooks and appendices in `notebooks/`.
        folder: Folder of the notebooks. None: that of the current checkout.

    Returns:
        The folder of the results.

    Raises:
        CourseError: A notebook failed.
    """
    build = recipes.build_folder().absolute()
    paths = notebooks(folder)
    profile, data = profile or profiles.current().name, data or ""
    start = time.perf_counter()
    course = recipes.open_course(profile, data)
    print(f"profile {profile}, {len(course.faces)} faces: {course.faces.path}", flush=True)
    if fresh:
        shutil.rmtree(course.folder, ignore_errors=True)
    out = build / "course" / course.folder.name
    seconds, memory = {"faces": round(time.perf_counter() - start, 1)}, {}

    def run_notebook(path, description):
        began = time.perf_counter()
        form = "{desc} {percentage:3.0f}% |{bar:20}| {n_fmt} of {total_fmt} cells, {elapsed}"
        with tqdm(desc=description, total=1, bar_format=form) as bar:
            executed, peak = execute(_read(path), path, bar, profile=profile, data=data)
            executed.metadata["kdnotes"] = {"profile": profile, "faces": course.faces.name}
            store(executed, out / path.name)
        return round(time.perf_counter() - began, 1), round(peak / 1e9, 2)

    for path in paths:
        seconds[path.stem], memory[path.stem] = run_notebook(path, path.stem)
    results = report.build(course) | {"seconds": seconds, "memory_gb": memory}
    report.write(results, out / "report.json")
    _show(results, out)
    if record:
        if not data:  # notebook 00 shows the results: once more, with those of this run
            report.write(results, report.stored(results["data"]["name"]))
            run_notebook(paths[0], "00 again, to show these results")
            for path in appendices(paths[0].parent):
                seconds[path.stem], memory[path.stem] = run_notebook(path, path.stem)
                paths = [*paths, path]
        record_run(course, results, out, paths)
    return out


def _show(results, out):
    """Prints times and results."""
    print()
    for name, value in {**results["seconds"], "in all": sum(results["seconds"].values())}.items():
        line = f"{name:32} {value:7.1f} s"
        if name in results["memory_gb"]:
            line += f" {results['memory_gb'][name]:6.1f} GB"
        print(line)
    print()
    print(report.table(results).to_string())
    print(f"\n{report.caption(results)}\n")
    print(*marks(results), sep="\n")
    subsets, beside = report.subset_table(results), published.beside(results)
    if len(subsets):
        print(f"\nNME % by subset\n{subsets.to_string()}")
    if len(beside):
        print(f"\nBeside what is published\n{beside.to_string()}\n{published.NOT_COMPARABLE}")
    print(f"\nEverything is in {out}")
