"""How alike two maps are: cosine and correlation of equal-sized maps, and the two scores built on them."""

from collections.abc import Callable

import torch

from fer_bench.au.resize import resize as resize_maps
from fer_bench.minmax import min_max

EPS = 1e-8

Similarity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Cosine of each pair of maps, flattened, not centred; NaN becomes 0.

    Args:
        a: (N, H, W).
        b: (N, H, W), the same size: nothing is resized or normalised here.

    Returns:
        (N,) in [-1, 1]; 0 where a map is all zero (norms are at least 1e-8).
    """
    first, second = _flat(a), _flat(b)
    if first.shape != second.shape:
        raise ValueError(f"cosine: maps of shape {tuple(a.shape)} and {tuple(b.shape)}; both must be alike")
    return torch.nan_to_num((first * second).sum(dim=1) / (_length(first) * _length(second)), nan=0.0)


def pearson(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of each pair of maps (N, H, W) -> (N,) in [-1, 1]; 0 where a map is constant.

    Unlike the cosine it is blind to an offset, and its chance level is 0.
    """
    return cosine(_centred(a), _centred(b))


def attention_cosine(
    attention: torch.Tensor,
    maps: torch.Tensor,
    resize: str = "paper",
    shift: bool | None = None,
    similarity: Similarity = cosine,
) -> torch.Tensor:
    """ATT-COS of each image: the attention brought to the size of the map, compared with it.

    Args:
        attention: (N, h, w), or features (N, C, h, w), whose channel mean it is then.
        maps: (N, H, W) in [0, 1]; a map with a pixel that is not finite is no map.
        resize: `paper` (the stretch resize of the published code) or `halfpixel`.
        shift: subtract the attention's own minimum where that is negative. The published score does so and its loss
            does not; None follows that under `paper` and compares what the loss compares under `halfpixel`.
        similarity: `cosine` or `pearson`.

    Returns:
        (N,); NaN where there is no map.
    """
    found = torch.as_tensor(attention)
    if found.ndim == 4:
        found = found.mean(dim=1)
    found, target = _floating(found), _floating(maps)
    low, high = found.amin(dim=(1, 2), keepdim=True), found.amax(dim=(1, 2), keepdim=True)
    found = resize_maps(found, _size(target), resize).clamp(low, high)
    if resize == "paper" if shift is None else shift:
        found = found - low.clamp_max(0)
    return _undefined_without_map(similarity(found, target), target)


def cam_cosine(
    cams: torch.Tensor, maps: torch.Tensor, resize: str = "halfpixel", similarity: Similarity = cosine
) -> torch.Tensor:
    """CAM-COS of each image: min-max at the native grid, up to the size of the map, compared with it.

    Args:
        cams: (N, h, w), raw or already in [0, 1] (min-max changes nothing then); a constant map scores 0.
        maps: (N, H, W) in [0, 1]; a map with a pixel that is not finite is no map.
        resize: `halfpixel`, as the published code has it for class activation maps, or `paper`.
        similarity: `cosine` or `pearson`.

    Returns:
        (N,); NaN where there is no map.
    """
    target = _floating(maps)
    found = resize_maps(min_max(_floating(cams)), _size(target), resize).clamp(0, 1)
    return _undefined_without_map(similarity(found, target), target)


def has_map(maps: torch.Tensor) -> torch.Tensor:
    """(N, H, W) -> (N,) bool: every pixel is finite."""
    return torch.isfinite(maps).flatten(1).all(dim=1)


def _undefined_without_map(scores: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return torch.where(has_map(maps), scores, torch.nan)


def _floating(maps: torch.Tensor) -> torch.Tensor:
    """Tensor of at least single precision; whole numbers and half precision are converted."""
    tensor = torch.as_tensor(maps)
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _flat(maps: torch.Tensor) -> torch.Tensor:
    return _floating(maps).flatten(1)


def _length(flat: torch.Tensor) -> torch.Tensor:
    """Length of each row, at least 1e-8; summed as the product is, so that a map's cosine with itself is 1."""
    return flat.square().sum(dim=1).sqrt().clamp_min(EPS)


def _centred(maps: torch.Tensor) -> torch.Tensor:
    flat = _flat(maps)
    constant = flat.amax(dim=1, keepdim=True) == flat.amin(dim=1, keepdim=True)
    # The mean of equal numbers is not exactly that number: without this, rounding noise would be correlated.
    return torch.where(constant, 0.0, flat - flat.mean(dim=1, keepdim=True))


def _size(maps: torch.Tensor) -> tuple[int, int]:
    return int(maps.shape[-2]), int(maps.shape[-1])
