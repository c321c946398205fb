"""The alignment term: how far layer-wise attention is from the action-unit map (Belharbi et al., arXiv 2402.00281)."""

from collections.abc import Callable, Mapping, Sequence

import torch

from fer_bench.au.resize import resize as resize_maps
from fer_bench.errors import InputError, unknown
from fer_bench.guidance import _attention
from fer_bench.guidance._attention import at_least_float32, attention_map
from fer_bench.guidance._losses import LOSSES, distance

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
    p: float = 1.0,
    q: float = 1.0,
    generator: torch.Generator | None = None,
    steepness: float = 1.0,
    mean_count: Callable[[torch.Tensor], torch.Tensor] = torch.clone,
) -> torch.Tensor:
    """Mean over layers of the mean over valid samples of the distance between attention and map.

    The defaults give the term of Belharbi et al. (arXiv 2402.00281) without its weight λ: 1 - cosine of the
    channel mean T and the map A, A resized to T and clamped to its own range.

    Args:
        features: layer -> (B, C, h, w), any float type; the term itself is computed in float32.
        maps: (B, H, W) in [0, 1]; rows that are not valid may hold anything.
        valid: (B,) bool; a map with a pixel that is not finite counts as invalid too.
        layers: keys of `features`; `last` is the highest of them.
        loss: `cosine`, `std_cosine` (T standardised first), `l1`, `l2`, `kl`, or `elb`, the extended log-barrier of
            the constraint -cosine <= 0.
        resize: `paper` (the stretch resize of the published code) or `halfpixel`.
        attention: mean of all channels (`avg`), of a half (`avg_half_left`, `avg_half_right`), of the first
            max(int(C q), 1) (`avg_fixed_q`), or of those that a coin per sample and channel keeps (`random_avg`).
        normalise: `none`, or `softmax` over the pixels of T before the loss.
        scale_to: bring A to the size of T (`attention`) or T to the size of A (`heatmap`).
        shift: subtract the minimum of T where it is negative, as the published score does and its loss does not.
        p: probability of a channel to be kept by `random_avg`, in (0, 1].
        q: share of the channels that `avg_fixed_q` reads, in (0, 1].
        generator: source of `random_avg`, drawn from layer by layer; without one all channels are kept.
        steepness: t of `elb`, at least 1; with 1 it is 1 - cosine, larger ones fall more steeply near a cosine of 0.
        mean_count: makes of the number of valid samples what their sum is divided by, where a batch is shared by
            several processes: its mean over them.

    Returns:
        A scalar with a graph, >= 0 (up to rounding); exactly 0 when no sample is valid.

    Raises:
        InputError: an unknown option or one out of its range, an unknown layer, or no layer at all.
    """
    _check(layers, loss, scale_to, steepness)
    _attention.check(attention, normalise, p, q)
    valid = valid & torch.isfinite(maps).flatten(1).all(dim=1)
    terms = []
    count = mean_count(valid.sum().float())
    with torch.autocast(device_type=maps.device.type, enabled=False):
        # Invalid rows become zeros, so that what they hold can reach neither the value nor the gradient.
        target = torch.where(valid[:, None, None], maps.to(at_least_float32(maps.dtype)), 0.0)
        for layer in layers:
            own = features[layer_key(features, layer)]
            source = attention_map(own, attention, normalise, shift, p, q, generator)
            first, second = _same_size(source, target, resize, scale_to)
            distances = distance(loss, first.flatten(1), second.flatten(1), steepness)
            terms.append(torch.where(valid, distances, 0.0).sum() / torch.where(count > 0, count, 1.0))
    return torch.stack(terms).mean()


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


def _check(layers: Sequence[int | str], loss: str, scale_to: str, steepness: float) -> None:
    if not layers:
        raise InputError("guidance: no layer given; at least one of the classifier's layers is needed")
    for what, given, known in (("loss", loss, LOSSES), ("scale_to", scale_to, SCALES)):
        if given not in known:
            raise unknown(what, given, f"guidance: {what}", known)
    if steepness < 1:
        raise InputError(f"guidance: steepness: given {steepness}; t of the log-barrier starts at 1 and grows")
