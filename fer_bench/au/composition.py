"""From region maps on the 28x28 grid to the map of a face: upsample, maximum over regions, min-max, in that order."""

import numpy as np
import torch
from torch import Tensor

from fer_bench.au.codebook import check_variant
from fer_bench.au.memory import new_maps
from fer_bench.au.raster_paper import GRID
from fer_bench.au.resize import halfpixel
from fer_bench.au.upsampling import largest

_CONSTANT = 3e-6  # relative spread below which a map is constant up to rounding


def compose(
    regions: Tensor | np.ndarray,
    wanted: Tensor | np.ndarray,
    size: tuple[int, int],
    variant: str = "paper",
    peaks: Tensor | np.ndarray | None = None,
) -> tuple[Tensor, Tensor]:
    """Compose each face's map from its region maps.

    Args:
        regions: (N, R, 28, 28) region maps in [0, 1], or uint8 where 255 stands for 1 (for `peaks`, if given).
        wanted: (N, R) bool, the regions that make up the map; a region that is not drawn is not to be wanted.
        size: (H, W) of the result.
        variant: "paper": the result is min-max normalised over its pixels; "facs": it is not.
        peaks: (N, R) value that 255 stands for in each region.

    Returns:
        maps: (N, H, W) float32 in [0, 1]; all zero where invalid.
        valid: (N,) bool: at least one region is wanted.

    Sizes of at least 28 are OpenCV's bilinear upsampling of each region (the published code's step 5), then the
    maximum, then min-max. Smaller sizes are composed at 28 and then reduced with the half-pixel resize.

    """
    check_variant(variant)
    regions, wanted = torch.as_tensor(regions), torch.as_tensor(wanted)
    layers, chosen = _pick(regions, wanted)
    if peaks is not None:
        peak = torch.as_tensor(peaks).to(layers).gather(1, chosen)
        layers = layers * peak[..., None, None]
    return blend(layers, size, normalise=variant == "paper"), wanted.any(1)


def _pick(regions: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Return the wanted regions as (N, K, 28, 28) float32, zero-filled up to the largest count, and their rows."""
    count = max(int(wanted.sum(1).max()), 1) if len(wanted) else 1
    present, chosen = wanted.to(torch.uint8).sort(dim=1, descending=True, stable=True)
    present, chosen = present[:, :count], chosen[:, :count]
    scale = 255.0 if regions.dtype == torch.uint8 else 1.0
    layers = regions[torch.arange(len(regions), device=regions.device)[:, None], chosen].to(torch.float32)
    return layers * (present.to(torch.float32) / scale)[..., None, None], chosen


def blend(
    layers: Tensor, size: tuple[int, int], normalise: bool, out: Tensor | None = None, reduce: bool = True
) -> Tensor:
    """Blend (N, K, 28, 28) float32 layers into (N, H, W) maps, in `out` if given.

    `reduce` composes sizes below 28 at 28 and then antialiases; without it OpenCV's plain bilinear resize is used.
    """
    least = GRID if reduce else 1
    inner = (max(size[0], least), max(size[1], least))
    direct = out is not None and inner == tuple(size)
    maps = out if out is not None and direct else new_maps(len(layers), inner, layers.device)
    if inner == (GRID, GRID):
        torch.amax(layers, dim=1, out=maps)
        if normalise:
            _min_max_(maps)
    else:
        largest(layers, maps, _min_max_ if normalise else _as_it_is)
    if direct or inner == tuple(size):
        return maps
    maps = halfpixel(maps, size).clamp_(max=1)  # rounding of weights that add up to 1
    return maps if out is None else out.copy_(maps)


def _min_max_(maps: Tensor) -> None:
    """Stretch each map to [0, 1] in place; a constant one becomes 0."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    span = high - low
    constant = span <= _CONSTANT * high
    maps.sub_(torch.where(constant, 0, low)).div_(torch.where(constant, torch.inf, span))


def _as_it_is(maps: Tensor) -> None:
    """Leave maps that are not normalised alone."""
