"""KD-Loss: a main loss to the hard landmarks and one assistive loss per teacher.

The heart of the course (notebook 03). Fard & Mahoor, "Facial landmark points detection using
knowledge distillation-based neural networks", CVIU 2022, arXiv 2111.07047. Per coordinate, with
prediction p, hard landmark g, teacher T and error e = p - g, the teacher is first *reflected* to
the prediction's side of the truth, T' = g + sign(e)·|T - g|. Nothing else is left of the side on
which it stood, so the whole loss can be written with two distances from the truth:

    u = |p - g|    how far the student is
    t = |T - g|    how far the teacher is;    |T' - p| = |t - u|

Two settings are public and differ: `PAPER`, read off the paper's figures, and `RELEASED`, the
authors' code.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from kdnotes.losses.plain import Reduction, checked, reduced

LowInfluence = Literal["ramp", "zero"]

#: The regions of the assistive loss, as `region` numbers them.
NONE, LOW, NEGATIVE, POSITIVE = 0, 1, 2, 3


def main_loss(
    pred: Tensor,
    target: Tensor,
    *,
    tau: float | Tensor = 0.5,
    slope: float = 1.0,
    reduction: Reduction = "mean",
) -> Tensor:
    """The main loss: straight up to `tau`, a parabola beyond.

        slope·|e|                    where |e| <= tau
        e² + slope·tau - tau²        beyond

    The value is continuous at `tau`. So is the slope in PAPER (tau = 0.5, slope 1); in RELEASED
    it falls from 3 to 2|e|.

    Args:
        pred, target: `(…, L, 2)`.
        tau: Where the parabola begins: a number, or one per coordinate, shaped like `target`.

    Example:
        >>> pred, target = torch.tensor([[0.3, 1.0]]), torch.zeros(1, 2)
        >>> losses.main_loss(pred, target, reduction="none")
        tensor([[0.3000, 1.2500]])
    """
    pred, target = checked(pred=pred, target=target)
    u = (pred - target).abs()
    return reduced(torch.where(u <= tau, slope * u, u**2 + (slope - tau) * tau), None, reduction)


def assistive_loss(
    pred: Tensor,
    target: Tensor,
    teacher: Tensor,
    *,
    alpha_positive: float,
    alpha_negative: float,
    beta: float,
    low_influence: LowInfluence = "ramp",
    reduction: Reduction = "mean",
) -> Tensor:
    """The assistive loss of one teacher: weight · |T' - p|, the weight by region (see `region`).

        α⁺             in R_P: the student is worse than the teacher, pull it in
        α⁻ < 0         in R_N: it is better, push it past the teacher, towards the truth
        α⁻·u/(β·t)     in R_L: it is nearly there, let go ("ramp"; "zero" gives 0)

    Outside R_L it is a leaky hinge of who is closer: α⁺·max(u - t, 0) - |α⁻|·max(t - u, 0).
    The gradient flows through |T' - p| and the ramp's u, never through `teacher`. At its kinks
    u = 0 and u = t it is 0, as autograd has it for |·|.

    Args:
        pred, target, teacher: `(…, L, 2)`.
        alpha_positive, alpha_negative: α⁺ and α⁻.
        beta: Where R_L ends, as a share of t.
        low_influence: "ramp" as in the paper, or "zero" as in the released code.

    Example:
        >>> pred = torch.tensor([[0.5, 0.25], [0.16, 0.08]])
        >>> target, teacher = torch.zeros(2, 2), torch.full((2, 2), 0.4)
        >>> alphas = {"alpha_positive": 0.9, "alpha_negative": -0.45}
        >>> losses.assistive_loss(pred, target, teacher, **alphas, beta=0.4, reduction="none")
        tensor([[ 0.0900, -0.0675],
                [-0.1080, -0.0720]])
    """
    pred, target, teacher = checked(pred=pred, target=target, teacher=teacher)
    u, t = _distances(pred, target, teacher)
    regions = regions_of(u, t, beta, low_influence)
    gap = (t - u).abs()  # |T' - p|
    # Dividing by 1 outside R_L keeps 0/0, and with it NaN gradients, out of the branch not taken.
    ramp = u / torch.where(regions == LOW, beta * t, 1.0) if low_influence == "ramp" else 0.0
    loss = torch.where(regions == NEGATIVE, alpha_negative * gap, alpha_negative * ramp * gap)
    loss = torch.where(regions == POSITIVE, alpha_positive * gap, loss)
    return reduced(loss, None, reduction)


def region(
    pred: Tensor,
    target: Tensor,
    teacher: Tensor,
    *,
    beta: float,
    low_influence: LowInfluence = "ramp",
) -> Tensor:
    """Which region of the assistive loss each coordinate is in.

        region      "ramp" (paper)     "zero" (released code)
        POSITIVE    u >= t             u > t
        NEGATIVE    β·t <= u < t       β·t <= u <= t
        LOW         u < β·t            u < β·t
        NONE        –                  t = 0: no assistance from a perfect teacher

    Args:
        pred, target, teacher: `(…, L, 2)`.
        beta: Where R_L ends, as a share of t.

    Returns:
        `(…, L, 2)` int64: NONE, LOW, NEGATIVE or POSITIVE.

    Example:
        >>> pred = torch.tensor([[0.5, 0.25], [0.08, 0.0]])
        >>> losses.region(pred, torch.zeros(2, 2), torch.full((2, 2), 0.4), beta=0.4)
        tensor([[3, 2],
                [1, 1]])
    """
    pred, target, teacher = checked(pred=pred, target=target, teacher=teacher)
    return regions_of(*_distances(pred, target, teacher), beta, low_influence)


def _distances(pred, target, teacher):
    """u = |p - g| and t = |T - g|; t is a constant of the loss, no gradient goes through it."""
    return (pred - target).abs(), (teacher - target).abs().detach()


def regions_of(u, t, beta, low_influence):
    """`region` from the two distances."""
    if low_influence not in ("ramp", "zero"):
        raise ValueError(f"low_influence is {low_influence!r}, expected 'ramp' or 'zero'")
    better = torch.where(u < beta * t, LOW, NEGATIVE)
    if low_influence == "ramp":
        return torch.where(u >= t, POSITIVE, better)
    return torch.where(t > 0, torch.where(u > t, POSITIVE, better), NONE)


@dataclass(frozen=True)
class Assistance:
    """How one teacher assists: the arguments of `assistive_loss`."""

    alpha_positive: float
    alpha_negative: float
    beta: float
    low_influence: LowInfluence


@dataclass(frozen=True)
class KDSettings:
    """Every constant of KD-Loss.

    Attributes:
        tough, tolerant: How each teacher assists.
        tau, slope: Of the main loss. `tau=None` stands for |g - T_tolerant|, per coordinate.
        main_weight, tough_weight, tolerant_weight: Weights of the three terms.
    """

    tough: Assistance
    tolerant: Assistance
    tau: float | None
    slope: float
    main_weight: float
    tough_weight: float = 1.0
    tolerant_weight: float = 1.0

    def assisting(self, **changes) -> "KDSettings":
        """The same loss with other constants of `Assistance`, for both teachers alike."""
        tough, tolerant = replace(self.tough, **changes), replace(self.tolerant, **changes)
        return replace(self, tough=tough, tolerant=tolerant)


#: KD-Loss as the paper's figures plot it: 2.5·main + assist(Tough) + assist(Tolerant).
#:
#: Both teachers: α⁺ = 0.9, α⁻ = -0.45, β = 0.4, a linear ramp in R_L. Main: |e| up to τ = 0.5,
#: e² + τ - τ² beyond. The weight 2.5 is the figures'; the README of the authors' code says 2,
#: with which the truth is a local maximum (slope 2 - 2·0.45/0.4 = -0.25 beside it).
PAPER = KDSettings(
    tough=Assistance(0.9, -0.45, 0.4, "ramp"),
    tolerant=Assistance(0.9, -0.45, 0.4, "ramp"),
    tau=0.5,
    slope=1.0,
    main_weight=2.5,
)

#: KD-Loss as the authors' code has it: 2·main + assist(Tough) + assist(Tolerant).
#:
#: It differs from PAPER in every constant but one: Tough α⁺ = 1.9, α⁻ = -0.45 (the same);
#: Tolerant α⁺ = 1.8, α⁻ = -0.40; β = 0.15; nothing in R_L instead of a ramp, so the value drops
#: by |α⁻|(1 - β)t at u = β·t; nothing at all where the teacher is perfect (t = 0). Main: 3|e| up
#: to τ = |g - T_tolerant| of that coordinate, e² + 3τ - τ² beyond; its slope falls at τ.
RELEASED = KDSettings(
    tough=Assistance(1.9, -0.45, 0.15, "zero"),
    tolerant=Assistance(1.8, -0.40, 0.15, "zero"),
    tau=None,
    slope=3.0,
    main_weight=2.0,
)


class KDTerms(NamedTuple):
    """What `kd_loss` returns; the terms carry their weights, so total = main + tough + tolerant."""

    total: Tensor
    main: Tensor
    tough: Tensor
    tolerant: Tensor


def threshold(settings: KDSettings, target: Tensor, tolerant: Tensor | None) -> float | Tensor:
    """The main loss's τ: the settings' own, or |g - T_tolerant| per coordinate.

    Raises:
        ValueError: The settings have none (RELEASED) and there is no Tolerant teacher.
    """
    if settings.tau is not None:
        return settings.tau
    if tolerant is None:
        raise ValueError(
            "settings without a tau (RELEASED) take it from the Tolerant teacher, "
            "tau = |target - tolerant|: pass tolerant=…, or use PAPER"
        )
    return (target - tolerant).abs().detach()


def kd_loss(
    pred: Tensor,
    target: Tensor,
    tough: Tensor | None = None,
    tolerant: Tensor | None = None,
    *,
    settings: KDSettings = PAPER,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> KDTerms:
    """KD-Loss = w·main + w_tough·assist(Tough) + w_tolerant·assist(Tolerant).

    Args:
        pred, target: Student's prediction and hard landmarks, `(…, L, 2)`.
        tough, tolerant: The teachers' landmarks, `(…, L, 2)`; one left out contributes 0.
        settings: `PAPER`, `RELEASED`, or `dataclasses.replace(PAPER, main_weight=…)`.
        mask: `(…, L)` bool, the points that count (all without it). The mean is taken over these;
            without a single one it is 0, since asking would make a GPU wait.

    Raises:
        ValueError: `settings.tau` is None (RELEASED) and there is no Tolerant teacher to give τ.

    Example:
        >>> pred, target = torch.tensor([[0.25, 0.25]]), torch.zeros(1, 2)
        >>> tough, tolerant = torch.full((1, 2), 0.1), torch.full((1, 2), 0.4)
        >>> terms = losses.kd_loss(pred, target, tough, tolerant)
        >>> {name: round(float(value), 4) for name, value in terms._asdict().items()}
        {'total': 0.6925, 'main': 0.625, 'tough': 0.135, 'tolerant': -0.0675}
    """
    landmarks = dict(pred=pred, target=target, tough=tough, tolerant=tolerant)
    pred, target, tough, tolerant = checked(**landmarks)
    tau = threshold(settings, target, tolerant)
    main = settings.main_weight * main_loss(
        pred, target, tau=tau, slope=settings.slope, reduction="none"
    )

    def assist(teacher, weight, assistance):
        if teacher is None:
            return torch.zeros_like(main)
        return weight * assistive_loss(
            pred,
            target,
            teacher,
            alpha_positive=assistance.alpha_positive,
            alpha_negative=assistance.alpha_negative,
            beta=assistance.beta,
            low_influence=assistance.low_influence,
            reduction="none",
        )

    tough = assist(tough, settings.tough_weight, settings.tough)
    tolerant = assist(tolerant, settings.tolerant_weight, settings.tolerant)
    terms = [reduced(term, mask, reduction) for term in (main, tough, tolerant)]
    return KDTerms(sum(terms), *terms)
