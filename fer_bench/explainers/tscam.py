"""TS-CAM: the attention of the class token times the class map of the patch tokens."""

from typing import Any

import torch

from fer_bench.explainers._abilities import attends, makes_class_maps
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Gao et al. 2021: attention summed over blocks, times the class map before any ReLU."""

    label = "TS-CAM"
    citation = "10.1109/ICCV48922.2021.00288"

    def supports(self, classifier: Any) -> str | None:
        """TS-CAM needs the class token's attention and class maps."""
        if not (attends(classifier) and makes_class_maps(classifier)):
            return "it needs the class token's attention and class maps, as method `tscam` on a vision transformer has"
        return None

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Attention times class map, position by position."""
        return evidence.attention() * evidence.class_map()
