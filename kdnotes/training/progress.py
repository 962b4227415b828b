"""What a training shows while it runs: sums of an epoch, a progress bar, TensorBoard."""

import sys
from dataclasses import dataclass, field

import torch
from accelerate.utils import is_tensorboard_available
from tqdm.auto import tqdm

#: Steps between two looks at the loss, which wait until a GPU has come that far, and between two
#: comparisons of the student with its teachers, which only the log needs.
READ_EVERY = 20


@dataclass
class EpochSums:
    """The loss terms of one epoch, summed where they are computed and read only when asked for.

    Attributes:
        sums: Name of a term to its sum, a float or a tensor.
        steps: Steps summed up so far.
        seconds: What they took.
        counts: Name of a term to the number of steps that it was computed in.
    """

    sums: dict = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        if not self.counts:  # a checkpoint of earlier versions: every term in every step
            self.counts = dict.fromkeys(self.sums, self.steps)

    def add(self, terms: dict[str, torch.Tensor]) -> None:
        for name, value in terms.items():
            self.sums[name] = value + self.sums.get(name, 0.0)
            self.counts[name] = self.counts.get(name, 0) + 1
        self.steps += 1

    def read(self) -> dict:
        """The arguments that make these sums again, as JSON values; a float keeps a float32."""
        sums = {name: float(value) for name, value in self.sums.items()}
        return vars(self) | {"sums": sums}

    def means(self, accelerator) -> dict[str, float]:
        """Of each term over the steps that it was computed in, and over all processes."""
        means = {}
        for name, value in self.sums.items():
            value = torch.as_tensor(value, device=accelerator.device)
            means[name] = float(accelerator.reduce(value, "mean")) / self.counts[name]
        return means


class Bar(tqdm):
    """One bar per training: steps and time left; epoch, loss terms, NME and images per second."""

    def __init__(self, name: str, total: int, done: int, *, show: bool):
        # a finished training is only read
        super().__init__(
            total=total, initial=done, unit=" steps", desc=name, disable=not show or done == total
        )
        self.validated = {}

    def say(self, text: str) -> None:
        if not self.disable:
            self.write(text, file=sys.stderr)

    def step(self, epoch: int, sums: EpochSums) -> None:
        self.update()
        if not self.disable and sums.steps % READ_EVERY == 0:
            read = sums.read()["sums"]
            self._show(epoch, {name: read[name] / sums.counts[name] for name in read})

    def epoch(self, entry: dict) -> None:
        """Shows the last line of the log."""
        if "nme" in entry:
            self.validated = {"NME": f"{entry['nme']:.2%}"}
        speed = {"img/s": f"{entry['images_per_second']:.0f}"}
        self._show(entry["epoch"], entry, speed)

    def _show(self, epoch, means, speed=None):
        terms = ("loss", "main", "tough", "tolerant")
        shown = {name: f"{means[name]:.4f}" for name in terms if name in means}
        self.set_postfix({"epoch": epoch} | shown | self.validated | (speed or {}))


def tensorboard_options(run, wanted: bool) -> dict:
    """Arguments with which an `Accelerator` also writes events to the folder `run`/tensorboard.

    Raises:
        ValueError: There is no run folder, or TensorBoard is not installed.
    """
    if not wanted:
        return {}
    if run is None:
        raise ValueError("TensorBoard's events lie in the run's folder; give run=…")
    if not is_tensorboard_available():
        raise ValueError("TensorBoard is not installed: pip install tensorboard")
    return {"log_with": "tensorboard", "project_dir": str(run)}
