"""Faces and shapes that move: a shape model (01), a face that learns (03, 04), failures (05)."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from traitlets import Bool, Dict, Int, List, Unicode

from kdnotes import losses, plots
from kdnotes.asm import ActiveShapeModel
from kdnotes.data.schemes import Scheme
from kdnotes.plots.live.figure import LiveFigure, Number, number
from kdnotes.plots.live.loss import SETTINGS, LossFigure

#: Digits of a coordinate that travel: a fiftieth of a pixel.
DIGITS = 4


def flat(points: np.ndarray, digits: int = DIGITS) -> list[float]:
    """Landmarks `(L, 2)` as JavaScript has them: x and y in turn."""
    return np.round(np.asarray(points, float).reshape(-1), digits).tolist()


def picture(image: np.ndarray | torch.Tensor, side: int = 200) -> str:
    """A picture, as `plots.draw_face` takes it, as the address of a small JPEG that holds it."""
    if isinstance(image, torch.Tensor):
        image = (255 * image.permute(1, 2, 0).clamp(0, 1)).round().byte().numpy()
    stream = io.BytesIO()
    Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR).save(
        stream, "JPEG", quality=82
    )
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def part_of(scheme: Scheme, part: str) -> list[int]:
    """The landmarks of a part of the face, such as the mouth; of the eyes one. Empty if the scheme
    has none."""
    groups = [list(members) for name, members in scheme.groups.items() if name.startswith(part)]
    if part == "eye":
        groups = groups[-1:]
    return [number for members in groups for number in members]


class ShapeModes(LiveFigure):
    """A shape model: sliders for its modes, a landmark to drag, soft landmarks of some faces.

    Args:
        model: It keeps as much variance as the largest share that can be chosen.
        scheme: Of its landmarks.
        faces: Name to hard landmarks `(L, 2)` in the model's units.
        shares: Shares of the variance to choose from.

    Attributes:
        b: The shape's coefficients, one per component.
        share: The share that is chosen, such as "90 %".
        face: The face that is softened, or "none".
        landmark: The one that can be dragged.
    """

    module = "modes"
    alt = "A face drawn by a shape model, and the mean shape."
    shapes, counts, faces = (Dict().tag(sync=True) for _ in range(3))
    edges, b = List().tag(sync=True), List().tag(sync=True)
    share, face = Unicode().tag(sync=True), Unicode("none").tag(sync=True)
    landmark = Int(30).tag(sync=True)

    def __init__(
        self,
        model: ActiveShapeModel,
        scheme: Scheme,
        faces: Mapping[str, np.ndarray] | None = None,
        shares: tuple[float, ...] = (0.80, 0.85, 0.90, 0.95, 0.97),
    ):
        kept = np.cumsum(model.explained_variance_ratio_)
        counts = {f"{share:.0%}".replace("%", " %"): share for share in shares if share <= kept[-1]}
        super().__init__(
            shapes={
                "mean": flat(model.mean_shape_, 7),
                "components": np.round(model.components_, 7).tolist(),
                "variances": model.explained_variance_.tolist(),
                "n_std": model.n_std,
            },
            counts={name: int(np.argmax(kept >= s - 1e-12)) + 1 for name, s in counts.items()},
            faces={name: flat(points, 7) for name, points in (faces or {}).items()},
            edges=[list(edge) for edge in scheme.edges],
            share="90 %" if "90 %" in counts else next(iter(counts)),
            b=[0.0] * model.n_components_,
            landmark=min(30, scheme.n_points - 1),
        )
        self.model, self.scheme = model, scheme

    def used(self) -> np.ndarray:
        """The coefficients that the figure draws, `(k,)`."""
        b = np.array(self.b)
        if self.face != "none":
            limits = self.model.n_std * np.sqrt(self.model.explained_variance_)
            hard = np.array([self.faces[self.face]])
            b = np.clip(self.model.coefficients(hard)[0], -limits, limits)
        b[self.counts[self.share] :] = 0
        return b

    def distance(self) -> float:
        """The mean distance of the points from the face, or from the mean shape."""
        points = self.model.mean_shape_
        if self.face != "none":
            points = np.array(self.faces[self.face])
        away = (self.model.shape(self.used()) - points).reshape(-1, 2)
        return float(np.linalg.norm(away, axis=1).mean())

    def says(self) -> str:
        goal = "the mean shape" if self.face == "none" else "its hard landmarks"
        return f"The points lie {number(100 * self.distance())} % of the image width from {goal}"

    def still(self) -> Figure:
        named = {"mean": self.model.mean_shape_.reshape(-1, 2)}
        if self.face != "none":
            named = {"hard": np.array(self.faces[self.face]).reshape(-1, 2)}
        named["soft"] = self.model.shape(self.used()).reshape(-1, 2)
        return plots.shapes(named, self.scheme)


class FaceLearns(LossFigure):
    """A prediction on its way from the mean shape, with regions and pull.

    Args:
        image: The face's network crop, as `plots.draw_face` takes it.
        shapes: "mean", "hard", "tough" and "tolerant" landmarks `(L, 2)` in crop widths.
        scheme: Of the landmarks; an eye and the mouth are enlarged.
        ways: Name of a network to its predictions after each epoch, `(E, L, 2)`.
        released: See `LossFigure`.

    Attributes:
        way: "mean shape to truth", or a name in `ways`.
        position: From 0 to 1, how far on that way.
        teacher: Whose regions are shown, "tough" or "tolerant".
    """

    module = "face"
    alt = (
        "A face with a network's landmarks on their way to the truth; small crosses show the "
        "region of each coordinate, lines the pull of the loss."
    )
    image = Unicode().tag(sync=True)
    mean, hard, tough, tolerant = (List().tag(sync=True) for _ in range(4))
    insets, ways = List().tag(sync=True), Dict().tag(sync=True)
    teacher = Unicode("tough").tag(sync=True)
    way = Unicode("mean shape to truth").tag(sync=True)
    position = Number(0.5, min=0, max=1).tag(sync=True)

    def __init__(
        self,
        image: np.ndarray,
        shapes: Mapping[str, np.ndarray],
        scheme: Scheme,
        ways: Mapping[str, np.ndarray] | None = None,
        *,
        released: bool = False,
    ):
        short = [name for name, epochs in (ways or {}).items() if len(epochs) < 2]
        if short:
            raise ValueError(f"the way {short[0]!r} has one shape; expected at least two")
        super().__init__(
            released=released,
            image=picture(image, 260),
            insets=[members for part in ("eye", "mouth") if (members := part_of(scheme, part))],
            ways={name: [flat(shape) for shape in epochs] for name, epochs in (ways or {}).items()},
            **{name: flat(points) for name, points in shapes.items()},
        )
        self.pixels = image

    def prediction(self) -> np.ndarray:
        """The landmarks that the figure shows, `(L, 2)` in crop widths."""
        if self.way in self.ways:
            epochs = np.array(self.ways[self.way])
        else:
            epochs = np.array([self.mean, self.hard])
        place = self.position * (len(epochs) - 1)
        i = min(len(epochs) - 2, int(place))
        return (epochs[i] + (place - i) * (epochs[i + 1] - epochs[i])).reshape(-1, 2)

    def shares(self) -> dict[str, float]:
        """The share of the coordinates in each region."""
        assistance = getattr(SETTINGS[self.setting], self.teacher)
        regions = losses.region(
            torch.as_tensor(self.prediction()),
            *(
                torch.tensor(s, dtype=torch.float64).reshape(-1, 2)
                for s in (self.hard, getattr(self, self.teacher))
            ),
            beta=assistance.beta,
            low_influence=assistance.low_influence,
        )
        names = {losses.NONE: "perfect teacher"} | {
            n: name for n, (name, _) in plots.REGIONS.items()
        }
        return {name: float((regions == n).double().mean()) for n, name in names.items()}

    def distance(self) -> float:
        """The points' mean distance from the truth, in crop widths."""
        away = self.prediction() - np.reshape(self.hard, (-1, 2))
        return float(np.linalg.norm(away, axis=1).mean())

    def says(self) -> str:
        return f"The points lie {number(100 * self.distance())} % of the crop width from the truth"

    def still(self) -> Figure:
        shapes = (np.reshape(shape, (-1, 2)) for shape in (self.hard, self.tough, self.tolerant))
        figure = plots.regions_on_face(
            self.pixels,
            self.prediction(),
            *shapes,
            teacher=self.teacher,
            settings=SETTINGS[self.setting],
            insets=self.insets,
        )
        figure.axes[0].set_title(self._title(), fontsize=9)
        return figure

    def _title(self):
        """Whose landmarks the still shows, how far they are, and whose regions colour them."""
        where = f"{self.position:.0%} of the way"
        if self.way in self.ways:
            where = f"epoch {self.position * (len(self.ways[self.way]) - 1):.3g}"
        return f"{self.way}, {where}; regions of the {plots.name_of(self.teacher)}"


