"""The class maps of the head as they are, no ReLU: how WILDCAT and PRM show a class."""

from typing import Any

import torch

from fer_bench.explainers._abilities import makes_class_maps
from fer_bench.explainers.base import Evidence, ExplainerBase


class Explainer(ExplainerBase):
    """Durand et al. 2017 (WILDCAT); Zhou et al. 2018 (PRM) as the code of Belharbi et al. has it, without peaks."""

    label = "class maps"
    citation = "10.1109/CVPR.2017.631"

    def supports(self, classifier: Any) -> str | None:
        """Only heads that score maps of their own; behind average pooling and a linear layer the map is CAM's."""
        if classifier.head_weight is not None:
            return "behind average pooling and a linear layer the class map is that of explainer `cam`"
        if not makes_class_maps(classifier):
            return "it needs a head that makes class maps, as methods `wildcat`, `prm`, `acol` and `tscam` have"
        return None

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Return the class map itself."""
        return evidence.class_map()
