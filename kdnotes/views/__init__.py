"""Views: what a network sees of a face, and how landmarks move along.

    drawn = views.sample_views(faces.rows, 0, seed=0)
    images, landmarks = views.warp(images, landmarks, drawn, size=96, scheme=68)

`sampling` draws what a view is, `geometric` moves pictures and landmarks with one matrix,
`photometric` changes light and colours.
"""

from kdnotes.views.geometric import (
    flip,
    renumber,
    to_tensor,
    unwarp_points,
    warp,
    warp_images,
    warp_points,
)
from kdnotes.views.photometric import photometric
from kdnotes.views.sampling import STILL, ViewConfig, Views, plain_views, sample_views

__all__ = [
    "STILL", "ViewConfig", "Views", "flip", "photometric", "plain_views", "renumber",
    "sample_views", "to_tensor", "unwarp_points", "warp", "warp_images", "warp_points",
]  # fmt: skip
