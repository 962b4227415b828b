"""The figure that one labels pictures with, in a notebook."""

import base64
import contextlib
import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from traitlets import Int, List, Unicode, observe

from kdnotes import plots
from kdnotes.data.pictures import PictureError
from kdnotes.data.schemes import Scheme
from kdnotes.own.labels import ChangedMeanwhile, Label, Labels
from kdnotes.plots.live.figure import LiveFigure

#: Longer side of a picture as it is shown; landmarks stay in pixels of the whole picture.
SHOWN = 1600

#: A guess of a picture's landmarks: `(L, 2)` in its pixels, and `(L,)` bool, which are unsure.
Guess = tuple[np.ndarray, np.ndarray]


class Labelling(LiveFigure):
    """Landmarks of a folder's pictures, placed with the mouse, a finger or the keyboard.

    What is placed is saved at once, in the table of `labels`.

    Args:
        labels: The table, and the folder of the pictures.
        guess: Gives a network's landmarks for a picture `(H, W, 3)` that has none yet.
        order: Names of the pictures in the order in which they are shown; all of them by default.

    Attributes:
        index: Position of the picture that is shown.
        points: Its landmarks [x, y] in pixels, None where not placed.
        hidden, guessed, unsure: Of each landmark, true or false.
        problem: Why something could not be read or saved.
    """

    module = "labelling"
    alt = "A picture with its landmarks as circles, and a list of their names."
    names, edges = List().tag(sync=True), List().tag(sync=True)
    index, n_pictures, n_complete = (Int(0).tag(sync=True) for _ in range(3))
    file, source, problem = (Unicode("").tag(sync=True) for _ in range(3))
    width, height = Int(1).tag(sync=True), Int(1).tag(sync=True)
    points, hidden, guessed, unsure = (List().tag(sync=True) for _ in range(4))

    def __init__(
        self,
        labels: Labels,
        guess: Callable[[np.ndarray], Guess] | None = None,
        order: list[str] | None = None,
    ):
        self.labels, self.guess = labels, guess
        self.order = labels.files if order is None else order
        self.loading = False
        super().__init__(
            names=names_of(labels.scheme),
            edges=[list(edge) for edge in labels.scheme.edges],
            n_pictures=len(self.order),
        )
        self.load(first_open(labels, self.order))

    @observe("index")
    def _another_picture(self, change):
        if not self.loading:
            self.load(change.new)

    def load(self, index: int) -> None:
        """Shows a picture with its landmarks, or with those that are guessed."""
        file = self.order[index]
        self.loading = True
        try:
            values = describe(self.labels, file, self.guess)
            self.seen = values.pop("seen")
            with self.hold_sync():
                self.index, self.file = index, file
                self.set_trait("n_complete", len(self.labels.complete()))
                for name, value in values.items():
                    self.set_trait(name, value)
        finally:
            self.loading = False

    @observe("points", "hidden", "guessed")
    def _changed(self, change):
        if not self.loading:
            self.save()

    def save(self) -> None:
        """Saves what is placed. What is guessed and not confirmed is no label yet."""
        label = label_of(self.points, self.hidden, self.guessed)
        try:
            self.labels.save(self.file, label, self.seen)
        except ChangedMeanwhile as changed:
            self.load(self.index)
            self.problem = str(changed)
        except (OSError, ValueError) as error:
            self.problem = f"not saved: {error}"
        else:
            self.seen, self.problem = label, ""
            self.n_complete = len(self.labels.complete())

    def says(self) -> str:
        pairs = zip(self.points, self.guessed, strict=True)
        placed = sum(point is not None and not guessed for point, guessed in pairs)
        return f"{self.file}: {placed} of {len(self.names)} placed"

    def still(self):
        figure, [[ax, beside]] = plots.new_figure(
            7, 5 * self.height / self.width, ncols=2, width_ratios=(5, 2)
        )
        if self.source:
            ax.imshow(self.labels.picture(self.file))
        else:
            ax.set_title(self.problem, wrap=True)
        places = np.array([point for point in self.points if point is not None]).reshape(-1, 2)
        ax.scatter(*places.T, s=18, facecolor="none", edgecolor=plots.BLUE, linewidth=1.5)
        ax.set(xticks=[], yticks=[])
        for row, (text, colour) in enumerate(self._listed()):
            beside.text(0, 0.96 - 0.06 * row, text, color=colour, fontsize=9)
        beside.axis("off")
        return figure

    def _listed(self, most=16):
        """The names beside the picture, with what is placed and what comes next, and their
        colours."""
        first = next((i for i, point in enumerate(self.points) if point is None), None)
        for i, (name, point) in enumerate(zip(self.names[:most], self.points, strict=False)):
            mark = "→" if i == first else "○" if point is None else "●"
            yield f"{mark} {name}", plots.BLACK if point is None else plots.BLUE
        if len(self.names) > most:
            yield f"… and {len(self.names) - most} more", plots.BLACK


def names_of(scheme: Scheme) -> list[str]:
    """The names of a scheme's landmarks; those without a name are numbered."""
    return list(scheme.names) or [f"point {i}" for i in range(scheme.n_points)]


def first_open(labels: Labels, order: list[str]) -> int:
    """Position of the first picture that is not done and opens; 0 if there is none."""
    done = set(labels.complete())
    for i, file in enumerate(order):
        if file not in done:
            with contextlib.suppress(PictureError):
                labels.picture(file)
                return i
    return 0


def describe(labels: Labels, file: str, guess: Callable | None = None) -> dict:
    """What the figure shows of a picture: JSON values, and the label that was read as "seen".

    Where somebody has placed a landmark it is shown; the others are guessed, if there is a guess.
    """
    n = labels.scheme.n_points
    values = {"source": "", "width": 1, "height": 1, "problem": "", "seen": Label.empty(n)}
    guessed, unsure = np.zeros(n, bool), np.zeros(n, bool)
    try:
        label = values["seen"] = labels.get(file)
        image = labels.picture(file)
        values |= {"source": address(image), "width": image.shape[1], "height": image.shape[0]}
        if guess is not None and not label.complete:
            points, unsure = guess(image)
            guessed = ~label.placed
            label = Label(np.where(guessed[:, None], points, label.points), label.hidden)
    except (PictureError, ValueError, OSError) as error:
        label = values["seen"]
        values["problem"] = str(error)
    points = [None if np.isnan(p).any() else p.round(2).tolist() for p in label.points]
    return values | {
        "points": points, "hidden": label.hidden.tolist(), "guessed": guessed.tolist(),
        "unsure": np.asarray(unsure, bool).tolist(),
    }  # fmt: skip


def label_of(points: list, hidden: list, guessed: list) -> Label:
    """The label of what a figure shows: what somebody has placed or confirmed."""
    missing = [np.nan, np.nan]
    kept = [missing if p is None or g else p for p, g in zip(points, guessed, strict=True)]
    return Label(np.array(kept, float).reshape(-1, 2), np.array(hidden, bool))


def address(image: np.ndarray) -> str:
    """A picture as the address of a JPEG that holds it, at most `SHOWN` pixels long."""
    picture, stream = Image.fromarray(image), io.BytesIO()
    picture.thumbnail((SHOWN, SHOWN))
    picture.save(stream, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
