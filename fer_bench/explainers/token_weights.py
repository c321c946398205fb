"""Token weights: how strongly APViT's head weighed each position when it chose its tokens, the same for every class."""

from typing import Any

import torch

from fer_bench.explainers._abilities import weighs_tokens
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Xue et al. 2022, attentive patch pooling: sum over channels of the projected features' absolute values."""

    label = "token weights"
    citation = "arXiv:2212.05463"
    class_specific = False

    def supports(self, classifier: Any) -> str | None:
        """It needs a head that weighs its tokens."""
        return None if weighs_tokens(classifier) else "it needs a head that weighs its tokens, as method `apvit` has"

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Return the weights, whatever the class."""
        return evidence.token_weights()
