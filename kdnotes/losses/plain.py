"""The plain losses that KD-Loss is compared with, and what all losses share: checks and the mean.

None of them knows a teacher. Wing and smooth L1 are defined in pixels elsewhere; here the unit is
the width of the crop, so their constants are divided by 256. With the usual numbers only one of
their branches would ever be used.
"""

import functools
import math
from typing import Literal

import torch
from torch import Tensor

Reduction = Literal["mean", "none"]


def l1(
    pred: Tensor, target: Tensor, *, mask: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """|e| per coordinate. Arguments as for `kd_loss`.

    Example:
        >>> losses.l1(torch.tensor([[0.3, 0.1]]), torch.zeros(1, 2))
        tensor(0.2000)
    """
    return reduced(_distance(pred, target), mask, reduction)


def l2(
    pred: Tensor, target: Tensor, *, mask: Tensor | None = None, reduction: Reduction = "mean"
) -> Tensor:
    """e² per coordinate: the mean squared error that the teachers are trained with.

    Example:
        >>> losses.l2(torch.tensor([[0.3, 0.1]]), torch.zeros(1, 2))
        tensor(0.0500)
    """
    return reduced(_distance(pred, target) ** 2, mask, reduction)


def smooth_l1(
    pred: Tensor,
    target: Tensor,
    *,
    beta: float = 1 / 256,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """e²/(2·beta) where |e| < beta, |e| - beta/2 beyond; `beta` in crop widths (Girshick 2015).

    Example:
        >>> errors = torch.tensor([[0.001, 0.1]])
        >>> losses.smooth_l1(errors, torch.zeros(1, 2), reduction="none")
        tensor([[0.0001, 0.0980]])
    """
    u = _distance(pred, target)
    return reduced(torch.where(u < beta, u**2 / (2 * beta), u - beta / 2), mask, reduction)


def wing(
    pred: Tensor,
    target: Tensor,
    *,
    w: float = 10 / 256,
    epsilon: float = 2 / 256,
    mask: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """w·ln(1 + |e|/epsilon) where |e| < w, |e| - C beyond, C making it continuous.

    Large slopes at small errors (Feng et al., CVPR 2018); `w` and `epsilon` in crop widths.

    Example:
        >>> errors = torch.tensor([[0.01, 0.1]])
        >>> losses.wing(errors, torch.zeros(1, 2), reduction="none")
        tensor([[0.0322, 0.1309]])
    """
    u = _distance(pred, target)
    offset = w - w * math.log1p(w / epsilon)
    loss = torch.where(u < w, w * torch.log1p(u / epsilon), u - offset)
    return reduced(loss, mask, reduction)


def _distance(pred: Tensor, target: Tensor) -> Tensor:
    pred, target = checked(pred=pred, target=target)
    return (pred - target).abs()


def checked(**landmarks: Tensor | None) -> list[Tensor | None]:
    """The arguments of a loss, by name, in the precision to compute in; None stays None.

    Raises:
        TypeError: Not a tensor of floating-point numbers.
        ValueError: Shapes differ, no values, or (on the CPU) a value that is not finite.
    """
    given = {name: values for name, values in landmarks.items() if values is not None}
    for name, values in given.items():
        if not isinstance(values, Tensor) or not values.is_floating_point():
            kind = values.dtype if isinstance(values, Tensor) else type(values).__name__
            raise TypeError(
                f"{name} is {kind}, expected a tensor of floating-point numbers; landmarks are in "
                f"crop widths, so whole numbers are probably pixels: convert them first"
            )
    first, shape = next((name, values.shape) for name, values in given.items())
    for name, values in given.items():
        if values.shape != shape or not values.numel():
            raise ValueError(
                f"{name} has shape {tuple(values.shape)} and {first} {tuple(shape)}; "
                "expected one shape (…, L, 2), the same for all, with at least one point"
            )
        _check_finite(name, values)
    # From float32 upwards: half precision would round landmarks by a tenth of a pixel.
    dtype = functools.reduce(torch.promote_types, (v.dtype for v in given.values()), torch.float32)
    return [None if values is None else values.to(dtype) for values in landmarks.values()]


def _check_finite(name: str, values: Tensor) -> None:
    if torch.compiler.is_compiling() or values.device.type != "cpu":
        return  # a look at the values would split the graph, or make the GPU wait
    finite = torch.isfinite(values)
    if not finite.all():
        index = tuple((~finite).nonzero()[0].tolist())
        raise ValueError(
            f"{name}{list(index)} is {values[index].item()}, expected finite landmarks; for a "
            "prediction lower the learning rate, for landmarks check the data"
        )


def reduced(loss: Tensor, mask: Tensor | None, reduction: Reduction) -> Tensor:
    """`loss` (…, L, 2), 0 where `mask` (…, L) is false; or its mean where it is true."""
    if reduction not in ("mean", "none"):
        raise ValueError(f"reduction is {reduction!r}, expected 'mean' or 'none'")
    if mask is None:
        return loss.mean() if reduction == "mean" else loss
    if mask.dtype != torch.bool or mask.shape != loss.shape[:-1]:
        raise ValueError(
            f"mask is {mask.dtype} of shape {tuple(mask.shape)}, expected bool of shape "
            f"{tuple(loss.shape[:-1])}, true for each point that counts"
        )
    loss = torch.where(mask[..., None], loss, 0.0)
    if reduction == "none":
        return loss
    # At least 1: without a single point the mean is 0 and not 0/0.
    return loss.sum() / (mask.sum() * loss.shape[-1]).clamp_min(1)
