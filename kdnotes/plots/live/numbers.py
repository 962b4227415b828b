"""Soft classes by temperature (notebook 02), and what seeds and people say (notebook 06)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from scipy import stats
from traitlets import Dict, Float, Int, List, Unicode

from kdnotes import plots
from kdnotes.plots.live.figure import LiveFigure, bundle


class Temperature(LiveFigure):
    """A teacher's soft classes of a picture under a slider.

    Args:
        images: `(N, H, W)` from 0 to 1.
        logits: `(N, 10)` of the teacher.
        labels: `(N,)`.

    Attributes:
        digit: Which picture, such as "picture 1".
        temperature: T of softmax(z/T).
    """

    module = "temperature"
    alt = "A handwritten digit and bars: what the teacher says of each class."
    _esm = bundle(module)
    digits = Dict().tag(sync=True)
    digit, temperature = Unicode().tag(sync=True), Float(1.0).tag(sync=True)

    def __init__(self, images: np.ndarray, logits: np.ndarray, labels: np.ndarray):
        digits = {
            f"picture {i + 1}": {
                "image": np.round(image, 2).tolist(),
                "logits": np.round(z, 4).tolist(),
                "label": int(label),
            }
            for i, (image, z, label) in enumerate(zip(images, logits, labels, strict=True))
        }
        super().__init__(digits=digits, digit="picture 1")

    def soft(self) -> np.ndarray:
        """The soft classes that the figure shows, `(10,)`."""
        z = np.array(self.digits[self.digit]["logits"]) / self.temperature
        e = np.exp(z - z.max())
        return e / e.sum()

    def still(self) -> Figure:
        figure, [[left, right]] = plots.new_figure(6, 2.4, ncols=2, width_ratios=[1, 2])
        left.imshow(self.digits[self.digit]["image"], cmap="gray_r")
        left.set(xticks=[], yticks=[])
        right.bar(range(10), 100 * self.soft(), color=plots.BLUE)
        right.set(xticks=range(10), xlabel="class", ylabel="%", title=f"T = {self.temperature:g}")
        return figure


class SeedsAndPeople(LiveFigure):
    """Experiments drawn again and again, with the interval that each of them would print.

    Attributes:
        method: "range of the seeds" or "Student's t".
        n_seeds, n_people: Of one experiment.
        truth: The true gain, %.
        seed_sd, person_sd: How far seeds and people stray, %.
        drawn: Number of experiments.
        draw: Seed of their random numbers.
    """

    module = "seeds"
    alt = "Intervals of a gain, one experiment below the other, beside the true gain."
    _esm = bundle(module)
    quantiles = List(
        [0.0, *np.round(stats.t.ppf(0.975, np.arange(1, 121)), 6).tolist()]
    ).tag(sync=True)
    method = Unicode("range of the seeds").tag(sync=True)
    n_seeds, n_people = Int(2).tag(sync=True), Int(36).tag(sync=True)
    truth, seed_sd = Float(4.0).tag(sync=True), Float(3.0).tag(sync=True)
    person_sd = Float(9.0).tag(sync=True)
    drawn, draw = Int(40).tag(sync=True), Int(1).tag(sync=True)

    def __init__(self, spread: Mapping[str, float] | None = None, **state):
        """`spread` gives `seed_sd` and `person_sd`, as a stored log has them."""
        super().__init__(**(spread or {}), **state)

    def still(self) -> Figure:
        rng = np.random.default_rng(self.draw)
        figure, [[ax]] = plots.new_figure(7, 3, plain=True)
        for row in range(30):
            seeds = rng.normal(self.truth, self.seed_sd, self.n_seeds)
            people = rng.normal(0, self.person_sd, self.n_people)
            middle = people.mean()
            low, high = seeds.min() + middle, seeds.max() + middle
            if self.method == "Student's t":
                half = np.sqrt(sum(
                    self.quantiles[len(v) - 1] ** 2 * v.var(ddof=1) / len(v)
                    for v in (seeds, people)
                ))  # fmt: skip
                low, high = seeds.mean() + middle - half, seeds.mean() + middle + half
            holds = low <= self.truth <= high
            colour, style = (plots.BLUE, "-") if holds else (plots.RED, "--")
            ax.plot([low, high], [row, row], color=colour, ls=style)
        ax.axvline(self.truth, color="#777777", ls=":")
        ax.axvline(0, color="#777777", lw=1)
        ax.set(xlabel="gain, %", yticks=[], ylabel="experiments")
        return figure
