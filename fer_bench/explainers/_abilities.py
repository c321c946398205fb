"""What a classifier's head can tell without gradients; asked of the head alone, on an empty feature map."""

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


def weighs_tokens(classifier: Any) -> bool:
    """Say whether a forward pass returns a weight for every position of the last map."""
    return bool(getattr(classifier.method, "weighs_tokens", False))
