"""The live page as a folder that any static server can carry.

    python -m kdnotes web

What is written by hand lies in `web/`: a page, a style sheet, one module, a worker that keeps the
page for times without a network. Here the rest is put beside it: networks in ONNX, what they need
(`student.json`), a rendered film and faces, and onnxruntime-web, which npm fetches as the lock file
says. Where npm is not there, the page takes the same two files from a public server; either way it
uses a file only if its hash is right.
"""

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import kdnotes
from kdnotes.data import schemes, synthetic
from kdnotes.data.synthetic.film import render_film
from kdnotes.deploy.crops import rendered_crops
from kdnotes.deploy.exported import Exported, about_of
from kdnotes.models import zoo
from kdnotes.system import npm
from kdnotes.system.files import json_text, new_file, new_folder

WEB = Path(__file__).parent / "web"

#: Written by hand and copied as they are.
PAGE = ("index.html", "style.css", "live.js", "icon.svg", "manifest.webmanifest")

#: The runtime's files with their SHA-256, and where they are without npm.
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

#: What the page shows besides the student, where the extra `export` is installed.
OTHERS = {"plain": "student-plain", "tough": "tough"}

#: The film: frames, frames a second, pixels, frames side by side; and whose.
FRAMES, RATE, WIDTH, HEIGHT, COLUMNS, PERSON = 84, 12, 400, 300, 7, 1

#: Rendered faces to try, and their pixels.
SAMPLES, SAMPLE_SIZE = (124, 144, 152, 44, 24, 188), 320

#: How a face is found and followed, see `live.js`: sides of the detector's input, for a moving
#: picture and for a photo; how many frames lie between two looks of the detector at the track, how
#: much larger than the crop is what it sees, how often it may miss; how far the shape model may
#: move an answer, in eye distances; and from which movement on, in crop widths, the network looks
#: at a frame twice. (0.16: of validation faces whose crops stray by up to 10 % one
#: in a thousand is moved farther. Of empty backgrounds only one in twenty is, so the shape alone
#: does not say that a face is gone: the detector does.)
RULES = {
    "sizes": [224, 160], "photo": [160, 224, 320, 480],
    "checked": 5, "around": 1.7, "misses": 2, "strange": 0.16, "moved": 0.06,
}  # fmt: skip

#: The least score of a face.
LEAST = 0.5


def build(
    folder: str | Path, data: str = "youtube-faces", *, cache: Path, use_npm: bool = True
) -> list[str]:
    """Writes the page into `folder`, which is replaced.

    Args:
        data: What the networks were trained on.
        cache: Folder for what takes long to make (exports, film, npm's packages) and is used again.
        use_npm: False: do without, as where it is not installed.

    Returns:
        What is not as it could be, a sentence each.

    Raises:
        ValueError: The folder holds something else than a page of this kind, or nothing ships for
            `data`.
    """
    folder, notes = Path(folder), []
    if folder.exists() and any(folder.iterdir()) and not (folder / "student.json").exists():
        raise ValueError(f"{folder} is not empty and holds no live page: choose another folder")
    cache.mkdir(parents=True, exist_ok=True)
    with new_folder(folder, replace=True) as part:
        for name in PAGE:
            shutil.copyfile(WEB / name, part / name)
        runtime = _runtime(part, cache, use_npm, notes)
        about = _about(part, data, cache, notes)
        about |= {"runtime": runtime}
        first = next(net for net in about["networks"] if net["precision"] == "fp16")
        files = [*runtime.values(), first, about["detector"], about["film"]["file"]]
        about["offline"] = [file["url"] for file in [*files, *about["samples"]]]
        text = json_text(about) + "\n"
        (part / "student.json").write_text(text, encoding="utf-8")
        digest = hashlib.sha256(text.encode())
        for name in PAGE:
            digest.update((part / name).read_bytes())
        worker = (WEB / "sw.js").read_text("utf-8").replace("@BUILD@", digest.hexdigest()[:16])
        (part / "sw.js").write_text(worker, encoding="utf-8")
    return notes


