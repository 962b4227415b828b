"""Soft classes by temperature (notebook 02), and what seeds and people say (notebook 06)."""

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.figure import Figure
from scipy import stats
from traitlets import Dict, Int, List, Unicode

from kdnotes import plots
from kdnotes.plots.live.figure import LiveFigure, Number, number


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
    digits = Dict().tag(sync=True)
    digit, temperature = Unicode().tag(sync=True), Number(1.0, min=0.01).tag(sync=True)

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

    def says(self) -> str:
        return f"Entropy {number(stats.entropy(self.soft(), base=2))} bits"

    def still(self) -> Figure:
        figure, [[left, right]] = plots.new_figure(6, 2.4, ncols=2, width_ratios=[1, 2])
        left.imshow(self.digits[self.digit]["image"], cmap="gray_r")
        left.set(xticks=[], yticks=[])
        bars = right.bar(range(10), 100 * self.soft(), color=plots.BLUE)
        bars[self.digits[self.digit]["label"]].set(edgecolor="black", linewidth=2)
        right.set(
            xticks=range(10),
            xlabel="class, the label's bar framed",
            ylabel="%",
            title=f"T = {self.temperature:g}",
        )
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
    quantiles = List([0.0, *np.round(stats.t.ppf(0.975, np.arange(1, 121)), 6).tolist()]).tag(
        sync=True
    )
    method = Unicode("range of the seeds").tag(sync=True)
    n_seeds, n_people = (Int(n, min=2, max=121).tag(sync=True) for n in (2, 36))
    truth, seed_sd = Number(4.0).tag(sync=True), Number(3.0, min=0).tag(sync=True)
    person_sd = Number(9.0, min=0).tag(sync=True)
    drawn, draw = Int(40, min=1).tag(sync=True), Int(1, min=0).tag(sync=True)

    def __init__(self, spread: Mapping[str, float] | None = None, **state):
        """`spread` gives `seed_sd` and `person_sd`, as a stored log has them."""
        super().__init__(**(spread or {}), **state)

    def experiments(self, n: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What the first `n` experiments found, all of them by default: the seeds' and the people's
        parts of the gain, `(n_seeds,)` and `(n_people,)`, as the figure draws them."""
        uniform = uniform_numbers(self.draw)
        for _ in range(self.drawn if n is None else n):
            seeds = [self.truth + self.seed_sd * _normal(uniform) for _ in range(self.n_seeds)]
            people = [self.person_sd * _normal(uniform) for _ in range(self.n_people)]
            yield np.array(seeds), np.array(people)

    def interval(self, seeds: np.ndarray, people: np.ndarray) -> tuple[float, float]:
        """The interval that the chosen method gives an experiment."""
        if self.method != "Student's t":
            return seeds.min() + people.mean(), seeds.max() + people.mean()
        parts = [
            self.quantiles[len(means) - 1] ** 2 * means.var(ddof=1) / len(means)
            for means in (seeds, people)
        ]
        middle, half = seeds.mean() + people.mean(), np.sqrt(sum(parts))
        return middle - half, middle + half

    def intervals(self, n: int | None = None) -> np.ndarray:
        """The ends of the intervals of the first `n` experiments, all of them by default, `(n, 2)`
        in %."""
        return np.array([self.interval(*found) for found in self.experiments(n)])

    def held(self) -> int:
        """How many intervals hold the true gain."""
        low, high = self.intervals().T
        return int(((low <= self.truth) & (self.truth <= high)).sum())

    def says(self) -> str:
        held = self.held()
        return f"in {held} of {self.drawn}, {number(100 * held / self.drawn, 1)} %"

    def still(self) -> Figure:
        figure, [[ax]] = plots.new_figure(7, 3, plain=True)
        for row, ends in enumerate(self.intervals(min(self.drawn, 40))):
            holds = ends[0] <= self.truth <= ends[1]
            colour, style = (plots.BLUE, "-") if holds else (plots.RED, "--")
            ax.plot(ends, [row, row], color=colour, ls=style)
        ax.axvline(self.truth, color="#777777", ls=":")
        ax.axvline(0, color="#777777", lw=1)
        ax.plot([], [], color=plots.BLUE, label="contains the true gain")
        ax.plot([], [], color=plots.RED, ls="--", label="misses it")
        ax.legend(fontsize=8, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
        title = f"{self.method}, {self.n_seeds} seeds; true gain {self.truth:g} %, dotted"
        ax.set_title(title, loc="left", fontsize=10)
        ax.set(xlabel="gain, %", yticks=[], ylabel="one line an experiment", xlim=(-20, 30))
        ax.invert_yaxis()
        return figure


def uniform_numbers(seed: int) -> Iterator[float]:
    """Random numbers from 0 to 1 that JavaScript draws, too: mulberry32."""
    whole = 0xFFFFFFFF
    while True:
        seed = (seed + 0x6D2B79F5) & whole
        t = (seed ^ (seed >> 15)) * (seed | 1) & whole
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & whole)) & whole
        yield (t ^ (t >> 14)) / 2**32


def _normal(uniform):
    radius = np.sqrt(-2 * np.log(1 - next(uniform)))
    return radius * np.cos(2 * np.pi * next(uniform))
