"""GradCAM++ as the published code of Belharbi et al. computes it: the α step has no effect there."""

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer


class Explainer(GradientExplainer):
    """Weights Σ_ij g² ReLU(g), so Σ_c ReLU(w_c)³ F_c behind average pooling; kept to be able to match their tables."""

    label = "GradCAM++ (published code)"
    citation = "arXiv:2402.00281"

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Sum over positions of the cube of the positive gradient."""
        return evidence.gradients.relu().pow(3).mean(dim=(-2, -1), keepdim=True) * evidence.cells