class Failures(LiveFigure):
    """Faces from best to worst, one of them large under a magnifying glass.

    Args:
        images: N squares around the faces, each as `plots.draw_face` takes it.
        points: "hard" and each network's name to landmarks `(N, L, 2)` in picture widths.
        errors: Each network's name to its NME `(N,)`.
        scheme: Of the landmarks.

    Attributes:
        network: Whose error the faces are sorted by.
        rank: The face that is shown, from 0, the best.
        zoom, lens_x, lens_y: The magnifying glass; its place in picture widths from the corner.
    """

    module = "failures"
    alt = "A face with its hard landmarks and those of a network."
    faces, edges = List().tag(sync=True), List().tag(sync=True)
    network, rank = Unicode().tag(sync=True), Int(0, min=0).tag(sync=True)
    zoom = Number(2.5).tag(sync=True)
    lens_x, lens_y = Number(0.5).tag(sync=True), Number(0.68).tag(sync=True)
    show_hard, show_student = Bool(True).tag(sync=True), Bool(True).tag(sync=True)
    show_plain, show_tough = Bool(False).tag(sync=True), Bool(False).tag(sync=True)
    show_tolerant = Bool(False).tag(sync=True)

    def __init__(
        self,
        images: Sequence,
        points: Mapping[str, np.ndarray],
        errors: Mapping[str, np.ndarray],
        scheme: Scheme,
    ):
        super().__init__(
            faces=[
                {
                    "image": picture(image),
                    "hard": flat(points["hard"][i]),
                    "points": {name: flat(points[name][i]) for name in errors},
                    "errors": {name: float(errors[name][i]) for name in errors},
                }
                for i, image in enumerate(images)
            ],
            edges=[list(edge) for edge in scheme.edges],
            network=next(iter(errors)),
            rank=len(images) - 1,
        )
        self.images, self.points, self.scheme = images, points, scheme

    def shown(self) -> int:
        """The position of the face that is shown."""
        order = sorted(range(len(self.faces)), key=lambda i: self.faces[i]["errors"][self.network])
        return order[self.rank]

    def says(self) -> str:
        error = self.faces[self.shown()]["errors"][self.network]
        return f"{self.network}: NME {number(100 * error, 1)} %"

    def still(self) -> Figure:
        i = self.shown()
        named = {"hard": self.points["hard"][i], self.network: self.points[self.network][i]}
        return plots.face_grid([self.images[i]], [named], self.scheme, side=4, size=8)
