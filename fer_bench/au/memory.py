"""Memory for maps."""

import numpy as np
import torch
from torch import Tensor


def new_maps(faces: int, size: tuple[int, int], device: torch.device) -> Tensor:
    """Return maps (N, H, W) float32 that are still to be written.

    On the CPU the memory is NumPy's, for that asks the system for huge pages where they may be had: to be handed
    ordinary pages, a few KiB each, takes about as long as to draw the maps.
    """
    if device.type == "cpu":
        return torch.from_numpy(np.empty((faces, *size), dtype=np.float32))
    return torch.empty(faces, *size, device=device)
