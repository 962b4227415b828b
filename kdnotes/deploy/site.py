"""Builds the live page, a folder that any static server can serve.

    python -m kdnotes web
    python -m kdnotes web --network student.safetensors

`web/` holds what is written by hand: a page, a style sheet, modules, and a worker that keeps the
page usable without a network connection. This module adds the rest: networks in ONNX, their
description in `student.json`, a rendered film and faces, and onnxruntime-web, which npm installs
from the lock file. Without npm, the page loads the same two files from a public server. Either way
it uses a file only if its hash is right.

The page of a network of one's own has neither film nor faces to try. Where its landmarks are no
face's, it has no face detector either: see `web/places.js`.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

import kdnotes
from kdnotes.data import schemes
from kdnotes.deploy import detect, pictures
from kdnotes.deploy.crops import rendered_crops
from kdnotes.deploy.exported import Exported, metadata_of, open_session
from kdnotes.models import zoo
from kdnotes.system import npm
from kdnotes.system.files import json_text, new_folder

WEB = Path(__file__).parent / "web"

#: Files that are written by hand and copied unchanged.
MODULES = (
    "live.js", "camera.js", "drawing.js", "faces.js", "film.js", "geometry.js", "magnifier.js",
    "networks.js", "places.js", "scores.js", "steady.js",
)  # fmt: skip
PAGE = ("index.html", "style.css", *MODULES, "icon.svg", "manifest.webmanifest", "detector.txt")

#: The runtime's files with their SHA-256, and their address without npm.
RUNTIME = {
    "module": (
        "ort.wasm.bundle.min.mjs",
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    ),
    "wasm": (
        "ort-wasm-simd-threaded.wasm",
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    ),
}
SERVER = "https://cdn.jsdelivr.net/npm/onnxruntime-web@{version}/dist/{name}"

#: Networks that the page shows besides the student, if the extra `export` is installed.
OTHERS = {"plain": "student-plain", "tough": "tough"}

#: How a face is found and followed, see `faces.js`. `sizes` and `photo` are sides of the detector's
#: input, for video and for a photograph. The detector checks the tracked face every `checked`
#: milliseconds, in a square `around` times as large as the crop; where it misses the face, it looks
#: at the next frame too, and the face is lost after `misses` misses in a row.
#: `strange` is how far the shape model may move an answer, in distances between the eyes. Where a
#: face moved by at least `moved` crop widths, the network reads the frame twice.
#:
#: 0.16: of validation faces with crops displaced by up to 10 %, one in a thousand is moved farther.
#: Of empty backgrounds only one in twenty is. The shape alone does not show that a face is gone, so
#: the detector has to.
RULES = {
    "sizes": [224, 160], "photo": [160, 224, 320, 480],
    "checked": 250, "around": 1.7, "misses": 2, "strange": 0.16, "moved": 0.06,
}  # fmt: skip

#: The lowest score of a face.
LEAST = 0.5


def build(
    folder: str | Path,
    data: str = "youtube-faces",
    network: str | Path | None = None,
    *,
    cache: Path,
    use_npm: bool = True,
) -> list[str]:
    """Writes the page into `folder`, which is replaced.

    Args:
        folder: The folder of the page.
        data: What the networks were trained on.
        network: A network of your own in place of the ones that ship: the file of its weights, or
            an ONNX file that `export` wrote.
        cache: Folder for parts that take long to make: exports, film, npm's packages. Later builds
            use them again.
        use_npm: False: do without npm, as where it is not installed.

    Returns:
        Notes on what could be better, a sentence each.

    Raises:
        ModuleNotFoundError: `network` has to be exported, and the extra `export` is missing.
        ValueError: The folder holds something other than such a page, no network ships for `data`,
            or `network` cannot be read.
    """
    folder, notes = Path(folder), []
    if folder.exists() and any(folder.iterdir()) and not (folder / "student.json").exists():
        raise ValueError(f"{folder} is not empty and holds no live page: choose another folder")
    cache.mkdir(parents=True, exist_ok=True)
    with new_folder(folder, replace=True) as part:
        for name in PAGE:
            shutil.copyfile(WEB / name, part / name)
        runtime = _runtime(part, cache, use_npm, notes)
        if network:
            description = _describe_own(part, zoo.find(str(network), data), cache)
        else:
            description = _describe(part, data, cache, notes)
        description["runtime"] = runtime
        description["course"] = _course(folder)
        description["offline"] = [file["url"] for file in _needed(description)]
        text = json_text(description) + "\n"
        (part / "student.json").write_text(text, encoding="utf-8")
        digest = hashlib.sha256(text.encode())
        for name in PAGE:
            digest.update((part / name).read_bytes())
        worker = (WEB / "sw.js").read_text("utf-8").replace("@BUILD@", digest.hexdigest()[:16])
        worker = worker.replace("@PAGE@", json_text(["./", *PAGE[1:], "student.json"]))
        (part / "sw.js").write_text(worker, encoding="utf-8")
    return notes


def _describe(part, data, cache, notes):
    """Puts networks and pictures into the page, and returns what `student.json` says of them."""
    networks = [
        _network(path, part, name, precision)
        for name, precision, path in _networks(data, cache, notes)
    ]
    student = Exported(zoo.exported("student-kd", data)).about
    film, points = pictures.film(cache)
    return _about(student, networks, part) | {
        "text": f"Student: KD-Loss, trained on {student['data']}; labels: {student['labels']}. "
        f"{student['licence']}",
        "film": {"width": pictures.WIDTH, "height": pictures.HEIGHT, "rate": pictures.RATE}
        | {"columns": pictures.COLUMNS, "frames": pictures.FRAMES}
        | {"file": _put(film, part, film.name), "points": _put(points, part, points.name)}
        | {"point_step": pictures.POINT_STEP},
        "samples": [_put(path, part, path.name) for path in pictures.samples(cache)],
    }


def _describe_own(part, network, cache):
    """The same for a network of one's own."""
    if network.suffix.lower() != ".onnx":
        network = _exported_own(network, cache)
    student = Exported(network).about
    precision = student["precision"]
    about = _about(student, [_network(network, part, "student", precision)], part)
    n, name = student["config"]["n_points"], student["name"] or network.stem
    return about | {
        "title": f"{name}, live",
        "lead": f"A small network finds {n} landmarks in every picture.",
        "text": student["licence"],
        "film": None,
        "samples": [],
    }


