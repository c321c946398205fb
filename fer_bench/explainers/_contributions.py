"""What every channel at every position contributes to a class logit: the decision, beside which attention is held."""

from typing import Any

import torch

from fer_bench.classifier_output import Output
from fer_bench.explainers._explain import head_weight
from fer_bench.explainers.base import Evidence


def contributions(classifier: Any, images: torch.Tensor, output: Output, classes: torch.Tensor) -> torch.Tensor:
    """Gradient of each image's class logit to its last features, times those features.

    Behind average pooling and a linear layer this is w_kc F_c / (h w), whose sum is the logit without its bias.

    Args:
        classifier: in eval mode.
        images: (B, 3, H, W), those of the forward pass.
        output: of that pass, detached.
        classes: (B,) long.

    Returns:
        (B, C, h, w).
    """
    evidence = Evidence(classes, output, head_weight(classifier), classifier, images)
    return evidence.gradients * evidence.features
