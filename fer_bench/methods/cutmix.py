"""CutMix: CAM's network, trained on faces with a rectangle of another face pasted in."""

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field

from fer_bench.classifier_output import Output
from fer_bench.methods import cam
from fer_bench.methods.base import cross_entropy
from fer_bench.settings import Settings as Section

Box = tuple[int, int, int, int]  # top, bottom, left, right; bottom and right excluded


class Settings(Section):
    """Options of CutMix; the defaults are those of arXiv 2402.00281's code."""

    probability: float = Field(1.0, ge=0, le=1)  # share of the batches that are mixed
    beta: float = Field(1.0, gt=0)  # the host's share of the area is drawn from Beta(beta, beta)


class Method(cam.Method):
    """Yun et al., ICCV 2019: one rectangle and one permutation per batch; labels count by area.

    Action unit maps are cut and pasted as the images are, so that a mixed map shows units of two expressions.
    """

    label: ClassVar[str] = "CutMix"
    citation: ClassVar[str] = "Yun et al. 2019, CutMix: Regularization Strategy to Train Strong Classifiers, ICCV"
    mixes_images: ClassVar[bool] = True

    def prepare_batch(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        """Mix the batch, or leave it with probability 1 - `probability`; adds `donor_labels` (B,) and `host_share`."""
        source = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        if source.random() >= self.settings.probability:
            return batch
        count, _, height, width = batch["images"].shape
        share = source.beta(self.settings.beta, self.settings.beta)
        centre = int(source.integers(height)), int(source.integers(width))
        return mix(batch, torch.from_numpy(source.permutation(count)), box_around(centre, share, (height, width)))

    def loss(
        self, output: Output, batch: Mapping[str, torch.Tensor], class_weights: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """λ * cross-entropy of the host's label + (1 - λ) * that of the donor's, λ = `host_share`."""
        if "donor_labels" not in batch:
            return super().loss(output, batch, class_weights)
        host = cross_entropy(output.logits, batch["labels"], class_weights)
        donor = cross_entropy(output.logits, batch["donor_labels"], class_weights)
        value = batch["host_share"] * host + (1 - batch["host_share"]) * donor
        return {"loss": value, "logits": output.logits, "cross_entropy": value}

    def hits(self, logits: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Each prediction counts by area: λ where it names the host's expression, 1 - λ where it names the donor's."""
        host = super().hits(logits, batch)
        if "donor_labels" not in batch:
            return host
        donor = super().hits(logits, {"labels": batch["donor_labels"]})
        return batch["host_share"] * host + (1 - batch["host_share"]) * donor


def box_around(centre: tuple[int, int], share: float, size: tuple[int, int]) -> Box:
    """Rectangle of sides sqrt(1 - share) times those of the image, rounded down to even numbers and clipped."""
    edges = []
    for middle, length in zip(centre, size, strict=True):
        half = int(length * math.sqrt(1 - share)) // 2
        edges += [max(middle - half, 0), min(middle + half, length)]
    return edges[0], edges[1], edges[2], edges[3]


def mix(batch: dict[str, torch.Tensor], donors: torch.Tensor, box: Box) -> dict[str, torch.Tensor]:
    """Paste the box of image donors[i] into image i, the same with the maps.

    A mixed map is valid if all that it shows comes from valid maps (host and donor, but only the one where the box is
    empty or everything) and something is left of them. λ is recomputed from the area that the clipped box covers.

    Args:
        batch: images (B, 3, H, W), labels (B,), maps (B, H, W), valid (B,).
        donors: (B,) a permutation.
        box: in pixels.

    Returns:
        The batch, mixed, with `donor_labels` (B,) and `host_share`, a scalar λ in [0, 1].
    """
    top, bottom, left, right = box
    donors = donors.to(batch["labels"].device)
    mixed = {name: batch[name].clone() for name in ("images", "maps")}
    for name, values in mixed.items():
        values[..., top:bottom, left:right] = batch[name][donors][..., top:bottom, left:right]
    pasted = (bottom - top) * (right - left)
    whole = batch["images"].shape[-2] * batch["images"].shape[-1]
    valid = (batch["valid"] | (pasted == whole)) & (batch["valid"][donors] | (pasted == 0))
    return {
        **batch,
        **mixed,
        "valid": valid & (mixed["maps"].flatten(1).amax(dim=1) > 0),
        "donor_labels": batch["labels"][donors],
        "host_share": torch.tensor(1 - pasted / whole, device=donors.device),
    }