def _about(part, data, cache, notes):
    """Puts the networks and pictures into the page; what `student.json` says of them."""
    networks = []
    for name, precision, path in _networks(data, cache, notes):
        file = _put(path, part, f"{name}-{precision}.onnx")
        config = Exported(path).config
        kind = {"name": name, "precision": precision}
        networks.append(kind | file | {"size": config.size, "margin": config.crop_margin})
    student = Exported(zoo.exported("student-kd", data)).about
    scheme = schemes.from_json(student["scheme"])
    left, right = (points[0] for points in scheme.interocular)
    detector = _put(WEB / "detector.onnx", part, "detector.onnx")
    film, samples = _film(cache), _samples(cache)
    return {
        "text": f"Student: KD-Loss, trained on {student['data']}; labels: {student['labels']}. "
        f"{student['licence']}",
        "unit": student["unit"],
        "edges": scheme.edges,
        "rules": RULES | {"eyes": [left, right], "shapes": student["shapes"]},
        "networks": networks,
        "detector": detector | about_of(WEB / "detector.onnx") | {"least": LEAST},
        "film": {"width": WIDTH, "height": HEIGHT, "columns": COLUMNS, "frames": FRAMES}
        | {"rate": RATE, "file": _put(film, part, film.name)},
        "samples": [_put(path, part, path.name) for path in samples],
    }


def _put(path, folder, name):
    content = path.read_bytes()
    (folder / name).write_bytes(content)
    return {"url": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _networks(data, cache, notes) -> Iterator[tuple[str, str, Path]]:
    """Kind, precision and file of each network of the page."""
    ready = zoo.exported("student-kd", data)
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")):
        notes.append(
            "one network in one precision: the others are exported with the extra export "
            '(pip install "kdnotes[export]")'
        )
        yield "student", "fp16", ready
        return
    wanted = [("student", "student-kd", "fp32"), ("student", "student-kd", "int8")]
    wanted += [(name, shipped, "fp16") for name, shipped in OTHERS.items()]
    made = {("student", "fp16"): ready}
    for name, shipped, precision in tqdm(wanted, desc="export", unit=" networks"):
        made[name, precision] = _exported(shipped, data, precision, cache)
    for name, precision in [("student", p) for p in ("fp32", "fp16", "int8")] + [
        (name, "fp16") for name in OTHERS
    ]:
        yield name, precision, made[name, precision]


def _exported(name, data, precision, cache):
    """The file of a network in a precision, made once."""
    from kdnotes.deploy.export import export

    digest = zoo.index()[f"{name}--{data}.safetensors"]["sha256"][:12]
    path = cache / f"{name}-{precision}-{kdnotes.__version__}-{digest}.onnx"
    if not path.exists():
        net = zoo.load(name, data)
        faces = rendered_crops(96, net.config) if precision == "int8" else None
        export(net, path, precision, faces)
    return path


def _film(cache):
    """The film as one picture, rendered once."""
    path = cache / f"film-{synthetic.VERSION}-{PERSON}-{FRAMES}-{WIDTH}x{HEIGHT}.jpg"
    if not path.exists():
        rows = -(-FRAMES // COLUMNS)
        sheet = Image.new("RGB", (COLUMNS * WIDTH, rows * HEIGHT))
        frames = render_film(FRAMES, WIDTH, HEIGHT, PERSON)
        for i, still in enumerate(tqdm(frames, "film", FRAMES, unit=" frames")):
            place = (i % COLUMNS) * WIDTH, (i // COLUMNS) * HEIGHT
            sheet.paste(Image.fromarray(still.image), place)
        with new_file(path) as part:
            sheet.save(part, format="jpeg", quality=82)
    return path


def _samples(cache):
    found = []
    for face in SAMPLES:
        path = cache / f"face-{synthetic.VERSION}-{face}-{SAMPLE_SIZE}.jpg"
        if not path.exists():
            with new_file(path) as part:
                image = synthetic.render_face(face, SAMPLE_SIZE)[0]
                Image.fromarray(np.asarray(image)).save(part, format="jpeg", quality=88)
        found.append(path)
    return found


def _runtime(part, cache, use_npm, notes):
    """onnxruntime-web's two files: beside the page, or where they are on a public server."""
    package = json.loads((WEB / "package.json").read_text("utf-8"))
    version = package["dependencies"]["onnxruntime-web"]
    reason = npm.locked(WEB, cache / f"npm-{version}") if use_npm else "npm is not used"
    fetched = cache / f"npm-{version}" / "node_modules" / "onnxruntime-web" / "dist"
    if reason:
        notes.append(f"the page takes onnxruntime-web from a public server, since {reason}")
    found = {}
    for kind, (name, sha256) in RUNTIME.items():
        url = SERVER.format(version=version, name=name)
        if not reason:
            put = _put(fetched / name, part, name)
            if put["sha256"] != sha256:
                raise ValueError(f"{name} from npm has SHA-256 {put['sha256']}, expected {sha256}")
            url = name
        found[kind] = {"url": url, "sha256": sha256}
    return found
