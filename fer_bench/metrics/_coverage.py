"""How much of a map lies in the region of each action unit, relative to a map that is even over the face."""

import torch
from torch import Tensor


def coverage(maps: Tensor, regions: Tensor, face: Tensor) -> Tensor:
    """Return the coverage of each region: its mean over the mean of the whole face.

    (Σ map in region / Σ map in face) / (pixels of the region / pixels of the face). 1 is what any map has that is even
    over the face, whatever it does outside; its largest value is pixels of the face / pixels of the region.

    Args:
        maps: (N, H, W) >= 0.
        regions: (N, U, H, W) bool, each a part of the face.
        face: (N, H, W) bool.

    Returns:
        (N, U); NaN where a region has no pixel or the map is zero all over the face.
    """
    inside = torch.einsum("nhw,nuhw->nu", maps.double(), regions.double())
    whole = (maps.double() * face).sum(dim=(1, 2))[:, None]
    share = face.sum(dim=(1, 2)).double()[:, None] / regions.sum(dim=(2, 3))
    return torch.where((whole > 0) & torch.isfinite(share), inside / whole * share, torch.nan)
