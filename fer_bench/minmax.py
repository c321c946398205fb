"""Min-max normalisation of maps, the same for explainers and scores."""

import torch


def min_max(maps: torch.Tensor) -> torch.Tensor:
    """Stretch each map (..., h, w) to [0, 1]; a constant map has no shape to show and becomes zeros.

    A map that holds NaN becomes zeros too, and infinite pixels 1 or 0 by their sign
    (the published evaluation does the same; Belharbi et al., arXiv 2402.00281).
    """
    low = maps.amin(dim=(-2, -1), keepdim=True)
    span = maps.amax(dim=(-2, -1), keepdim=True) - low
    return torch.nan_to_num((maps - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
