"""Scores of chance, of references and of the ceiling; maps (N, H, W) in, (N,) out, NaN where there is no map."""

from collections.abc import Sequence

import torch

from fer_bench.au.resize import resize as resize_maps
from fer_bench.metrics._maps import attention_cosine, cam_cosine, cosine, has_map
from fer_bench.metrics.references._ceiling import ceiling_maps
from fer_bench.metrics.references._fixed import random_smooth_maps


def chance_constant(maps: torch.Tensor) -> torch.Tensor:
    """Chance level of ATT-COS: the cosine of a constant attention with each map."""
    return fixed_map(torch.ones(maps.shape[1:]), maps)


def chance_random(
    maps: torch.Tensor, names: Sequence[str], grid: tuple[int, int], resize: str = "halfpixel", seed: int = 0
) -> torch.Tensor:
    """Chance level of CAM-COS: a random smooth map per image at the classifier's grid, scored like a CAM.

    (A constant CAM scores 0 by definition, so it is no chance level here.)

    Args:
        maps: (N, H, W).
        names: (N,) image ids, which alone decide the random maps, with `seed`.
        grid: (h, w) of the class activation maps.
        resize: as in `cam_cosine`.
        seed: for further draws.
    """
    return cam_cosine(random_smooth_maps(names, grid, seed).to(maps.device), maps, resize)


def chance_untrained(cams: torch.Tensor, maps: torch.Tensor, resize: str = "halfpixel") -> torch.Tensor:
    """Chance level of CAM-COS from the same network untrained: its explainer output (N, h, w), scored like any CAM."""
    return cam_cosine(cams, maps, resize)


def fixed_map(reference: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Score a reference that no classifier made, at the size of the maps.

    Args:
        reference: (H, W) one map for all (centred Gaussian, class-blind mean), or (N, H, W) one per image
            (the mean map of each image's class: `class_means[labels]`).
        maps: (N, H, W).
    """
    found = cosine(reference.to(maps.device).expand_as(maps), maps)
    return torch.where(has_map(maps), found, torch.nan)


def ceiling(maps: torch.Tensor, grid: tuple[int, int], resize: str = "halfpixel", as_cam: bool = False) -> torch.Tensor:
    """Highest score that a non-negative map of this grid can reach, see `ceiling_maps`.

    Args:
        maps: (N, H, W).
        grid: (h, w) of the attention or class activation map.
        resize: the up-sampling that scores it.
        as_cam: score with min-max, as class activation maps are, instead of as attention.
    """
    valid = has_map(maps)
    best = ceiling_maps(torch.where(valid[:, None, None], maps, 0.0), grid, resize)
    return _scored(best, maps, resize, as_cam)


def training_target_scored(
    maps: torch.Tensor,
    grid: tuple[int, int],
    train_resize: str = "halfpixel",
    score_resize: str = "halfpixel",
    as_cam: bool = False,
) -> torch.Tensor:
    """Score of the very map that training asks for: each map brought down to the grid, as if learnt exactly.

    Args:
        maps: (N, H, W).
        grid: (h, w) of the guided layer.
        train_resize: the operator of the loss.
        score_resize: the operator of the score.
        as_cam: score with min-max, as class activation maps are.
    """
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    target = resize_maps(maps, grid, train_resize).clamp(low, high)
    return _scored(target, maps, score_resize, as_cam)


def normalised(score: float, chance: float, ceiling: float) -> float:
    """Place a score between a chance level, to be named beside it, and the ceiling: 0 at chance, 1 at the ceiling."""
    return (score - chance) / (ceiling - chance)


def _scored(coarse: torch.Tensor, maps: torch.Tensor, resize: str, as_cam: bool) -> torch.Tensor:
    if as_cam:
        return cam_cosine(coarse, maps, resize)
    return attention_cosine(coarse, maps, resize)
