"""The maps of a network that a probe puts to the test: each explainer's of the true class, and the attention."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fer_bench.classifier import Classifier
from fer_bench.explainers import explain_all
from fer_bench.minmax import min_max

ATTENTION = "attention"  # of the last layer; an explainer has its own name


def shown_maps(classifier: Classifier, images: Tensor, classes: Tensor, explainers: Sequence[str]) -> dict[str, Tensor]:
    """Images (B, 3, H, H) in [0, 1] and one class for each -> name -> (B, h, w) maps in [0, 1], attention last."""
    maps, output = explain_all(classifier, images, classes[:, None], explainers)
    attention = output.features[max(output.features)].mean(dim=1)
    return {**{name: found[:, 0] for name, found in maps.items()}, ATTENTION: min_max(attention.float())}


def identity(name: str, classifier: Classifier) -> dict[str, str]:
    """Keys of a row that say which map it is about."""
    return {"layer": str(max(classifier.layers))} if name == ATTENTION else {"explainer": name}


def batched(
    classifier: Classifier, images: Tensor, classes: Tensor, explainers: Sequence[str], batch_size: int
) -> dict[str, Tensor]:
    """The same, a batch at a time."""
    parts = [
        shown_maps(classifier, *pair, explainers)
        for pair in zip(images.split(batch_size), classes.split(batch_size), strict=True)
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
