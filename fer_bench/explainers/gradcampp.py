"""GradCAM++ as its paper defines it: positive gradients weighted by α."""

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer


def alpha_weights(gradients: torch.Tensor, features: torch.Tensor, eps: float = 0.0) -> torch.Tensor:
    """Weights Σ_ij α_ij ReLU(g_ij) with α = g² / (2 g² + g³ ΣF + eps).

    Both terms of α are divided by g² first: g² of a large map is near 1e-10, so that an eps of 1e-6 in the denominator,
    as the `grad-cam` package has it, swamps the formula and leaves g² · ReLU(g). Ours is 0.

    Args:
        gradients: (B, C, h, w), or (B, C, 1, 1) where constant.
        features: (B, C, h, w).
        eps: only to compare with implementations that need one.

    Returns:
        (B, C, 1, 1).
    """
    denominator = 2 + gradients * features.sum(dim=(-2, -1), keepdim=True)
    if eps:
        denominator = denominator + eps / gradients.square()
    # Only positive gradients count; where they do not, a denominator of zero must not make NaN.
    terms = torch.where(gradients > 0, gradients / denominator, 0.0)
    cells = features.shape[-2] * features.shape[-1]
    return terms.mean(dim=(-2, -1), keepdim=True) * cells


class Explainer(GradientExplainer):
    """Chattopadhay et al. 2018, equations 10 and 19; behind average pooling Σ_c ReLU(w_c) / (2 + w_c mean(F_c)) F_c."""

    label = "GradCAM++"
    citation = "10.1109/WACV.2018.00097"

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Sum over positions of α times the positive gradient."""
        return alpha_weights(evidence.gradients, evidence.features)
