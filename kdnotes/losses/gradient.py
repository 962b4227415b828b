"""The gradient of KD-Loss in closed form (notebook 03 derives it).

With u = |p - g|, t = |T - g| and e = p - g, everything in KD-Loss is a function of u, and du/dp is
sign(e). So each term's gradient is its slope along u, times sign(e): it points along the line from
the truth through the prediction, whatever side the teacher stands on.
"""

import torch
from torch import Tensor

from kdnotes.losses.kd import (
    LOW,
    NEGATIVE,
    PAPER,
    POSITIVE,
    Assistance,
    KDSettings,
    KDTerms,
    regions_of,
    threshold,
)
from kdnotes.losses.plain import Reduction, checked, reduced


def main_slope(u: Tensor, tau: float | Tensor, slope: float) -> Tensor:
    """d main / du: `slope` up to `tau`, 2u beyond."""
    return torch.where(u <= tau, slope, 2 * u)


def assistive_slope(u: Tensor, t: Tensor, assistance: Assistance) -> Tensor:
    """d assist / du: α⁺ in R_P, |α⁻| in R_N, α⁻·(t - 2u)/(β·t) in R_L with its ramp, else 0.

    At u = t the two sides disagree, and the slope is 0, as autograd has it.
    """
    regions = regions_of(u, t, assistance.beta, assistance.low_influence)
    beside = torch.sign(u - t)  # d|t - u| / du
    slope = torch.where(regions == POSITIVE, assistance.alpha_positive * beside, 0.0)
    slope = torch.where(regions == NEGATIVE, assistance.alpha_negative * beside, slope)
    if assistance.low_influence == "ramp":
        low = regions == LOW
        border = torch.where(low, assistance.beta * t, 1.0)
        slope = torch.where(low, assistance.alpha_negative * (t - 2 * u) / border, slope)
    return slope


def kd_loss_grad(
    pred: Tensor,
    target: Tensor,
    tough: Tensor | None = None,
    tolerant: Tensor | None = None,
    *,
    settings: KDSettings = PAPER,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> KDTerms:
    """The gradient of `kd_loss` with respect to `pred`, term by term, without autograd.

    Args:
        pred, target, tough, tolerant, settings, mask: As for `kd_loss`.
        reduction: Of the loss that is differentiated: "mean" divides by the number of coordinates
            that count, "none" gives each coordinate's own slope.

    Returns:
        `KDTerms` of `(…, L, 2)`: what `torch.autograd.grad` gives for each term.

    Example:
        >>> pred, target = torch.tensor([[0.25, 0.25]]), torch.zeros(1, 2)
        >>> tough, tolerant = torch.full((1, 2), 0.1), torch.full((1, 2), 0.4)
        >>> losses.kd_loss_grad(pred, target, tough, tolerant, reduction="none").total
        tensor([[3.8500, 3.8500]])
    """
    landmarks = dict(pred=pred, target=target, tough=tough, tolerant=tolerant)
    pred, target, tough, tolerant = checked(**landmarks)
    error = pred - target
    u, side = error.abs(), torch.sign(error)
    tau = threshold(settings, target, tolerant)

    def pull(teacher, weight, assistance):
        if teacher is None:
            return torch.zeros_like(u)
        return weight * side * assistive_slope(u, (teacher - target).abs(), assistance)

    terms = [
        settings.main_weight * side * main_slope(u, tau, settings.slope),
        pull(tough, settings.tough_weight, settings.tough),
        pull(tolerant, settings.tolerant_weight, settings.tolerant),
    ]
    terms = [reduced(term, mask, "none") for term in terms]
    if reduction == "mean":
        n = u.numel() if mask is None else max(int(mask.sum()) * u.shape[-1], 1)
        terms = [term / n for term in terms]
    elif reduction != "none":
        raise ValueError(f"reduction is {reduction!r}, expected 'mean' or 'none'")
    return KDTerms(sum(terms), *terms)
