"""GradCAM: channels weighted by the mean gradient of the class logit."""

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer


class Explainer(GradientExplainer):
    """Selvaraju et al. 2017, equations 1 and 2; behind average pooling and a linear layer ReLU of CAM."""

    label = "GradCAM"
    citation = "10.1109/ICCV.2017.74"

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Mean gradient of each channel."""
        return evidence.gradients.mean(dim=(-2, -1), keepdim=True)
