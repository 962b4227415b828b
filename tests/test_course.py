"""The course runner, on notebooks of a few lines."""

import base64
import io
import json
import os

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from kdnotes import plots
from kdnotes.plots.live import MIME
from kdnotes.publish import html_copy, run, tidy
from kdnotes.publish.run import CourseError


def write_notebook(path, *sources, title="# A notebook"):
    cells = [new_markdown_cell(title), *(new_code_cell(source) for source in sources)]
    nbformat.write(new_notebook(cells=cells), path)


@pytest.fixture
def folder(tmp_path):
    """Notebooks: one that works and one that fails in its second code cell, and other files."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_notebook(folder / "01_second.ipynb", "x = 1", "raise KeyError('no such thing')", "x = 2")
    first = "import os\nprint(os.environ['KDNOTES_PROFILE'], os.environ['KDNOTES_DATA'])"
    write_notebook(folder / "00_first.ipynb", first, "print(os.path.basename(os.getcwd()))")
    write_notebook(folder / "draft.ipynb", "1 / 0")
    write_notebook(folder / "appendix_more.ipynb", "1 / 0")
    return folder


@pytest.fixture
def build(trained_course, monkeypatch, tmp_path):
    """An environment in which the runner finds trained networks, restored afterwards."""
    for name in ("KDNOTES_PROFILE", "KDNOTES_DATA", "PYTHONWARNINGS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    folder = trained_course[0].folder.parents[1]
    monkeypatch.setenv("KDNOTES_BUILD", str(folder))
    yield folder


# --- finding, tidying ----------------------------------------------------------------------------


def test_notebooks_are_the_numbered_ones_in_order(folder):
    assert [path.name for path in run.notebooks(folder)] == [
        "00_first.ipynb",
        "01_second.ipynb",
    ]


def test_appendices_are_beside_them(folder):
    assert [path.name for path in run.appendices(folder)] == ["appendix_more.ipynb"]


def test_notebooks_are_those_of_the_checkout_wherever_results_go(folder, monkeypatch, tmp_path):
    (tmp_path / "kdnotes").mkdir()
    (tmp_path / "kdnotes" / "__init__.py").touch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KDNOTES_BUILD", str(tmp_path / "far" / "away"))
    assert run.notebooks()[0] == folder / "00_first.ipynb"


def test_without_notebooks_the_sentence_says_where_to_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no numbered notebooks in .*; start this in a"):
        run.notebooks()


def test_tidy_takes_out_what_cannot_be_stored():
    widget = {tidy.WIDGET: {"model_id": "abc"}, "text/plain": "IntSlider(value=3)"}
    outputs = [
        new_output("stream", name="stderr", text="  0%|   | 0/10"),
        new_output("stream", name="stdout", text="NME 5 %"),
        new_output("display_data", data=widget),
        new_output("display_data", data={"text/plain": "<Figure>", "image/png": "aaaa"}),
        new_output("display_data", data=widget | {MIME: "{}", "image/png": "aaaa"}),
    ]
    cell = new_code_cell("fit()", outputs=outputs, metadata={"execution": {"a": "now"}, "tags": []})
    metadata = {
        "widgets": {"application/vnd.jupyter.widget-state+json": {}},
        "kernelspec": {"name": "my-env", "display_name": "mine", "language": "python"},
        "language_info": {"name": "python", "version": "3.99"},
    }
    found = tidy.tidy(new_notebook(cells=[new_markdown_cell("a"), cell], metadata=metadata))
    nbformat.validate(found)
    assert found.metadata.kernelspec.name == "python3"
    assert found.metadata.language_info == {"name": "python"}
    assert "widgets" not in found.metadata and "execution" not in found.cells[1].metadata
    kinds = [output.output_type for output in found.cells[1].outputs]
    assert kinds == ["stream", "display_data", "display_data"]
    assert found.cells[1].outputs[0].text == "NME 5 %"
    assert "image/png" in found.cells[1].outputs[1].data
    assert set(found.cells[1].outputs[2].data) == {MIME, "image/png", "text/plain"}


@pytest.mark.parametrize("allowed, kind", [(255, "image/png"), (0, "image/jpeg")])
def test_a_palette_is_used_only_where_it_changes_no_colour_by_much(allowed, kind, monkeypatch):
    """Colours tell networks apart; 256 are not enough for noise, though its file is smaller."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    data = {"image/png": base64.b64encode(stream.getvalue()).decode()}
    monkeypatch.setattr(tidy, "PALETTE_ERROR", allowed)
    tidy._shrink(data)
    assert list(data) == [kind]


