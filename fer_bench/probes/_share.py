"""How much of a map lies on some pixels: the share of its energy there, its chance level and its ceiling."""

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fer_bench.au import resize
from fer_bench.minmax import min_max


def at_size(maps: Tensor, side: int, how: str = "halfpixel") -> Tensor:
    """Min-max maps (B, h, w) each by itself, and bring them to (B, side, side), in [0, 1]."""
    return resize(min_max(maps.float()), (side, side), how).clamp(0, 1)


def energy_share(maps: Tensor, covers: Tensor) -> Tensor:
    """Share of each map's sum on covered pixels: non-negative (B, H, W) twice -> (B,); NaN for a map of zeros.

    The energy inside a region of Score-CAM (Wang et al. 2020, DOI 10.1109/CVPRW50498.2020.00020, section 4.3).
    """
    total = maps.flatten(1).sum(dim=1)
    inside = (maps * covers).flatten(1).sum(dim=1)
    return torch.where(total > 0, inside / total.clamp_min(torch.finfo(maps.dtype).tiny), torch.nan)


def covers_at(covers: np.ndarray, side: int) -> Tensor:
    """Bring covered pixels (N, H, W) bool to (N, side, side): the covered share of each pixel."""
    return functional.adaptive_avg_pool2d(torch.from_numpy(covers).float()[:, None], side)[:, 0]


def ceiling(covers: Tensor, grid: tuple[int, int], how: str = "halfpixel") -> Tensor:
    """Largest share that any non-negative map of a grid (h, w) can have on covered pixels (N, H, W) -> (N,).

    A share of a sum of cells lies between those of the cells, so the best map is a single cell.
    """
    cells = _cells(grid, int(covers.shape[-1]), how)
    return (covers.flatten(1) @ (cells / cells.sum(dim=1, keepdim=True)).T).amax(dim=1)


@cache
def _cells(grid: tuple[int, int], side: int, how: str) -> Tensor:
    """Each cell of the grid alone, brought to size: (h w, side²)."""
    single = torch.eye(grid[0] * grid[1]).view(-1, *grid)
    return resize(single, (side, side), how).clamp(0, 1).flatten(1)
