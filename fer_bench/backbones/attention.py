"""Reads self-attention out of a vision transformer's blocks: its soft-max matrices, and gradients to them."""

from collections.abc import Callable, Iterator
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

# What is kept of a block's (B, heads, N, N) matrices; N counts all tokens, the patches are the last ones.
Keep = Callable[[torch.Tensor], torch.Tensor]


def unreadable(net: nn.Module, wanted: str = "attention matrices") -> str | None:
    """Say why the soft-max matrices of the blocks cannot be read, or None when they can."""
    if not isinstance(net, READABLE):
        names = ", ".join(known.__name__ for known in READABLE)
        return f"{type(net).__name__} gives no {wanted}; timm's {names} do (ViT, DeiT, EVA, BEiT)"
    strange = next((block for block in net.blocks if not hasattr(getattr(block, "attn", None), "attn_drop")), None)
    return None if strange is None else f"{type(strange).__name__} of this {type(net).__name__} gives no {wanted}"


def problem(net: nn.Module) -> str | None:
    """Say why there is no class-token attention to read, or None when there is."""
    reason = unreadable(net, "class-token attention")
    if reason is None and getattr(net, "cls_token", None) is None:
        return f"this {type(net).__name__} has no class token"
    return reason


def make_explicit(net: nn.Module) -> None:
    """Switch fused attention off, so that the soft-max matrices exist and can be read."""
    for module in net.modules():
        if hasattr(module, "fused_attn"):
            module.fused_attn = False  # type: ignore[assignment]


@contextmanager
def explicit(net: nn.Module) -> Iterator[None]:
    """Switch fused attention off while the context is open, then leave it as it was found."""
    found = [(module, module.fused_attn) for module in net.modules() if hasattr(module, "fused_attn")]
    make_explicit(net)
    try:
        yield
    finally:
        for module, fused in found:
            module.fused_attn = fused


def class_token_row(matrices: torch.Tensor) -> torch.Tensor:
    """(B, heads, N, N) -> (B, N): what the class token attends to, averaged over heads."""
    return matrices[:, :, 0].mean(1)


@contextmanager
def recording(net: Any, keep: Keep = class_token_row) -> Iterator[list[torch.Tensor]]:
    """Collect, while the context is open, what `keep` makes of each block's soft-max, before attention dropout."""
    kept: list[torch.Tensor] = []

    def read(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        kept.append(keep(inputs[0]))

    # Hooks live for one forward pass only: a copied or pickled network carries none.
    handles = [block.attn.attn_drop.register_forward_pre_hook(read) for block in net.blocks]
    try:
        yield kept
    finally:
        _remove(handles)


@contextmanager
def differentiating(
    net: Any, score: Callable[[torch.Tensor], torch.Tensor], keep: Keep
) -> Iterator[list[torch.Tensor]]:
    """Collect, while open, what `keep` makes of the gradient of each block's score to that block's soft-max.

    score: tokens (B, N, C) right after a block -> a scalar. Each block is differentiated as soon as it has run, and
    its output is cut from the graph: the gradient passes through one block only, and memory is that of one block.
    """
    kept: list[torch.Tensor] = []
    matrices: list[torch.Tensor] = []

    def cut(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        matrices.append(inputs[0].detach().requires_grad_())
        return (matrices[-1], *inputs[1:])

    def differentiate(_block: nn.Module, _inputs: tuple[Any, ...], tokens: torch.Tensor) -> torch.Tensor:
        kept.append(keep(torch.autograd.grad(score(tokens), matrices.pop())[0]))
        return tokens.detach()

    handles = [block.attn.attn_drop.register_forward_pre_hook(cut) for block in net.blocks]
    handles += [block.register_forward_hook(differentiate) for block in net.blocks]
    try:
        yield kept
    finally:
        _remove(handles)


def summed(rows: list[torch.Tensor], height: int, width: int) -> torch.Tensor:
    """Add the rows over the blocks and keep the patches, the last h * w tokens: (B, h, w), as TS-CAM does."""
    return torch.stack(rows).sum(0)[:, -height * width :].reshape(-1, height, width)


def _remove(handles: list[Any]) -> None:
    for handle in handles:
        handle.remove()
