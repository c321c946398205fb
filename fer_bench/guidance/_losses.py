"""Distances between an attention map and an action-unit map, one value per sample."""

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


# Each takes two (B, P) tensors, pixels flattened, and returns (B,).
DISTANCES: dict[str, Distance] = {
    "cosine": _cosine,
    "std_cosine": _std_cosine,
    "l1": _l1,
    "l2": _l2,
    "kl": _kl,
}
