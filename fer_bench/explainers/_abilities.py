"""What a classifier can tell explainers; asked of its head on an empty feature map, and of its backbone."""

from typing import Any

import torch

GRID = 4


def makes_class_maps(classifier: Any) -> bool:
    """Say whether the head returns a map per class."""
    method = classifier.method
    device = next((parameter.device for parameter in method.parameters()), None)
    size = getattr(method, "map_size", None) or (GRID, GRID)  # a head may take maps of one size only
    with torch.no_grad():
        return method.score(torch.zeros(1, method.channels, *size, device=device))[1] is not None


def attends(classifier: Any) -> bool:
    """Say whether a forward pass returns the class token's attention."""
    return bool(classifier.method.needs_attention)


def unreadable_attention(classifier: Any) -> str | None:
    """Say why the attention matrices of the backbone's blocks cannot be read, or None when they can."""
    backbone = getattr(classifier, "backbone", None)
    if backbone is None:
        return "it needs a backbone with attention matrices"
    reason = backbone.unreadable_attention()
    return f"it needs attention matrices; {reason}" if reason else None


def weighs_tokens(classifier: Any) -> bool:
    """Say whether a forward pass returns a weight for every position of the last map."""
    return bool(getattr(classifier.method, "weighs_tokens", False))
