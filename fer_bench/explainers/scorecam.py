"""ScoreCAM: channels weighted by the class logit of the image seen through each of them."""

from typing import ClassVar

import torch
from torch.nn.functional import interpolate

from fer_bench.explainers.base import Evidence, ExplainerBase
from fer_bench.minmax import min_max


class Explainer(ExplainerBase):
    """Wang et al. 2020: ReLU Σ_c s_c F_c, s the soft-max over channels of the class logits of masked images.

    A mask is a channel, resized to the image (half-pixel bilinear) and stretched to [0, 1]; it fades the image to the
    mean colour, the zero of the normalised input, as in the authors' code. The logit of a blank image, which the paper
    subtracts, cancels in the soft-max. No gradients. Costs C forward passes per image, however many classes are asked
    for, in batches of `images_per_pass` or the caller's batch, whichever is larger.
    """

    label = "ScoreCAM"
    citation = "10.1109/CVPRW50498.2020.00020"
    images_per_pass: ClassVar[int] = 64
    align_corners: ClassVar[bool] = False  # True only to compare with the `grad-cam` package, which resizes masks so

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Sum of the features, weighted by the soft-max of the masked images' class logits."""
        logits = evidence.once("scorecam", lambda: self._masked_logits(evidence))
        chosen = logits[torch.arange(len(logits), device=logits.device), :, evidence.classes]
        return torch.einsum("bchw,bc->bhw", evidence.features, chosen.softmax(dim=1)).relu()

    def _masked_logits(self, evidence: Evidence) -> torch.Tensor:
        """Logits of every image behind every channel's mask, (B, C, K)."""
        channels = max(1, self.images_per_pass // len(evidence.images))
        parts = [self._logits_behind(evidence, some) for some in evidence.features.split(channels, dim=1)]
        return torch.cat(parts, dim=1)

    def _logits_behind(self, evidence: Evidence, channels: torch.Tensor) -> torch.Tensor:
        """Logits (B, c, K) of the images behind masks made of some channels (B, c, h, w)."""
        images, blank = evidence.images, evidence.classifier.mean
        wide = interpolate(channels, images.shape[-2:], mode="bilinear", align_corners=self.align_corners)
        masked = blank + min_max(wide).to(images.dtype)[:, :, None] * (images - blank)[:, None]  # (B, c, 3, H, W)
        logits = evidence.run(masked.flatten(0, 1)).logits
        return logits.unflatten(0, channels.shape[:2]).to(channels.dtype)
