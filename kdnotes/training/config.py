"""How a network is trained, in one frozen dataclass."""

from dataclasses import dataclass, field

from kdnotes.training.objectives import LOSSES
from kdnotes.training.schedule import SCHEDULES
from kdnotes.views import ViewConfig


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained.

    Attributes:
        loss: A name in `LOSSES`.
        epochs: Times that every face is seen.
        batch_size: Faces per step, of all processes together.
        learning_rate: Peak of the schedule.
        schedule: A name in `SCHEDULES`.
        weight_decay, epsilon: AdamW's; without weight decay AdamW is Adam.
        n_views: Number of different views of each face; 0 gives a new one every epoch. Live
            teachers answer in the training's precision, a cache in 32 bits.
        strength: Of the views; 1 is `view_config` as it stands.
        view_config: How far views stray.
        average: Decay of the running average of the weights, which is what is kept; 0 keeps the
            weights themselves.
        clip: Largest norm of the gradient; None leaves it alone.
        scale: Factor of the loss. Adam hardly notices it; clipping does, so losses that are
            compared are brought to one scale.
        seed: Of order, views and dropout.
        compile: Let `torch.compile` make kernels for this network first. That takes minutes, and
            pays on a GPU.
    """

    loss: str
    epochs: int
    batch_size: int = 32
    learning_rate: float = 6e-3
    schedule: str = "one-cycle"
    weight_decay: float = 1e-4
    epsilon: float = 1e-8
    n_views: int = 0
    strength: float = 1.0
    view_config: ViewConfig = field(default_factory=ViewConfig)
    average: float = 0.99
    clip: float | None = 1.0
    scale: float = 1.0
    seed: int = 0
    compile: bool = False

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise ValueError(f"no loss is called {self.loss!r}; choose one of {', '.join(LOSSES)}")
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"no schedule is called {self.schedule!r}; choose one of {', '.join(SCHEDULES)}"
            )
        if self.epochs < 1 or self.batch_size < 1 or self.n_views < 0:
            raise ValueError(
                f"expected at least one epoch, one face per batch and no negative n_views, found "
                f"{self.epochs}, {self.batch_size} and {self.n_views}"
            )


#: What the authors train with: `dataclasses.replace(config, **PAPER_OPTIMIZER)`. Their Keras Adam
#: has `decay=1e-4`, which is no weight decay: it divides the learning rate by 1 + 1e-4·step. (Keras
#: adds ε to √v before the correction for the start, PyTorch after it: in the first steps the same
#: ε weighs less here.)
PAPER_OPTIMIZER = {
    "batch_size": 70,
    "learning_rate": 1e-3,
    "schedule": "inverse-time",
    "weight_decay": 0.0,
    "epsilon": 1e-7,
    "average": 0.0,
    "clip": None,
}
