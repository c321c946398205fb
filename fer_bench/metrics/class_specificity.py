"""Class specificity: does a map resemble its own class's action units more than those of the other classes?"""

import torch
from torch import nn

from fer_bench.metrics._compared import Pair
from fer_bench.metrics._maps import cosine
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """Cosine with the map of the true class less the mean cosine with the other classes' maps of the same face.

    A map that says no more than where the face is scores 0 on average over the classes, however high its cosine.
    """

    id = "class_specificity"
    label = "class specificity"
    direction = "higher"
    citation = ""

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,) in [-1, 1]; NaN where maps belong to no class, or no other class has a map on the face."""
        found, wanted = pair.found.maps, pair.wanted
        if wanted.others is None:
            return torch.full((len(found),), torch.nan)
        directions = nn.functional.normalize(found.flatten(1), dim=1)
        others = torch.einsum("np,njp->nj", directions, wanted.other_directions).nanmean(dim=1)
        return torch.where(wanted.valid, cosine(found, wanted.maps), torch.nan) - others
