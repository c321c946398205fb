"""Maps that know nothing, or nothing but the label: what every score is printed beside."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

SMOOTHNESS = 1 / 16  # standard deviation of the smoothing, as a share of the map's side


def random_smooth_maps(
    names: Sequence[str], grid: tuple[int, int], seed: int = 0, smoothness: float = SMOOTHNESS
) -> torch.Tensor:
    """White noise, smoothed: (N, h, w), a map per name, the same for the same name, grid and seed on every machine."""
    return torch.stack([torch.from_numpy(_smooth_noise(f"{seed}/{name}", grid, smoothness)) for name in names])


def _smooth_noise(identity: str, grid: tuple[int, int], smoothness: float) -> np.ndarray:
    digest = hashlib.sha256(identity.encode()).digest()
    noise = np.random.default_rng(int.from_bytes(digest[:16], "big")).standard_normal(grid)
    return gaussian_filter(noise, [smoothness * side for side in grid], mode="wrap").astype(np.float32)


class MeanMaps:
    """Mean map of each class and of all images, filled batch by batch from the training split alone."""

    def __init__(self, num_classes: int) -> None:
        self.counts = torch.zeros(num_classes, dtype=torch.int64)
        self._sums: torch.Tensor | None = None

    def add(self, maps: torch.Tensor, labels: torch.Tensor, valid: torch.Tensor) -> None:
        """Count maps (B, H, W) under labels (B,); rows that are not valid (B,) are skipped."""
        kept, classes = maps[valid].to(torch.float64), labels[valid]
        if self._sums is None:
            self._sums = torch.zeros(len(self.counts), *maps.shape[1:], dtype=torch.float64)
        self._sums.index_add_(0, classes, kept)
        self.counts += torch.bincount(classes, minlength=len(self.counts))

    @property
    def class_means(self) -> torch.Tensor:
        """(K, H, W) float32; zeros for a class without a map."""
        return (self._total() / self.counts.clamp_min(1)[:, None, None]).to(torch.float32)

    @property
    def blind_mean(self) -> torch.Tensor:
        """(H, W) float32: the mean over all maps, whatever their class."""
        return (self._total().sum(dim=0) / self.counts.sum().clamp_min(1)).to(torch.float32)

    def _total(self) -> torch.Tensor:
        if self._sums is None:
            raise ValueError("MeanMaps: nothing was added yet")
        return self._sums
