"""Smooth GradCAM++: GradCAM++ with derivatives averaged over noisy copies of the image."""

from collections.abc import Iterator
from typing import ClassVar

import torch

from fer_bench.explainers.base import Evidence, GradientExplainer
from fer_bench.explainers.gradcampp import alpha_weights


class Explainer(GradientExplainer):
    """Omeiza et al. 2019: weights Σ_ij α ReLU(D1) with α = D2 / (2 D2 + D3 ΣF), D_p the mean of g^p over copies.

    F are the features of the clean image. The numerator of α is D2, as in GradCAM++ (the paper prints D1 there).
    Behind average pooling and a linear layer g does not depend on the image: the map is that of GradCAM++, and no copy
    is made. The noise is normal, the same for every image, whatever batch it is in; its deviation is `noise` times the
    range of the image's values. Costs `copies` forward passes for every class asked for.
    """

    label = "Smooth GradCAM++"
    citation = "arXiv:1908.01224"
    copies: ClassVar[int] = 8
    noise: ClassVar[float] = 0.15
    seed: ClassVar[int] = 0

    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Sum over positions of α times the positive part of the mean gradient."""
        if evidence.head_weight is not None:
            return alpha_weights(evidence.gradients, evidence.features)
        first, second, third = self._mean_powers(evidence)
        # α = 1 / (2 + D3 / D2 ΣF): D3 is near 1e-15 on a large map, the ratio is not.
        denominator = 2 + third / second * evidence.features.sum(dim=(-2, -1), keepdim=True)
        return torch.where(first > 0, first / denominator, 0.0).sum(dim=(-2, -1), keepdim=True)

    def _mean_powers(self, evidence: Evidence) -> list[torch.Tensor]:
        """Means over the noisy copies of g, g² and g³, each (B, C, h, w)."""
        sums = [torch.zeros_like(evidence.features) for _ in range(3)]
        for images in self._noisy(evidence.images):
            last = evidence.run(images).features
            gradient = evidence.differentiate(last[max(last)])
            sums = [total + gradient**power for power, total in enumerate(sums, start=1)]
        return [total / self.copies for total in sums]

    def _noisy(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        """Noisy copies of a batch (B, 3, H, W); the noise is drawn on the CPU, so that every device gets the same."""
        generator = torch.Generator().manual_seed(self.seed)
        deviation = self.noise * (images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True))
        for _ in range(self.copies):
            yield images + deviation * torch.randn(images.shape[1:], generator=generator).to(images)
