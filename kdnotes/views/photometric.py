"""What a view does to light and colours, once it has been cut out: a batch at a time."""

import functools

import torch
import torch.nn.functional as F


def photometric(images: torch.Tensor, views) -> torch.Tensor:
    """Grey, blur, contrast, brightness, gamma, noise and covering patch of each view.

    Args:
        images: `(B, 3, size, size)` from 0 to 1; they may be overwritten.
        views: The batch's `Views`.

    Example:
        >>> images = torch.full((1, 3, 8, 8), 0.5)
        >>> torch.equal(views.photometric(images, views.plain_views(1)), images)  # nothing strays
        True
    """
    size = images.shape[-1]
    if "tone" in views.changes:
        contrast, brightness, gamma = (value.view(-1, 1, 1, 1) for value in views.tone.unbind(-1))
        images = contrast * images + (0.5 - 0.5 * contrast + brightness)
        images = images.clamp_(1e-4, 1).pow_(gamma)
    if "grey" in views.changes:
        grey = images.mean(dim=1, keepdim=True)
        images = torch.lerp(images, grey, views.grey.view(-1, 1, 1, 1))
    if "blur" in views.changes:
        images = torch.lerp(images, _box_blur(images), views.blur.view(-1, 1, 1, 1))
    if "noise" in views.changes:
        place = (views.noise[:, 1:] * (size + 1)).long().clamp_(max=size)  # 1.0 may occur
        row, column = place.unbind(-1)
        noise = _grain(size, images.device)[row, column]  # (B, 3, H, W)
        images = noise.mul_(views.noise[:, 0].view(-1, 1, 1, 1)).add_(images).clamp_(0, 1)
    if "patch" not in views.changes:
        return images
    middle = (torch.arange(size, device=images.device) + 0.5) / size - 0.5
    left, top, right, bottom = (value.view(-1, 1, 1) for value in views.patch.unbind(-1))
    column, row = middle.view(1, 1, -1), middle.view(1, -1, 1)
    covered = (column >= left) & (column < right) & (row >= top) & (row < bottom)  # (B, H, W)
    return torch.where(covered[:, None], views.patch_colour[:, :, None, None], images)


def _box_blur(images):
    """The mean of each pixel and its eight neighbours."""
    x = F.pad(images, (1, 1, 1, 1), mode="replicate")
    x = (x[..., :-2] + x[..., 1:-1]).add_(x[..., 2:])
    return (x[..., :-2, :] + x[..., 1:-1, :]).add_(x[..., 2:, :]).div_(9)


@functools.cache
def _grain(size, device):
    """Normal noise to cut pictures from: `(size + 1, size + 1, 3, size, size)`, all in one tile."""
    generator = torch.Generator().manual_seed(0)
    tile = torch.randn(2 * size, 2 * size, 3, generator=generator).to(device)
    return tile.unfold(0, size, 1).unfold(1, size, 1)
