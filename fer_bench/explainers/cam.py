"""CAM: the head's weights of the class times the last features, no bias, no ReLU."""

from typing import Any

import torch

from fer_bench.explainers._abilities import makes_class_maps
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Class activation map of Zhou et al. 2016, M[k] = Σ_c w_kc F_c; a head's own class maps where it makes them."""

    label = "CAM"
    citation = "10.1109/CVPR.2016.319"

    def supports(self, classifier: Any) -> str | None:
        """CAM needs a head that can be read as one map per class."""
        if classifier.head_weight is None and not makes_class_maps(classifier):
            return "it needs a head of average pooling and a linear layer, or one that makes class maps"
        return None

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Weighted sum of the features, or the class map itself."""
        if evidence.head_weight is None:
            return evidence.class_map()
        return torch.einsum("bchw,bc->bhw", evidence.features, evidence.head_weight[evidence.classes])