def _about(student, networks, part):
    """What the page has to know of a student, for people's faces or another thing."""
    scheme = schemes.from_json(student["scheme"])
    about = {
        "unit": student["unit"],
        "edges": scheme.edges,
        "names": scheme.names,
        "rules": RULES,
        "networks": networks,
        "detector": None,
    }
    if scheme.interocular and networks[0]["box"] == "landmarks":
        eyes = [points[0] for points in scheme.interocular]
        about["rules"] = RULES | {"eyes": eyes, "shapes": student["shapes"]}
        about["detector"] = (
            _put(detect.MODEL, part, "detector.onnx")
            | metadata_of(open_session(detect.MODEL))
            | {"least": LEAST}
        )
    return about


def _network(path, part, name, precision):
    """Puts a network into the page, and returns what is said of it."""
    config = Exported(path).config
    return (
        {"name": name, "precision": precision}
        | _put(path, part, f"{name}-{precision}.onnx")
        | {"size": config.size, "margin": config.crop_margin}
        | {"box": config.box}
    )


def _course(folder):
    """Address of the course: the web book around the page, else the repository."""
    if (folder.parent / "book" / "index.html").is_file():
        return "../book/index.html"
    try:
        addresses = importlib.metadata.metadata("kdnotes").get_all("Project-URL", [])
    except importlib.metadata.PackageNotFoundError:  # a copy that is not installed
        addresses = []
    return dict(address.split(", ", 1) for address in addresses).get("Repository")


def _needed(description):
    """The files without which the page does not work."""
    networks, film = description["networks"], description["film"]
    first = [net for net in networks if net["precision"] == "fp16"] or networks
    files = [*description["runtime"].values(), first[0], description["detector"]]
    files += [film and film["file"], film and film["points"], *description["samples"]]
    return [file for file in files if file]


def _put(path, folder, name):
    """Copies a file into the page; returns its address, hash and size."""
    content = path.read_bytes()
    (folder / name).write_bytes(content)
    return {"url": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _networks(data, cache, notes) -> Iterator[tuple[str, str, Path]]:
    """Name, precision and file of each network of the page."""
    ready = zoo.exported("student-kd", data)
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        notes.append(
            "one network in one precision: the others are exported with the extra export "
            '(pip install "kdnotes[export]")'
        )
        yield "student", "fp16", ready
        return
    wanted = [("student", "student-kd", precision) for precision in ("fp32", "fp16", "int8")]
    wanted += [(name, shipped, "fp16") for name, shipped in OTHERS.items()]
    for name, shipped, precision in tqdm(wanted, desc="export", unit=" networks"):
        path = ready
        if (name, precision) != ("student", "fp16"):
            path = _exported(shipped, data, precision, cache)
        yield name, precision, path


def _exported(name, data, precision, cache):
    """The file of a network in a precision, exported once."""
    from kdnotes.deploy.export import export

    digest = zoo.index()[f"{name}--{data}.safetensors"]["sha256"][:12]
    path = cache / f"{name}-{precision}-{kdnotes.__version__}-{digest}.onnx"
    if not path.exists():
        net = zoo.load(name, data)
        faces = rendered_crops(96, net.config) if precision == "int8" else None
        export(net, path, precision, faces)
    return path


def _exported_own(network, cache):
    """The ONNX file of a network of one's own, exported once."""
    from kdnotes import models
    from kdnotes.deploy.export import export

    net = models.load(network)
    digest = hashlib.sha256(network.read_bytes()).hexdigest()[:12]
    path = cache / f"own-{kdnotes.__version__}-{digest}.onnx"
    if not path.exists():
        export(net, path, "fp16")
    return path


def _runtime(part, cache, use_npm, notes):
    """onnxruntime-web's two files: in the page's folder, or on a public server."""
    package = json.loads((WEB / "package.json").read_text("utf-8"))
    version = package["dependencies"]["onnxruntime-web"]
    installed = cache / f"npm-{version}"
    reason = npm.locked(WEB, installed) if use_npm else "npm is not used"
    if reason:
        notes.append(f"the page takes onnxruntime-web from a public server, since {reason}")
    files = {}
    for kind, (name, sha256) in RUNTIME.items():
        url = SERVER.format(version=version, name=name)
        if not reason:
            copy = _put(installed / "node_modules" / "onnxruntime-web" / "dist" / name, part, name)
            if copy["sha256"] != sha256:
                raise ValueError(f"{name} from npm has SHA-256 {copy['sha256']}, expected {sha256}")
            url = name
        files[kind] = {"url": url, "sha256": sha256}
    return files
