"""LayerCAM: every position of every channel weighted by its own positive gradient."""

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer


class Explainer(GradientExplainer):
    """Jiang et al. 2021; behind average pooling and a linear layer Σ_c ReLU(w_c) F_c."""

    label = "LayerCAM"
    citation = "10.1109/TIP.2021.3089943"

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Positive part of the gradient, position by position."""
        return evidence.gradients.relu()
