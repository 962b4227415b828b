"""Views: what a network sees of a face, and how landmarks move along.

    drawn = views.sample_views(faces.rows, 0, seed=0)
    images, landmarks = views.warp(images, landmarks, drawn, size=96, scheme=68)

`geometric` moves pictures and landmarks with one matrix, `photometric` changes light and colours.
"""

from kdnotes.views.geometric import (
    STILL,
    ViewConfig,
    Views,
    flip,
    plain_views,
    renumber,
    sample_views,
    to_tensor,
    unwarp_points,
    warp,
    warp_images,
    warp_points,
)
from kdnotes.views.photometric import photometric

__all__ = [
    "STILL", "ViewConfig", "Views", "flip", "photometric", "plain_views", "renumber",
    "sample_views", "to_tensor", "unwarp_points", "warp", "warp_images", "warp_points",
]  # fmt: skip