@pytest.mark.parametrize("most, kind", [(10**6, "image/svg+xml"), (100, "image/png")])
def test_a_drawing_is_stored_as_lines_unless_they_are_too_many(most, kind, monkeypatch):
    figure, axes = plots.new_figure(3, 2)
    axes[0, 0].plot([0, 1])
    data = {"image/png": "", **figure._repr_mimebundle_()}
    monkeypatch.setattr(tidy, "LARGEST_SVG", most)
    tidy._keep_one(data)
    assert list(data) == [kind]
    axes[0, 0].imshow(np.zeros((2, 2)))
    assert figure._repr_mimebundle_() == {}, "a picture has pixels"


# --- running -------------------------------------------------------------------------------------


def test_failing_notebook_names_cell_and_error_and_keeps_what_was_finished(
    folder, build, small_faces
):
    with pytest.raises(CourseError) as caught:
        run.run("tiny", small_faces.path, folder=folder)
    message = str(caught.value)
    assert message.startswith("01_second.ipynb, cell 2 failed:")
    assert "raise KeyError('no such thing')" in message and "no such thing" in message
    out = build / "course" / f"tiny-drawn-{small_faces.fingerprint[:8]}"
    names = sorted(path.name for path in out.iterdir())
    assert names == ["00_first.html", "00_first.ipynb"], "finished stays, half-done is not there"
    done = nbformat.read(out / "00_first.ipynb", as_version=4)
    nbformat.validate(done)
    assert done.cells[1].outputs[0].text == f"tiny {small_faces.path}\n"
    assert done.cells[2].outputs[0].text == "notebooks\n", "it runs in its own folder"
    assert "A notebook" in (out / "00_first.html").read_text("utf-8")
    before = nbformat.read(folder / "00_first.ipynb", as_version=4)
    assert not before.cells[1].outputs, "the stored notebooks are left alone"


def test_whole_run_leaves_report_times_and_table(folder, build, small_faces, capsys):
    """The same folder again, the failing notebook mended: from the start to the report."""
    write_notebook(folder / "01_second.ipynb", "x = 1")
    out = run.run("tiny", small_faces.path, folder=folder)
    assert sorted(path.name for path in out.iterdir()) == [
        "00_first.html",
        "00_first.ipynb",
        "01_second.html",
        "01_second.ipynb",
        "report.json",
    ]
    results = json.loads((out / "report.json").read_text())
    assert list(results["seconds"]) == ["faces", "00_first", "01_second"]
    assert list(results["memory_gb"]) == ["00_first", "01_second"]
    assert len(results["scores"]) == 12
    printed = capsys.readouterr().out
    for part in ("60 faces", "00_first", "in all", "KD student", "inter-ocular", str(out)):
        assert part in printed


def test_dead_kernel_names_the_notebook(folder, build, small_faces):
    write_notebook(folder / "00_first.ipynb", "import os", "os._exit(3)")
    with pytest.raises(CourseError, match=r"(?s)00_first\.ipynb, cell 2 failed:\s+os\._exit\(3\)"):
        run.run("tiny", small_faces.path, folder=folder)


def test_notebook_that_is_none(folder, build, small_faces):
    (folder / "00_first.ipynb").write_text("{half a noteb")
    with pytest.raises(CourseError, match=r"00_first\.ipynb is not a notebook"):
        run.run("tiny", small_faces.path, folder=folder)


def test_bad_face_set_stops_before_anything_runs(folder, build, tmp_path):
    with pytest.raises(ValueError, match="no face set at"):
        run.run("tiny", tmp_path / "nowhere", folder=folder)
    with pytest.raises(ValueError, match="no profile is called 'huge'"):
        run.run("huge", folder=folder)


def test_fresh_trains_again(folder, build, small_faces, monkeypatch):
    """Only what belongs to this profile and these faces is thrown away."""
    removed = []
    monkeypatch.setattr(run.shutil, "rmtree", lambda path, **more: removed.append(path))
    with pytest.raises(CourseError):
        write_notebook(folder / "00_first.ipynb", "1 / 0")
        run.run("tiny", small_faces.path, folder=folder, fresh=True)
    assert removed[0] == build / "runs" / f"tiny-drawn-{small_faces.fingerprint[:8]}"


@pytest.mark.parametrize("writer", ["notebook", "page"])
def test_interrupted_while_storing_leaves_no_half_file(tmp_path, monkeypatch, writer):
    notebook = new_notebook(cells=[new_code_cell("1")])

    def half(notebook, part):
        part.write_text("{")
        raise KeyboardInterrupt

    def stopped(notebook, name):
        raise KeyboardInterrupt

    if writer == "page":
        monkeypatch.setattr(html_copy, "html_copy", stopped)
    else:
        monkeypatch.setattr(nbformat, "write", half)
    with pytest.raises(KeyboardInterrupt):
        html_copy.store(notebook, tmp_path / "00_first.ipynb")
    left = [path.name for path in tmp_path.iterdir()]
    assert left == (["00_first.ipynb"] if writer == "page" else [])
