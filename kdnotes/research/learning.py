"""How four networks learn one face, epoch by epoch.

    python -m kdnotes study learning --profile quick

Both teachers, a plain student and a KD student are trained from random weights, with linear heads,
so that all of them begin with the mean shape. What the averaged network says of one validation face
is kept after every epoch. The live figure of notebook 04 shows it.
"""

import base64
import io
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

from kdnotes import models, plots, training
from kdnotes.course import recipes
from kdnotes.course.machine import hardware
from kdnotes.data import schemes
from kdnotes.data.faceset import FaceSet
from kdnotes.evaluation import report
from kdnotes.plots import live
from kdnotes.system import processes
from kdnotes.system.files import new_file
from kdnotes.teachers import Teachers, build_cache
from kdnotes.training import preflight
from kdnotes.training.checkpoints import Run
from kdnotes.training.loop import Training, precision
from kdnotes.training.progress import Bar
from kdnotes.views import plain_views, to_tensor, warp_images

#: Side of the stored picture.
SIDE = 260


#: Length of the trainings, and the peak of their learning rate.
EPOCHS = {"teachers": 15, "students": 22}
LEARNING_RATE = 6e-3


def run(course: recipes.Course, epochs: Mapping[str, int] = EPOCHS) -> dict:
    """Trains the four networks.

    Args:
        course: Faces and networks.
        epochs: Length of the trainings of "teachers" and "students".

    Returns:
        JSON values: the face's network crop as a JPEG in base64; "shapes", the mean shape, the hard
        landmarks and what the finished teachers say; "ways", each network's landmarks before the
        first epoch and after every one. A shape is a text, x and y in turn, in crop widths.

    Raises:
        ValueError: The faces are photographs: the face that is kept would be somebody's.
    """
    if not course.faces.rendered:
        raise ValueError(
            f"{course.faces.name} shows people, and one face is kept with the results; this study "
            "takes rendered faces alone"
        )
    face = watched(course)
    profile = replace(course.profile, learning_rate=LEARNING_RATE)
    soft = recipes.soft_landmarks(course)[course.split("train").rows]
    ways, nets = {}, {}
    for name, targets in (("Tough teacher", None), ("Tolerant teacher", soft)):
        net = recipes.new_network(course, profile.teacher, profile.teacher_size)
        config = recipes.config_of(profile, "l2", epochs["teachers"])
        ways[name] = follow(course, net, config, face, name, targets=targets)
        nets[name] = models.freeze(net)
    teachers = Teachers(tough=nets["Tough teacher"], tolerant=nets["Tolerant teacher"])
    options = {"strength": profile.strength, "progress": course.progress}
    known = build_cache(
        teachers, course.split("train"), course.folder / "learning-teacher-landmarks",
        seed=0, n_views=profile.n_views, device=processes.state().device, **options,
    )  # fmt: skip
    for name, loss in (("plain student", "l1"), ("KD student", "kd-paper")):
        net = recipes.new_network(course, profile.student, profile.student_size)
        config = recipes.config_of(profile, loss, epochs["students"], n_views=profile.n_views)
        cache = known if loss in training.TAUGHT else None
        ways[name] = follow(course, net, config, face, name, teachers=cache)
    shapes = {
        "mean": recipes.mean_shape(course) * course.zoom,
        "hard": face.landmarks[0] * course.zoom,
        "tough": ways["Tough teacher"][-1],
        "tolerant": ways["Tolerant teacher"][-1],
    }
    return {
        "profile": profile.name,
        "data": report.about_data(course.faces),
        "hardware": hardware(),
        "face": str(face.table["id"].iloc[0]),
        "image": _jpeg(face, course.zoom),
        "shapes": {name: _text(points) for name, points in shapes.items()},
        "ways": {name: [_text(points) for points in ways[name]] for name in reversed(ways)},
    }


def watched(course: recipes.Course) -> FaceSet:
    """The validation face that is followed: three of four faces are nearer to the mean shape."""
    faces = course.split("validation")
    far = np.linalg.norm(faces.landmarks - recipes.mean_shape(course), axis=-1).mean(axis=1)
    return faces.select(np.argsort(far)[[3 * len(far) // 4]])


def follow(
    course: recipes.Course,
    net: models.LandmarkNet,
    config: training.TrainConfig,
    face: FaceSet,
    name: str,
    *,
    targets: np.ndarray | None = None,
    teachers=None,
) -> np.ndarray:
    """Trains a network; returns its landmarks of a face `(epochs + 1, L, 2)` in crop widths."""
    train, accelerator = (
        course.split("train"),
        Accelerator(mixed_precision=precision(), cpu=processes.on_cpu()),
    )
    preflight.check(net, train, config, targets, teachers, None, accelerator)
    at_work = Training(net, train, config, targets, teachers, Run(None, {}), accelerator)
    said = [at_work.predict(face)[0]]
    with (
        Bar(name, at_work.total_steps, 0, show=course.progress) as bar,
        processes.fork_rng(),
    ):
        while at_work.epoch < config.epochs:
            at_work.train_epoch(bar, threading.Event())
            at_work.close_epoch(None)
            said.append(at_work.predict(face)[0])
    at_work.finish()
    return np.array(said) * course.zoom


def figure_of(results: Mapping) -> dict:
    """The arguments of `plots.live.FaceLearns` for what `run` returned."""
    image = Image.open(io.BytesIO(base64.b64decode(results["image"])))
    return {
        "image": np.asarray(image),
        "shapes": {name: _points(text) for name, text in results["shapes"].items()},
        "scheme": schemes.get(len(_points(results["shapes"]["hard"]))),
        "ways": {
            name: np.array([_points(text) for text in epochs])
            for name, epochs in results["ways"].items()
        },
    }


def _jpeg(face, zoom):
    crop = warp_images(to_tensor(face.images[:]), plain_views(1, zoom), SIDE)[0]
    pixels = (255 * crop.permute(1, 2, 0).clamp(0, 1)).round().to(torch.uint8).numpy()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=88)
    return base64.b64encode(stream.getvalue()).decode()


def _text(points):
    return " ".join(f"{value:.4f}" for value in np.asarray(points).reshape(-1))


def _points(text):
    return np.array(text.split(), float).reshape(-1, 2)


def film(results: Mapping, path: Path) -> None:
    """Writes how the KD student learns the face as an animated GIF, which the README shows."""
    figure = live.FaceLearns(**figure_of(results))
    figure.way = "KD student"
    epochs = len(results["ways"][figure.way]) - 1
    first = min(8, epochs)  # it learns most at first
    at = [*np.arange(0, first, 0.25), *np.arange(first, epochs, 0.5), epochs]
    drawn = [_frame(figure, epoch / epochs, f"epoch {epoch:.0f}") for epoch in at]
    palette = _palette(drawn[0])
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in drawn]
    pauses = [60] * (len(frames) - 1) + [2500]
    with new_file(path) as part:
        frames[0].save(
            part, "GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0
        )


def _frame(figure, position, title):
    figure.position = position
    still = figure.still()
    still.axes[0].set_title(f"{title}: {figure.says()}", fontsize=9)
    still.set_dpi(80)
    canvas = FigureCanvasAgg(still)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _palette(picture):
    """128 colours of a picture, those of the regions among them."""
    known = [to_rgb(colour) for _, colour in plots.REGIONS.values()]
    palette = picture.quantize(128 - len(known)).getpalette()[: 3 * (128 - len(known))]
    palette += [round(255 * value) for colour in known for value in colour]
    found = Image.new("P", (1, 1))
    found.putpalette(palette)
    return found
