"""A forward pass as explainers want it: features without a graph, in at least single precision."""

from dataclasses import replace
from typing import Any

import torch

from fer_bench.classifier_output import Output


def forward(classifier: Any, images: torch.Tensor) -> Output:
    """Run images (B, 3, H, W) through the classifier; its features come back as `precise` makes them."""
    output: Output = classifier(images)
    return replace(output, features={layer: precise(found) for layer, found in output.features.items()})


def precise(tensor: torch.Tensor) -> torch.Tensor:
    """At least single precision, without a graph: sums over thousands of channels need it."""
    return tensor.detach().to(torch.promote_types(tensor.dtype, torch.float32))
