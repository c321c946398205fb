"""What a forward pass of a classifier returns."""

from dataclasses import dataclass, field

import torch


@dataclass
class Output:
    """Everything that losses, explainers and metrics may ask of one forward pass.

    logits: (B, K) float.
    features: layer number (1..5, 5 is `last`) -> (B, C, h, w); the last one feeds the head.
    class_maps: (B, K, h, w) where the head makes class maps, else None.
    attention: (B, h, w) class-agnostic attention of the class token summed over blocks, where a method asked for it.
    extra: what only some methods return, by name; `token_weights`: (B, h, w), >= 0, how much each position of layer 5
        weighs when APViT chooses its tokens, the same for every class.
    """

    logits: torch.Tensor
    features: dict[int, torch.Tensor]
    class_maps: torch.Tensor | None = None
    attention: torch.Tensor | None = None
    extra: dict[str, torch.Tensor] = field(default_factory=dict)
