"""ACoL: the stronger of what its two branches show, position by position."""

from typing import Any

import torch

from fer_bench.explainers.base import Evidence, ExplainerBase
from fer_bench.minmax import min_max


class Explainer(ExplainerBase):
    """Zhang et al. 2018: each branch's map of the class stretched to [0, 1], then their maximum.

    The second branch sees the features without the region that the first one has found for the class asked for, so its
    map is made anew for every class.
    """

    label = "ACoL"
    citation = "10.1109/CVPR.2018.00144"

    def supports(self, classifier: Any) -> str | None:
        """ACoL's map needs its second branch."""
        if not hasattr(classifier.method, "second_class_maps"):
            return "it needs a head of two branches, as method `acol` has"
        return None

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Maximum of both maps, in [0, 1]."""
        first = evidence.class_map()
        second = evidence.method.second_class_maps(evidence.features, first)
        return torch.maximum(min_max(first), min_max(evidence.of_class(second)))
