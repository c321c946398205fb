"""Distances between an attention map and an action-unit map, one value per sample."""

import math
from collections.abc import Callable

import torch
from torch.nn import functional

EPS = 1e-8
STD_EPS = 1e-4

Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _cosine(attention: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return 1 - functional.cosine_similarity(attention, maps, dim=1, eps=EPS)


def _std_cosine(attention: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    centred = attention - attention.mean(dim=1, keepdim=True)
    return _cosine(centred / (attention.std(dim=1, keepdim=True) + STD_EPS), maps)


def _l1(attention: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return (attention - maps).abs().mean(dim=1)


def _l2(attention: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    return (attention - maps).square().mean(dim=1)


def _kl(attention: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """KL(A ‖ T), every pixel a Bernoulli variable, T after a spatial softmax."""
    log_inside = attention.log_softmax(dim=1)
    # A softmax that puts everything on one pixel would make log(1 - p) infinite there.
    log_outside = torch.log((1 - log_inside.exp()).clamp_min(EPS))
    cross_entropy = maps * log_inside + (1 - maps) * log_outside
    entropy = torch.xlogy(maps, maps) + torch.xlogy(1 - maps, 1 - maps)
    return (entropy - cross_entropy).mean(dim=1)


def extended_log_barrier(values: torch.Tensor, steepness: float) -> torch.Tensor:
    """Penalty of the constraint value <= 0: -ln(-value) / t up to value = -1/t², its tangent beyond.

    Args:
        values: any shape; the penalty is taken element by element.
        steepness: t > 0. The larger, the closer to a wall at 0.

    Source: the log-barrier extension of Kervadec et al., arXiv 1904.04205.
    """
    t = steepness
    # The clamp keeps the logarithm, which is not used beyond the joint, from sending NaN into the gradient.
    inside = -torch.log((-values).clamp_min(1 / t**2)) / t
    tangent = t * values - math.log(1 / t**2) / t + 1 / t
    return torch.where(values <= -1 / t**2, inside, tangent)


# Each takes two (B, P) tensors, pixels flattened, and returns (B,).
_DISTANCES: dict[str, Distance] = {
    "cosine": _cosine,
    "std_cosine": _std_cosine,
    "l1": _l1,
    "l2": _l2,
    "kl": _kl,
}
BARRIER = "elb"
LOSSES = (*_DISTANCES, BARRIER)


def distance(loss: str, attention: torch.Tensor, maps: torch.Tensor, steepness: float = 1.0) -> torch.Tensor:
    """Compare two (B, P) tensors, pixels flattened, by the loss named; (B,)."""
    if loss == BARRIER:
        return extended_log_barrier(_cosine(attention, maps) - 1, steepness)
    return _DISTANCES[loss](attention, maps)
