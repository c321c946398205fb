"""EigenCAM: the first principal component of the features, whatever the class."""

import torch

from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Muhammad & Yeasin 2020: positions projected on the first principal axis of the channels; ReLU.

    Channels are centred first, and negative projections cut, as the `grad-cam` package does. The sign of an axis is
    arbitrary: the one is taken under which the farthest position is positive (Chung & Ying 2025, equation 13,
    10.3390/app15137562).
    """

    label = "EigenCAM"
    citation = "10.1109/IJCNN48605.2020.9206626"
    class_specific = False

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Positive part of the projections."""
        return evidence.once("eigencam", lambda: projections(evidence.features).relu())


def projections(features: torch.Tensor) -> torch.Tensor:
    """Project the positions of (B, C, h, w) on their first principal axis: (B, h, w), NaN for a map that holds NaN."""
    rows = features.flatten(2).transpose(1, 2)  # (B, positions, C)
    centred = rows - rows.mean(dim=1, keepdim=True)
    finite = centred.isfinite().all(dim=(1, 2), keepdim=True)
    found = _first_component(torch.where(finite, centred, 0.0))
    signed = torch.where(found.amax(1, keepdim=True) < -found.amin(1, keepdim=True), -found, found)
    return torch.where(finite[:, 0], signed, torch.nan).reshape(-1, *features.shape[-2:])


def _first_component(centred: torch.Tensor) -> torch.Tensor:
    """(B, N, C) -> (B, N): eigenvectors of the smaller of the two products, several times faster than an SVD."""
    if centred.shape[1] <= centred.shape[2]:
        values, vectors = torch.linalg.eigh(centred @ centred.mT)
        return vectors[:, :, -1] * values[:, -1:].clamp(min=0).sqrt()
    return (centred @ torch.linalg.eigh(centred.mT @ centred)[1][:, :, -1:])[:, :, 0]
