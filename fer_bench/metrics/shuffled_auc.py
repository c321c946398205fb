"""Shuffled AUC: are this face's regions told from where regions lie on any face?"""

import torch

from fer_bench.metrics._compared import Pair
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """Area under the ROC curve with negatives drawn from other images' regions (Zhang et al. 2008; Borji et al. 2013).

    Positives are the pixels of the region. Negatives are not drawn at random: every pixel counts with its value in the
    mean map of the training split over all classes, which is the limit of endlessly many draws. A constant map scores
    0.5, and one that only knows where faces have action units little more: the mean map has tails, regions have none.
    """

    id = "shuffled_auc"
    label = "shuffled AUC"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = "10.1109/ICCV.2013.118"

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,) in [0, 1]; pixels of one level count half."""
        negatives = pair.found.weighed(pair.wanted.prior)
        beaten = (pair.levels_inside * (negatives.cumsum(axis=1) - negatives / 2)).sum(axis=1)
        return pair.defined(beaten / (pair.wanted.area.clip(1) * negatives.sum(axis=1)))
