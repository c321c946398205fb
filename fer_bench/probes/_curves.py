"""Deletion and insertion curves: what a network says while pixels are taken away, or come back, in a given order.

Petsiuk, Das and Saenko 2018 (RISE), arXiv 1806.07421, section 4.1; here the blurred image is the baseline of both.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fer_bench.probes._orders import leading

STEPS = 10  # of equally many pixels
DELETION, INSERTION = "deletion", "insertion"


def curves(ask: Callable[[Tensor], Tensor], images: Tensor, soft: Tensor, orders: Tensor) -> dict[str, Tensor]:
    """Follow several orders per image.

    Args:
        ask: images (B, 3, H, H) -> values (B, V).
        images: (B, 3, H, H).
        soft: the same images blurred.
        orders: (S, B, H * H) pixel numbers, the first of them deleted or inserted first.

    Returns:
        `deletion`, from the whole image to the blurred one, and `insertion`, back: (S, B, STEPS + 1, V).
    """
    whole, gone = ask(images), ask(soft)
    found: dict[str, list[Tensor]] = {DELETION: [], INSERTION: []}
    for order in orders:
        masks = [leading(order, step / STEPS, int(images.shape[-1])) for step in range(1, STEPS)]
        deleted = [ask(torch.where(mask, soft, images)) for mask in masks]
        inserted = [ask(torch.where(mask, images, soft)) for mask in masks]
        found[DELETION].append(torch.stack([whole, *deleted, gone], dim=1))
        found[INSERTION].append(torch.stack([gone, *inserted, whole], dim=1))
    return {name: torch.stack(parts) for name, parts in found.items()}


def area(found: Tensor) -> Tensor:
    """Area under curves (..., STEPS + 1, V) over the share of pixels, 0 to 1, by trapezoids -> (..., V)."""
    return torch.trapezoid(found, dx=1 / (found.shape[-2] - 1), dim=-2)
