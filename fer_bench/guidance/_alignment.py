"""The alignment term: how far layer-wise attention is from the action-unit map (Belharbi et al., arXiv 2402.00281)."""

from collections.abc import Callable, Mapping, Sequence

import torch

from fer_bench.au.resize import resize as resize_maps
from fer_bench.errors import InputError, unknown
from fer_bench.guidance._losses import DISTANCES

# Features (B, C, h, w) -> the channels whose mean is the attention.
ATTENTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "avg": lambda features: features,
    "avg_half_left": lambda features: features[:, : max(features.shape[1] // 2, 1)],
    "avg_half_right": lambda features: features[:, features.shape[1] // 2 :],
}
NORMALISATIONS = ("none", "softmax")
SCALES = ("attention", "heatmap")


def alignment_loss(
    features: Mapping[int, torch.Tensor],
    maps: torch.Tensor,
    valid: torch.Tensor,
    layers: Sequence[int | str],
    loss: str = "cosine",
    resize: str = "paper",
    attention: str = "avg",
    normalise: str = "none",
    scale_to: str = "attention",
    shift: bool = False,
) -> torch.Tensor:
    """Mean over layers of the mean over valid samples of the distance between attention and map.

    The defaults give the term of Belharbi et al. (arXiv 2402.00281) without its weight λ: 1 - cosine of the
    channel mean T and the map A, A resized to T and clamped to its own range.

    Args:
        features: layer -> (B, C, h, w), any float type; the term itself is computed in float32.
        maps: (B, H, W) in [0, 1]; rows that are not valid may hold anything.
        valid: (B,) bool; a map with a pixel that is not finite counts as invalid too.
        layers: keys of `features`; `last` is the highest of them.
        loss: `cosine`, `std_cosine` (T standardised first), `l1`, `l2` or `kl`.
        resize: `paper` (the stretch resize of the published code) or `halfpixel`.
        attention: mean of all channels (`avg`) or of a half (`avg_half_left`, `avg_half_right`).
        normalise: `none`, or `softmax` over the pixels of T before the loss.
        scale_to: bring A to the size of T (`attention`) or T to the size of A (`heatmap`).
        shift: subtract the minimum of T where it is negative, as the published score does and its loss does not.

    Returns:
        A scalar with a graph, >= 0; exactly 0 when no sample is valid.

    Raises:
        InputError: an unknown option, an unknown layer, or no layer at all.
    """
    _check(layers, loss, attention, normalise, scale_to)
    valid = valid & torch.isfinite(maps).flatten(1).all(dim=1)
    terms = []
    with torch.autocast(device_type=maps.device.type, enabled=False):
        # Invalid rows become zeros, so that what they hold can reach neither the value nor the gradient.
        target = torch.where(valid[:, None, None], maps.to(at_least_float32(maps.dtype)), 0.0)
        for layer in layers:
            source = attention_map(features[layer_key(features, layer)], attention, normalise, shift)
            first, second = _same_size(source, target, resize, scale_to)
            distance = DISTANCES[loss](first.flatten(1), second.flatten(1))
            terms.append(torch.where(valid, distance, 0.0).sum() / valid.sum().clamp_min(1))
    return torch.stack(terms).mean()


def attention_map(
    features: torch.Tensor, attention: str = "avg", normalise: str = "none", shift: bool = False
) -> torch.Tensor:
    """Reduce features (B, C, h, w) to one attention map per sample, (B, h, w)."""
    # Half precision is left while summing: a whole copy of the features in float32 would cost memory for nothing.
    reduced = ATTENTIONS[attention](features).mean(dim=1, dtype=at_least_float32(features.dtype))
    if normalise == "softmax":
        reduced = reduced.flatten(1).softmax(dim=1).view_as(reduced)
    if shift:
        reduced = reduced - reduced.amin(dim=(1, 2), keepdim=True).clamp_max(0)
    return reduced


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """Leave half precision: the cosine of a map needs more than its eleven bits."""
    return torch.promote_types(dtype, torch.float32)


def layer_key(features: Mapping[int, torch.Tensor], layer: int | str) -> int:
    """Return the key that a layer name stands for: `last` is the highest number."""
    key = max(features) if layer == "last" and "last" not in features else layer
    if key not in features:
        raise unknown("layer", layer, "guidance: layers", [*features, "last"])
    return key  # type: ignore[return-value]


def _same_size(
    attention: torch.Tensor, maps: torch.Tensor, how: str, scale_to: str
) -> tuple[torch.Tensor, torch.Tensor]:
    if scale_to == "attention":
        return attention, _resize_clamped(maps, attention.shape[-2:], how)
    return _resize_clamped(attention, maps.shape[-2:], how), maps


def _resize_clamped(maps: torch.Tensor, size: Sequence[int], how: str) -> torch.Tensor:
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return resize_maps(maps, (size[0], size[1]), how).clamp(low, high)


def _check(layers: Sequence[int | str], loss: str, attention: str, normalise: str, scale_to: str) -> None:
    if not layers:
        raise InputError("guidance: no layer given; at least one of the classifier's layers is needed")
    for what, given, known in (
        ("loss", loss, DISTANCES),
        ("attention", attention, ATTENTIONS),
        ("normalise", normalise, NORMALISATIONS),
        ("scale_to", scale_to, SCALES),
    ):
        if given not in known:
            raise unknown(what, given, f"guidance: {what}", known)
