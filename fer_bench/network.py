"""The network that is trained and explained: normalisation, backbone, method's head."""

from typing import Any

import torch
from torch import nn

from fer_bench.backbones import Backbone
from fer_bench.classifier_output import Output
from fer_bench.methods.base import MethodBase
from fer_bench.model_settings import ModelSettings


class Classifier(nn.Module):
    """RGB float images (B, 3, H, W) in [0, 1], normalised inside -> Output; grey (B, 1, H, W) is repeated to three.

    head_weight: (K, C) when the head is average pooling and a linear layer, else None.
    expected: (H, W) of the images it was described with; fully convolutional backbones take others.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, section: ModelSettings, backbone: Backbone, method: MethodBase, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.section = section
        self.backbone = backbone
        self.method = method
        self.layers = layers
        self.expected = (section.input_size, section.input_size)
        # Buffers, so that a saved classifier keeps the normalisation of the weights it started from.
        self.register_buffer("mean", torch.tensor(backbone.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(backbone.std).reshape(1, 3, 1, 1))
        if method.needs_attention:
            backbone.make_attention_explicit()
        method.attach(backbone)

    @property
    def num_classes(self) -> int:
        """K."""
        return self.method.num_classes

    @property
    def head_weight(self) -> torch.Tensor | None:
        """See the method: (K, C) or None."""
        return self.method.head_weight

    def forward(self, images: torch.Tensor) -> Output:
        """Run images through backbone and head; only the wanted layers are returned, layer 5 always."""
        normalised = (images.expand(-1, 3, -1, -1) - self.mean) / self.std
        attention = None
        with self.backbone.changing(self.method.changes):
            if self.method.needs_attention:
                features, attention = self.backbone.forward_with_attention(normalised)
            else:
                features = self.backbone(normalised)
        return self.method({layer: features[layer] for layer in self.layers}, attention)

    def logits_from_features(self, last: torch.Tensor) -> torch.Tensor:
        """Layer 5 (B, C, h, w) -> logits (B, K): the head alone, for explainers that need its gradient."""
        return self.method.score(last)[0]

    def describe(self) -> dict[str, Any]:
        """Parameter count, channels and map sizes by layer, input size."""
        return {
            "parameters": sum(parameter.numel() for parameter in self.parameters()),
            "input_size": self.section.input_size,
            "channels": {layer: self.backbone.channels[layer] for layer in self.layers},
            "map_sizes": {layer: self.backbone.map_sizes[layer] for layer in self.layers},
        }
