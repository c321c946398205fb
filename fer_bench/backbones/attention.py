"""Reads the class token's attention to the patches out of a vision transformer's blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from timm.models.beit import Beit
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import nn

# Their blocks attend over all tokens and pass the soft-max through `attn.attn_drop`. ViT, DeiT, DeiT-3 and DINOv2 are
# VisionTransformers. XCiT, CaiT, ConViT look alike but attend over channels, or without the class token.
READABLE = (VisionTransformer, Eva, Beit)


def problem(net: nn.Module) -> str | None:
    """Say why there is no class-token attention to read, or None when there is."""
    if not isinstance(net, READABLE):
        names = ", ".join(known.__name__ for known in READABLE)
        return f"{type(net).__name__} gives no class-token attention; timm's {names} do (ViT, DeiT, EVA, BEiT)"
    if getattr(net, "cls_token", None) is None:
        return f"this {type(net).__name__} has no class token"
    return None


def make_explicit(net: nn.Module) -> None:
    """Switch fused attention off, so that the soft-max matrices exist and can be read."""
    for module in net.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = False  # type: ignore[assignment]


@contextmanager
def recording(net: Any) -> Iterator[list[torch.Tensor]]:
    """Collect, while the context is open, each block's class-token row averaged over heads: a list of (B, N).

    N counts all tokens. The row is the soft-max itself, before attention dropout.
    """
    rows: list[torch.Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        rows.append(inputs[0][:, :, 0].mean(1))  # (B, heads, N, N) -> row of token 0

    # Hooks live for one forward pass only: a copied or pickled network carries none.
    handles = [block.attn.attn_drop.register_forward_pre_hook(keep) for block in net.blocks]
    try:
        yield rows
    finally:
        for handle in handles:
            handle.remove()


def summed(rows: list[torch.Tensor], height: int, width: int) -> torch.Tensor:
    """Add the rows over the blocks and keep the patches, the last h * w tokens: (B, h, w), as TS-CAM does."""
    return torch.stack(rows).sum(0)[:, -height * width :].reshape(-1, height, width)
