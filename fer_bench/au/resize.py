"""The two ways to resize a map: the "stretch" operator of the published code and the ordinary half-pixel one.

Both are separable triangle filters and differ in one number, the step between output samples in source pixels:
(n - 1) / (m - 1) for stretch, n / m for half-pixel. Stretch is what bilinear interpolation with antialias *and*
align-corners computes in PyTorch: a magnification anchored at the top left corner (Belharbi et al., arXiv 2402.00281).
"""

from functools import lru_cache

import torch
from torch import Tensor

from fer_bench.errors import unknown

OPERATORS: tuple[str, ...] = ("paper", "halfpixel")


def stretch(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (..., H, W) maps to `size` (h, w) as the published code does for attention and target.

    Content moves by the factor (h / H) (H - 1) / (h - 1) away from the top left corner: up to 16 % for 7 -> 224.
    """
    return _separable(maps, size, aligned=True)


def halfpixel(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (..., H, W) maps to `size` (h, w) with ordinary bilinear interpolation, antialiased when it shrinks.

    Equal to `torch.nn.functional.interpolate(mode="bilinear", align_corners=False, antialias=True)`.
    """
    return _separable(maps, size, aligned=False)


def resize(maps: Tensor, size: tuple[int, int], how: str = "paper") -> Tensor:
    """Resize (..., H, W) maps to `size` with the operator named "paper" (stretch) or "halfpixel"."""
    if how not in OPERATORS:
        raise unknown("resize", how, "au.resize", OPERATORS)
    return stretch(maps, size) if how == "paper" else halfpixel(maps, size)


def _separable(maps: Tensor, size: tuple[int, int], aligned: bool) -> Tensor:
    height, width = int(maps.shape[-2]), int(maps.shape[-1])
    target_height, target_width = int(size[0]), int(size[1])
    if (height, width) == (target_height, target_width):
        return maps
    # Mixed precision must not round the maps: half-precision input is promoted and autocast is switched off here.
    maps = maps if maps.dtype in (torch.float32, torch.float64) else maps.float()
    with torch.autocast(maps.device.type, enabled=False):
        rows = _matrix(height, target_height, aligned, maps.dtype, maps.device)
        columns = _matrix(width, target_width, aligned, maps.dtype, maps.device)
        return torch.matmul(rows, torch.matmul(maps, columns.T))


@lru_cache(maxsize=256)
def _matrix(source: int, target: int, aligned: bool, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A cached tensor made in inference mode could not take part in a later backward pass.
    with torch.inference_mode(False):
        return weights(source, target, aligned).to(device, dtype)


def weights(source: int, target: int, aligned: bool) -> Tensor:
    """Return the (target, source) float64 interpolation matrix of one axis; rows sum to 1.

    `aligned` selects the stretch step (source - 1) / (target - 1), else source / target.
    """
    step = _step(source, target, aligned)
    reach = max(step, 1.0)
    centre = step * (torch.arange(target, dtype=torch.float64) + 0.5)
    first = (centre - reach + 0.5).trunc().clamp(min=0)
    last = (centre + reach + 0.5).trunc().clamp(max=source) - 1
    tap = torch.arange(source, dtype=torch.float64)
    weight = (1 - (tap + 0.5 - centre[:, None]).abs() / reach).clamp(min=0)
    weight = weight * ((tap >= first[:, None]) & (tap <= last[:, None]))
    return weight / weight.sum(1, keepdim=True)


def _step(source: int, target: int, aligned: bool) -> float:
    if not aligned:
        return source / target
    return (source - 1) / (target - 1) if target > 1 else 0.0
