"""Rank correlation of the attention with the map of what contributes to the true class's logit."""

import numpy as np
import torch
from scipy.stats import rankdata

from fer_bench.metrics._maps import pearson
from fer_bench.metrics.base import DecisionMetric


class Metric(DecisionMetric):
    """Spearman's rank correlation over the positions of the last layer; chance is 0.

    Attention, the mean over channels, is what guidance moves; the decision weighs channels. 1: the classifier decides
    where its attention is highest.
    """

    id = "decision_rank"
    label = "rank correlation with the decision"
    direction = "higher"
    citation = "10.2307/1412159"

    def per_image(self, features: torch.Tensor, contributions: torch.Tensor) -> dict[str, torch.Tensor]:
        """(N,) in [-1, 1]; 0 where one of the maps is constant."""
        return {"": pearson(_ranks(features.mean(dim=1)), _ranks(contributions.sum(dim=1))).float()}


def _ranks(maps: torch.Tensor) -> torch.Tensor:
    """(N, h, w) -> ranks of each map's positions, equal values sharing their mean rank."""
    return torch.from_numpy(np.asarray(rankdata(maps.flatten(1).numpy(), axis=1))).view(maps.shape)
