"""What a training shows while it runs: sums of an epoch, a progress bar, TensorBoard."""

import sys

import torch
from accelerate.utils import is_tensorboard_available
from tqdm.auto import tqdm

#: Steps between two looks at the loss. Each look waits until a GPU has come that far.
READ_EVERY = 20


class EpochSums:
    """The loss terms of one epoch, summed where they are computed and read only when asked for.

    Attributes:
        steps: Steps summed up so far.
        seconds: What they took.
    """

    def __init__(self, sums: dict[str, float] | None = None, steps: int = 0, seconds: float = 0.0):
        self.sums = dict(sums or {})
        self.steps, self.seconds = steps, seconds

    def add(self, terms: dict[str, torch.Tensor]) -> None:
        for name, value in terms.items():
            self.sums[name] = value + self.sums.get(name, 0.0)
        self.steps += 1

    def read(self) -> dict:
        """The arguments that make these sums again, as JSON values; a float keeps a float32."""
        sums = {name: float(value) for name, value in self.sums.items()}
        return {"sums": sums, "steps": self.steps, "seconds": self.seconds}

    def means(self, accelerator) -> dict[str, float]:
        """Over all steps so far, and over all processes."""
        device = accelerator.device
        means = {name: torch.as_tensor(s, device=device) for name, s in self.sums.items()}
        return {k: float(accelerator.reduce(v, "mean")) / self.steps for k, v in means.items()}


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
            read = sums.read()
            means = {name: value / read["steps"] for name, value in read["sums"].items()}
            self._show(epoch, means)

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
