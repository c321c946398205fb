"""Orders in which the pixels of an image are taken away or shown: by a map, or patch after patch at random."""

import numpy as np
import torch
from torch import Tensor


def by_patches(grid: tuple[int, int], side: int, random: np.random.Generator) -> Tensor:
    """Return (side²,) pixel numbers: whole cells of a map's grid (h, w) in random order, each from its upper left on.

    Single pixels at random would be another question: they destroy texture everywhere, which no coarse map can do.
    """
    rows, columns = (np.arange(side) * cells // side for cells in grid)
    place = random.permutation(grid[0] * grid[1])[rows[:, None] * grid[1] + columns]
    return torch.from_numpy(np.argsort(place.ravel(), kind="stable"))


def by_map(maps: Tensor, ties: Tensor) -> Tensor:
    """Return (B, H * W) pixel numbers, the largest value of maps (B, H, W) first.

    ties: (B, H * W), the order of pixels whose values are equal; a map without any difference follows it wholly.
    """
    values = maps.flatten(1).gather(1, ties)
    return ties.gather(1, values.argsort(dim=1, descending=True, stable=True))


def leading(orders: Tensor, share: float, side: int) -> Tensor:
    """Return (B, 1, side, side) bool: the first pixels of each order (B, side²) up to a share of all."""
    chosen = torch.zeros(orders.shape, dtype=torch.bool)
    chosen.scatter_(1, orders[:, : round(share * orders.shape[1])], True)
    return chosen.view(len(orders), 1, side, side)
