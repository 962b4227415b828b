"""How a view moves a picture and its landmarks: one 2×3 matrix for both.

A *view* is what a network sees of a stored crop: its inner part, landmark box × crop margin,
turned, scaled, shifted, perhaps mirrored, with other light and perhaps with a patch over it. Its
pixels may differ by rounding, less than 1e-5 of white, with the batch it is in: `warp_images` reads
the part of the crops that the whole batch needs.

Units: landmarks have their origin at the picture's centre and the image width as their unit.
Times two these are the coordinates of `affine_grid(align_corners=False)`, so the matrix that moves
the landmarks, inverted, is the one that `grid_sample` needs.
"""

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F

from kdnotes.data.schemes import Scheme, get
from kdnotes.views.photometric import photometric
from kdnotes.views.sampling import Views, stored_points


def _in_full_precision(function):
    """Switches autocast off: 16 bits would move landmarks, and what a view shows, by a pixel."""

    @functools.wraps(function)
    def wrapped(tensor, *args, **options):
        with torch.autocast(tensor.device.type, enabled=False):
            return function(tensor, *args, **options)

    return wrapped


@_in_full_precision
def warp_points(points: torch.Tensor, views: Views, scheme: Scheme | int) -> torch.Tensor:
    """Landmarks `(B, L, 2)` of stored crops as landmarks of the views, renumbered if mirrored.

    Example:
        >>> corner = torch.tensor([[[0.1, 0.2]]])
        >>> views.warp_points(corner, views.plain_views(1, zoom=2.0), Scheme(1))
        tensor([[[0.2000, 0.4000]]])
    """
    moved = points @ views.matrix[:, :, :2].mT + views.matrix[:, None, :, 2]  # (B, L, 2)
    return renumber(moved, views, scheme)


@_in_full_precision
def unwarp_points(points: torch.Tensor, views: Views, scheme: Scheme | int) -> torch.Tensor:
    """The way back: landmarks `(B, L, 2)` of the views as landmarks of the stored crops.

    Example:
        >>> drawn = views.sample_views([7], 0, seed=0)
        >>> points = torch.zeros(1, 68, 2) + 0.1
        >>> there = views.warp_points(points, drawn, 68)
        >>> torch.allclose(views.unwarp_points(there, drawn, 68), points)
        True
    """
    return renumber(stored_points(points, views.matrix), views, scheme)


def renumber(values: torch.Tensor, views: Views, scheme: Scheme | int) -> torch.Tensor:
    """`values` `(B, L, …)` per landmark, with left and right exchanged in mirrored views.

    Raises:
        ValueError: A mirrored view of a scheme without a flip.

    Example:
        >>> from dataclasses import replace
        >>> mirrored = replace(views.plain_views(1), flip=torch.tensor([True]))
        >>> views.renumber(torch.arange(68)[None], mirrored, 68)[0, :3]
        tensor([16, 15, 14])
    """
    if get(scheme).flip is None:
        if views.flip.any():
            raise ValueError("this scheme has no flip; draw views with ViewConfig().on(scheme)")
        return values
    flip = _order(get(scheme).flip, values.device)
    mirrored = views.flip.view(-1, *[1] * (values.ndim - 1))
    return torch.where(mirrored, values[:, flip], values)


@functools.cache
def _order(flip, device):
    """The order of mirrored landmarks, once on each device."""
    return torch.tensor(flip, device=device)


@_in_full_precision
def warp_images(images: torch.Tensor, views: Views, size: int) -> torch.Tensor:
    """Stored crops `(B, 3, H, W)`, uint8 or from 0 to 1, as views `(B, 3, size, size)`.

    Example:
        >>> crops = torch.full((2, 3, 44, 44), 255, dtype=torch.uint8)
        >>> views.warp_images(crops, views.plain_views(2), size=32).shape
        torch.Size([2, 3, 32, 32])
    """
    white = 255 if images.dtype == torch.uint8 else 1
    # A view much smaller than its source skips pixels; averaging blocks first keeps all of them.
    # Blocks that divide the picture evenly leave the unit (the image width) as it is.
    width = images.shape[-1]
    block = max(1, int(width / views.zoom / size))
    while width % block:
        block -= 1
    # The rim that no view shows need not be looked at; two pixels more are read between pixels.
    rim = max(0, math.floor((0.5 - views.reach) * width / block) - 2) * block
    images = images[..., rim : width - rim, rim : width - rim].float()
    if block > 1:
        images = F.avg_pool2d(images, block)
    inverse = torch.linalg.inv_ex(views.matrix[:, :, :2]).inverse  # `inv` would make a GPU wait
    offset = -2 * inverse @ views.matrix[:, :, 2:]
    theta = torch.cat([inverse, offset], dim=-1) * (width / (width - 2 * rim))  # (B, 2, 3)
    grid = F.affine_grid(theta, (len(images), 3, size, size), align_corners=False)
    warped = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return photometric(warped.div_(white), views)  # divided here, where fewer pixels are left


def warp(
    images: torch.Tensor, landmarks: torch.Tensor, views: Views, size: int, scheme: Scheme | int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Stored crops and their landmarks as views: `warp_images` and `warp_points` in one call.

    Args:
        images: `(B, 3, H, W)` stored crops, uint8 or from 0 to 1.
        landmarks: `(B, L, 2)` in stored-crop units.
        size: Side of the views in pixels.

    Returns:
        Images `(B, 3, size, size)` from 0 to 1 and landmarks `(B, L, 2)` in network-crop units.

    Example:
        >>> crops, landmarks = torch.zeros(2, 3, 44, 44), torch.zeros(2, 68, 2)
        >>> drawn = views.sample_views([7, 8], 0, seed=0)
        >>> images, landmarks = views.warp(crops, landmarks, drawn, size=32, scheme=68)
        >>> images.shape, landmarks.shape
        (torch.Size([2, 3, 32, 32]), torch.Size([2, 68, 2]))
    """
    return warp_images(images, views, size), warp_points(landmarks, views, scheme)


def flip(
    images: torch.Tensor, landmarks: torch.Tensor, scheme: Scheme | int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror images of pictures `(B, 3, H, W)` and landmarks `(B, L, 2)`.

    Example:
        >>> image, points = torch.zeros(1, 3, 4, 4), torch.zeros(1, 68, 2)
        >>> points[0, 0, 0] = -0.4  # the right end of the jaw, at the left of the picture
        >>> round(float(views.flip(image, points, 68)[1][0, 16, 0]), 2)
        0.4
    """
    if get(scheme).flip is None:
        raise ValueError(f"this {get(scheme).n_points}-point scheme has no flip")
    order = _order(get(scheme).flip, landmarks.device)
    mirrored = landmarks[:, order] * landmarks.new_tensor([-1.0, 1.0])
    return images.flip(-1), mirrored


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """Stored crops `(B, H, W, 3)` uint8 as a tensor `(B, 3, H, W)` uint8 on `device`.

    Example:
        >>> views.to_tensor(np.zeros((2, 44, 44, 3), np.uint8)).shape
        torch.Size([2, 3, 44, 44])
    """
    images = np.require(images, requirements=["C", "W"])  # row by row, and writable
    return torch.from_numpy(images).to(device, non_blocking=True).permute(0, 3, 1, 2)
