"""Maps as they are compared, at one size, and what several metrics of a pair of maps share."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from fer_bench.au.resize import resize as resize_maps
from fer_bench.metrics._maps import has_map
from fer_bench.minmax import min_max

REGION = 0.5  # a pixel belongs to the region of the action units from half of the largest possible value on
LEVELS = 512  # steps between minimum and maximum of a map from which rankings of its pixels are read


@dataclass(frozen=True, eq=False)
class Found:
    """Maps of a classifier (N, H, W) >= 0, at the size of the comparison (see `as_attention` and `as_cam`)."""

    maps: Tensor

    @cached_property
    def total(self) -> Tensor:
        """(N,) sum of each map."""
        return self.maps.sum(dim=(1, 2))

    @cached_property
    def largest(self) -> np.ndarray:
        """(N, H, W) bool: pixels with the largest value of their map."""
        return (self.maps == self.maps.amax(dim=(1, 2), keepdim=True)).numpy()

    @cached_property
    def levels(self) -> np.ndarray:
        """(N, H * W) whole numbers 0..LEVELS-1: where each pixel lies between its map's minimum and maximum."""
        level = (min_max(self.maps).flatten(1) * LEVELS).to(torch.int32)
        return level.clamp_max(LEVELS - 1).numpy()

    @cached_property
    def pixels(self) -> np.ndarray:
        """(N, LEVELS) number of pixels of each level."""
        return self._counted(self._cells.ravel())

    def inside(self, region: np.ndarray) -> np.ndarray:
        """(N, LEVELS) number of pixels of each level inside a region (N, H, W) bool."""
        return self._counted(self._cells[region.reshape(self._cells.shape)])

    def weighed(self, weights: Tensor) -> np.ndarray:
        """(N, LEVELS) sum over the pixels of each level of weights (H, W), the same for every image."""
        return self._counted(self._cells.ravel(), np.tile(weights.flatten().numpy(), len(self.maps)))

    @cached_property
    def above(self) -> np.ndarray:
        """(N, H, W) bool: pixels above Otsu's threshold, which splits the levels into two classes of least variance.

        Otsu 1979, DOI 10.1109/TSMC.1979.4310076. Of equal thresholds the lowest; nothing of a constant map is above.
        """
        share = self.pixels / self.pixels.sum(axis=1, keepdims=True)
        below, mean = share.cumsum(axis=1), (share * np.arange(LEVELS)).cumsum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            between = (mean[:, -1:] * below - mean) ** 2 / (below * (1 - below))
        # A cumulated share that is 1 up to rounding leaves no class above it.
        threshold = np.where((below > 0) & (below < 1 - 1e-9), between, -1.0).argmax(axis=1)
        threshold[(self.pixels > 0).sum(axis=1) == 1] = LEVELS
        return (self.levels > threshold[:, None]).reshape(self.maps.shape)

    @cached_property
    def _cells(self) -> np.ndarray:
        """(N, H * W): levels numbered through the images, so that one count does for all."""
        return self.levels + np.arange(len(self.maps), dtype=np.int32)[:, None] * LEVELS

    def _counted(self, cells: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(cells, weights, len(self.maps) * LEVELS).reshape(len(self.maps), LEVELS)


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a batch of maps is compared with.

    maps: (N, H, W) in [0, 1], infinite where a face has no map. others: (N, J, H, W), the maps that J other classes
    have on the same face, infinite where they have none; None where maps belong to no class. prior: (H, W) mean map of
    the training split over all classes.
    """

    maps: Tensor
    others: Tensor | None
    prior: Tensor

    @cached_property
    def valid(self) -> Tensor:
        """(N,) bool: the face has a map."""
        return has_map(self.maps)

    @cached_property
    def region(self) -> np.ndarray:
        """(N, H, W) bool: pixels of the action units' region; none where the face has no map."""
        return ((self.maps >= REGION) & self.valid[:, None, None]).numpy()

    @cached_property
    def area(self) -> np.ndarray:
        """(N,) pixels of the region."""
        return np.count_nonzero(self.region, axis=(1, 2))

    @cached_property
    def other_directions(self) -> Tensor:
        """(N, J, H * W) maps of the other classes, of length 1; NaN where there is none."""
        flat = torch.zeros(len(self.maps), 0, 1) if self.others is None else self.others.flatten(2)
        known = torch.isfinite(flat).all(dim=2, keepdim=True)
        return torch.where(known, nn.functional.normalize(torch.where(known, flat, 0.0), dim=2), torch.nan)


@dataclass(frozen=True, eq=False)
class Pair:
    """Maps found and maps wanted, and what is counted on both."""

    found: Found
    wanted: Wanted

    @cached_property
    def levels_inside(self) -> np.ndarray:
        """(N, LEVELS) pixels of the region of each level of the map found."""
        return self.found.inside(self.wanted.region)

    def defined(self, scores: Tensor | np.ndarray) -> Tensor:
        """Scores (N,) with NaN where the face has no map or its region has no pixel."""
        return torch.where(torch.from_numpy(self.wanted.area > 0), torch.as_tensor(scores).float(), torch.nan)


def as_attention(attention: Tensor, size: tuple[int, int], resize: str, shift: bool) -> Found:
    """Bring attention (N, h, w) to `size` as `attention_cosine` does; a negative minimum becomes 0 where `shift`."""
    low, high = attention.amin(dim=(1, 2), keepdim=True), attention.amax(dim=(1, 2), keepdim=True)
    found = resize_maps(attention, size, resize).clamp(low, high)
    return Found(found - low.clamp_max(0) if shift else found)


def as_cam(cams: Tensor, size: tuple[int, int], resize: str = "halfpixel") -> Found:
    """Bring class activation maps (N, h, w) to `size` as `cam_cosine` does: min-max at their own grid first."""
    return Found(resize_maps(min_max(cams), size, resize).clamp(0, 1))
