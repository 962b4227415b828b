"""Without a home, a cache, a network or the right to write beside the package, everything works
that needs none of them."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path

import pytest

import kdnotes

ROOT = Path(__file__).parents[1]
NOWHERE = {
    "HOME": "/dev/null/x",
    "XDG_CACHE_HOME": "/dev/null/x",
    "TORCH_HOME": "/dev/null/x",
    "HF_HOME": "/dev/null/x",
    "HF_HUB_OFFLINE": "1",
    "MPLCONFIGDIR": "/dev/null/x",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "KDNOTES_CACHE": "",
}

LOCAL = """
    import sys
    from pathlib import Path
    import kdnotes
    from kdnotes import models
    from kdnotes.deploy.predict import predict_files
    from kdnotes.data.prepare import prepare_synthetic
    from PIL import Image
    here = Path(sys.argv[1])
    faces = prepare_synthetic(here / "faces", 3, size=56, progress=False)
    models.save(models.create("mobilenetv3_small_050", 68, size=32), here / "network")
    Image.fromarray(faces.images[0]).save(here / "photo.png")
    net = models.load(here / "network.safetensors")
    done = predict_files([here / "photo.png"], net, here / "out", whole=True)
    print("predicted", [line for found, line in done if found])
"""


def run(script, *args, cwd=None, **variables):
    """A Python process without a home."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, args)],
        cwd=cwd,
        env=os.environ | NOWHERE | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name == "nt", reason="/dev/null/x is a path that cannot be made on Unix")
def test_local_work_needs_no_home_and_no_network(tmp_path):
    done = run(LOCAL, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "predicted ['" in done.stdout


SILENT = """
    import os, sys
    from pathlib import Path
    from PIL import Image
    from kdnotes.commands import app
    from kdnotes.data import synthetic
    here = Path(sys.argv[1])
    Image.fromarray(synthetic.render_face(124, 120)[0]).save(here / "face.png")
    try:
        app.main(["predict", str(here / "face.png"), "--out", str(here / "out")])
    except SystemExit as end:
        print("variable", os.environ["ORT_DISABLE_TELEMETRY"])
        raise
"""


def test_nothing_is_left_at_home_and_nothing_reported(tmp_path):
    """onnxruntime would keep an id of the machine there, and send how it is used to its makers."""
    if importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("needs the extra export")
    (tmp_path / "home").mkdir()
    env = os.environ | dict.fromkeys(("HOME", "USERPROFILE"), str(tmp_path / "home"))
    env = {name: env[name] for name in env.keys() - {"XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY"}}
    script = [sys.executable, "-c", textwrap.dedent(SILENT), tmp_path]
    done = subprocess.run(script, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""
    assert "1 face →" in done.stdout and "variable 1" in done.stdout
    assert not list((tmp_path / "home").rglob("*"))


@pytest.mark.parametrize("own", [None, "true"])
def test_a_reader_may_choose_what_is_reported(own):
    """Also where there is no home."""
    unset = {"HOME", "USERPROFILE", "XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"ORT_DISABLE_TELEMETRY": own} if own else {}
    code = "import os, kdnotes.deploy; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == (own or "1"), done.stderr


def test_onnxruntime_is_imported_where_its_reports_are_switched_off():
    """In `kdnotes.deploy`, whose first import sets the variable; nowhere else."""
    package = Path(kdnotes.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert users and {name.split("/")[0] for name in users} == {"deploy"}


def test_a_torchvision_of_another_torch_is_said_late_and_by_name(tmp_path):
    """It dies at import with an operator's name; what needs no network is not touched."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    script = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import kdnotes
        from kdnotes import asm, losses, views
        from kdnotes.course import machine
        from kdnotes.data import schemes
        from kdnotes.commands.app import main
        print(machine.describe())
        main(["student", "--loss", "l1", "--profile", "tiny"])
    """
    done = run(script, tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "profile" in done.stdout
    for name in ("torch", "torchvision"):
        assert f"{name} {version(name)}" in done.stderr
    assert "pip install" in done.stderr and "nms" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="/dev/null/x is a path that cannot be made on Unix")
def test_only_a_download_needs_the_cache_and_names_the_way_out(tmp_path):
    script = """
        import sys
        from kdnotes.commands.app import main
        main(["data", "prepare", "cofw", "--out", sys.argv[1]])
    """
    done = run(script, tmp_path / "set")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "KDNOTES_CACHE" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="folders become read-only in another way there")
def test_a_read_only_installation_is_enough(tmp_path, small_faces):
    """As on a JupyterHub: a folder to work in is all that a learner may write to."""
    script = """
        import sys
        from pathlib import Path
        import kdnotes
        from kdnotes.course import machine, recipes
        from kdnotes.models import zoo
        from kdnotes.plots import live
        assert Path(kdnotes.__file__).parents[1] == Path(sys.argv[1])
        print(machine.describe())
        course = recipes.open_course("tiny", sys.argv[2], progress=False)
        course.folder.mkdir(parents=True)
        assert zoo.load("student-kd", "synthetic")
        live.OneCoordinate().tough = 0.2
        assert course.folder.parents[1] == recipes.build_folder() == Path.cwd() / "kdnotes-build"
    """
    installed, work = tmp_path / "installed", tmp_path / "work"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kdnotes", installed / "kdnotes", ignore=ignore)
    work.mkdir()
    folders = [installed, *(path for path in installed.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)  # root may write all the same, so what is there is compared, too
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*")}
    here = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "KDNOTES_BUILD": ""}
    done = run(script, installed, small_faces.path, cwd=work, **here)
    for folder in folders:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*")} == before
    assert [path.name for path in work.iterdir()] == ["kdnotes-build"]
