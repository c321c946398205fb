"""A forward pass as explainers want it: features without a graph, the last in at least single precision."""

from dataclasses import replace
from typing import Any

import torch

from fer_bench.classifier_output import Output


def forward(classifier: Any, images: torch.Tensor) -> Output:
    """Run images (B, 3, H, W) through the classifier; its features come back detached, the last as `precise` has them.

    The others stay in half precision if they were: a copy of all of them costs as much as a sixth of the pass.
    """
    output: Output = classifier(images)
    features = {layer: found.detach() for layer, found in output.features.items()}
    last = max(features)
    return replace(output, features={**features, last: precise(features[last])})


def precise(tensor: torch.Tensor) -> torch.Tensor:
    """At least single precision, without a graph: sums over thousands of channels need it."""
    return tensor.detach().to(torch.promote_types(tensor.dtype, torch.float32))
