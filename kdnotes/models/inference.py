"""A network's landmarks for a whole face set."""

import numpy as np
import torch
from torch import nn

from kdnotes.data.faceset import FaceSet
from kdnotes.models.network import plain
from kdnotes.views import STILL, ViewConfig, sample_views, to_tensor, unwarp_points, warp_images


@torch.no_grad()
def predict(
    net: nn.Module,
    faces: FaceSet,
    *,
    moved: ViewConfig = STILL,
    seed: int = 0,
    batch_size: int = 64,
) -> np.ndarray:
    """The landmarks that a network sees in all faces, each in its plain crop.

    A stored crop is a square, scaled alike in x and y, so errors divided by a distance in the face
    are the same in these units and in pixels of the source picture.

    Args:
        net: On the device that is to compute.
        moved: How far the crops that are seen stray from the plain ones.
        seed: Of these views.
        batch_size: Faces at once.

    Returns:
        `(N, L, 2)` float32, in stored-crop units.

    Raises:
        ValueError: The network is one for another number of points.
    """
    net = plain(net)
    if net.config.n_points != faces.scheme.n_points:
        raise ValueError(
            f"the network has {net.config.n_points} landmarks, the faces have "
            f"{faces.scheme.n_points}"
        )
    device = next(net.parameters()).device
    zoom = faces.zoom(net.config.crop_margin)
    was_training = net.training
    net.eval()
    landmarks = []
    for start in range(0, len(faces), batch_size):
        chosen = np.arange(start, min(start + batch_size, len(faces)))
        views = sample_views(faces.rows[chosen], 0, seed=seed, config=moved, zoom=zoom).to(device)
        images = warp_images(to_tensor(faces.images[chosen], device), views, net.config.size)
        images = images.contiguous(memory_format=torch.channels_last)
        landmarks.append(unwarp_points(net(images).float(), views, faces.scheme).cpu().numpy())
    net.train(was_training)
    return np.concatenate(landmarks)
