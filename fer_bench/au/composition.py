"""From region maps on the 28x28 grid to the map of a face: upsample, maximum over regions, min-max, in that order."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from fer_bench.au import raster_paper
from fer_bench.au.codebook import check_variant
from fer_bench.au.resize import halfpixel

GRID = raster_paper.GRID
_CONSTANT = 3e-6  # relative spread below which a map is constant up to rounding
_BLOCK = 4  # grid cells per matrix product: a product over all 28 costs three times as much
_CPU_PIXELS = 1 << 20  # upsampled pixels per step: 4 MiB stay in the cache
_DEVICE_PIXELS = 1 << 28


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
    maps = out if out is not None and direct else layers.new_empty(len(layers), *inner)
    if inner == (GRID, GRID):
        torch.amax(layers, dim=1, out=maps)
        if normalise:
            _min_max_(maps)
    else:
        _blend_upsampled(layers, maps, normalise)
    if direct or inner == tuple(size):
        return maps
    maps = halfpixel(maps, size).clamp_(max=1)  # rounding of weights that add up to 1
    return maps if out is None else out.copy_(maps)


def _blend_upsampled(layers: Tensor, out: Tensor, normalise: bool) -> None:
    """Write the maximum over the upsampled layers, a few faces at a time in scratch arrays that stay in the cache.

    Faces with as many layers go together, so that few empty ones are upsampled.
    """
    (faces, count), size = layers.shape[:2], out.shape[1:]
    budget = _CPU_PIXELS if layers.device.type == "cpu" else _DEVICE_PIXELS
    step = max(1, min(faces, budget // max(1, count * size.numel())))
    large, maps = layers.new_empty(step * count, *size), layers.new_empty(step, *size)
    position = torch.arange(1, count + 1, device=layers.device)
    used, order = ((layers.amax((2, 3)) > 0) * position).amax(1).sort()  # up to the last layer that is not empty
    for start in range(0, faces, step):
        chosen = order[start : start + step]
        most = max(int(used[start : start + step][-1]), 1)
        part = layers[chosen, :most].view(-1, GRID, GRID)
        _upsample(part, large[: len(part)])
        blended = torch.amax(large[: len(part)].view(-1, most, *size), dim=1, out=maps[: len(chosen)])
        if normalise:
            _min_max_(blended)
        out.index_copy_(0, chosen, blended)


def _min_max_(maps: Tensor) -> None:
    """Stretch each map to [0, 1] in place; a constant one becomes 0."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    span = high - low
    constant = span <= _CONSTANT * high
    maps.sub_(torch.where(constant, 0, low)).div_(torch.where(constant, torch.inf, span))


def _upsample(layers: Tensor, out: Tensor) -> None:
    """Resize (M, 28, 28) layers to the size of `out` (M, H, W) as OpenCV's bilinear resize does.

    Where the size is a multiple of 28 the products run over blocks of four cells with a neighbour on either side, for
    a product over all 28 multiplies mostly zeros.
    """
    height, width = out.shape[1:]
    if height % GRID or width % GRID:
        wide = torch.matmul(layers, _matrix(GRID, width, layers.device).T)
        torch.bmm(_matrix(GRID, height, layers.device).expand(len(layers), -1, -1), wide, out=out)
        return
    padded = pad(layers, (1, 1, 1, 1), mode="replicate")
    columns = padded.unfold(2, _BLOCK + 2, _BLOCK).reshape(-1, _BLOCK + 2)
    wide = torch.mm(columns, _block_matrix(width // GRID, layers.device).T).view(len(layers), GRID + 2, width)
    rows = wide.unfold(1, _BLOCK + 2, _BLOCK).transpose(2, 3).reshape(-1, _BLOCK + 2, width)
    matrix = _block_matrix(height // GRID, layers.device).expand(len(rows), -1, -1)
    torch.bmm(matrix, rows, out=out.view(len(rows), -1, width))


@lru_cache(maxsize=64)
def _matrix(source: int, target: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return raster_paper.bilinear(source, target).to(device, torch.float32)


@lru_cache(maxsize=64)
def _block_matrix(factor: int, device: torch.device) -> Tensor:
    """Return the rows of the resize that belong to an inner block: (4 factor, 6), one cell of border either side."""
    with torch.inference_mode(False):
        rows = slice(_BLOCK * factor, 2 * _BLOCK * factor)
        columns = slice(_BLOCK - 1, 2 * _BLOCK + 1)
        return raster_paper.bilinear(GRID, GRID * factor)[rows, columns].to(device, torch.float32)
