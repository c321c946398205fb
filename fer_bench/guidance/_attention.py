"""From the features of a layer to one attention map per sample."""

from collections.abc import Callable

import torch

from fer_bench import processes
from fer_bench.errors import InputError, unknown

# Each takes features (B, C, h, w) and the share q, and returns the channels whose mean is the attention.
_CHOICES: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
    "avg": lambda features, q: features,
    "avg_half_left": lambda features, q: features[:, : max(features.shape[1] // 2, 1)],
    "avg_half_right": lambda features, q: features[:, features.shape[1] // 2 :],
    "avg_fixed_q": lambda features, q: features[:, : max(int(features.shape[1] * q), 1)],
}
RANDOM = "random_avg"
ATTENTIONS = (*_CHOICES, RANDOM)
NORMALISATIONS = ("none", "softmax")


def attention_map(
    features: torch.Tensor,
    attention: str = "avg",
    normalise: str = "none",
    shift: bool = False,
    p: float = 1.0,
    q: float = 1.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Reduce features (B, C, h, w) to one attention map per sample, (B, h, w); options as in `alignment_loss`."""
    reduced = _mean(features, attention, p, q, generator)
    if normalise == "softmax":
        reduced = reduced.flatten(1).softmax(dim=1).view_as(reduced)
    if shift:
        reduced = reduced - reduced.amin(dim=(1, 2), keepdim=True).clamp_max(0)
    return reduced


def check(attention: str, normalise: str, p: float, q: float) -> None:
    """Raise InputError unless the options are among those that exist, p and q in (0, 1]."""
    for what, given, known in (("attention", attention, ATTENTIONS), ("normalise", normalise, NORMALISATIONS)):
        if given not in known:
            raise unknown(what, given, f"guidance: {what}", known)
    for what, share in (("p", p), ("q", q)):
        if not 0 < share <= 1:
            raise InputError(f"guidance: {what}: given {share}; a share of channels lies in (0, 1]")


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """Leave half precision: the cosine of a map needs more than its eleven bits."""
    return torch.promote_types(dtype, torch.float32)


def _mean(
    features: torch.Tensor, attention: str, p: float, q: float, generator: torch.Generator | None
) -> torch.Tensor:
    # Half precision is left while summing: a whole copy of the features in float32 would cost memory for nothing.
    dtype = at_least_float32(features.dtype)
    if attention != RANDOM:
        return _CHOICES[attention](features, q).mean(dim=1, dtype=dtype)
    if generator is None or p == 1:
        return features.mean(dim=1, dtype=dtype)
    # Drawn where the generator lives, the processor as a rule, so that every device keeps the same channels; and for
    # the images of all processes, so that each image's channels do not hang on how many there are.
    total, own = processes.rows_of_whole(len(features))
    kept = (torch.rand((total, features.shape[1]), generator=generator, device=generator.device) < p)[own]
    kept = kept.to(features.device)[:, :, None, None]
    return torch.where(kept, features, 0).sum(dim=1, dtype=dtype) / kept.sum(dim=1).clamp_min(1)
