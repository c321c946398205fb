"""LeGrad: how much more of the class a block would see by attending more to a patch."""

from typing import Any

import torch

from fer_bench.explainers._abilities import unreadable_attention
from fer_bench.explainers._forward import precise
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Bousselham et al. 2024: ReLU of ∂s/∂A, mean over heads, queries and blocks; A a block's soft-max.

    s is the class logit that the head gives the tokens after that block (and the final norm), so the gradient passes
    through one block only. Queries are all tokens; of the keys the patches are shown. Costs a forward pass with
    explicit attention and a backward pass through every block and the head, for every class asked for.
    """

    label = "LeGrad"
    citation = "arXiv:2404.03214"

    def supports(self, classifier: Any) -> str | None:
        """LeGrad needs attention matrices that can be differentiated."""
        return unreadable_attention(classifier)

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Mean positive gradient of every patch as a key."""
        classifier = evidence.classifier
        images = classifier.normalise(evidence.images)
        blocks = classifier.backbone.attention_gradients(images, evidence.score, _positive_by_key)
        keys = torch.stack(blocks).mean(dim=0)
        return keys[:, -evidence.cells :].reshape(-1, *evidence.features.shape[-2:])


def _positive_by_key(gradients: torch.Tensor) -> torch.Tensor:
    """(B, heads, queries, keys) -> (B, keys)."""
    return precise(gradients).relu().mean(dim=(1, 2))
