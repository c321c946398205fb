"""XGradCAM: channels weighted by their gradients, averaged where the channel is active."""

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer


class Explainer(GradientExplainer):
    """Fu et al. 2020: weights Σ_ij g F / Σ_ij F; behind average pooling and a linear layer GradCAM.

    Derived for features that are not negative. A channel that sums to zero has no such weight and is left out.
    """

    label = "XGradCAM"
    citation = "arXiv:2008.02312"

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Mean gradient of each channel, positions weighted by the channel's own features."""
        gradients, features = evidence.gradients, evidence.features
        if gradients.shape[-2:] == (1, 1):  # the same everywhere, so its own mean under any weighting
            return gradients
        total = features.sum(dim=(-2, -1), keepdim=True)
        weighted = (gradients * features).sum(dim=(-2, -1), keepdim=True)
        return torch.where(total == 0, 0.0, weighted / total)
