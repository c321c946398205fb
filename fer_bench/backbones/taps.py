"""Which tensors of a timm network are layers 1..5, each as (B, C, h, w)."""

from typing import Any

import torch
from torch import nn

from fer_bench.errors import InputError

LAST = 5  # the map that feeds the head


def collect(net: nn.Module, images: torch.Tensor) -> dict[int, torch.Tensor]:
    """Run the network and return its numbered maps in ascending order; layer 5 is what a head reads.

    images: (B, 3, H, W), normalised. Networks in stages are numbered backwards from 5, networks of equal blocks
    (transformers, mixers) have layers 1..4 after blocks ceil(k * depth / 5) and 5 after the final norm.
    """
    return _from_blocks(net, images) if is_isotropic(net) else _from_stages(net, images)


def is_isotropic(net: nn.Module) -> bool:
    """Tell networks whose blocks all have one resolution (ViT, mixer) from networks in stages."""
    return len({info["reduction"] for info in feature_info(net)}) == 1


def block_indices(depth: int) -> dict[int, int]:
    """Layer 1..4 -> 0-based block after which it is read: ceil(k * depth / 5), counted from one."""
    return {layer: -(-layer * depth // LAST) - 1 for layer in range(1, LAST)}


def _from_stages(net: nn.Module, images: torch.Tensor) -> dict[int, torch.Tensor]:
    final, maps = intermediates(net, images, None)
    first = LAST - len(maps) + 1
    numbered = {first + position: stage for position, stage in enumerate(maps)}
    taps = {layer: stage for layer, stage in numbered.items() if 1 <= layer < LAST}
    return taps | {LAST: _final_map(net, final, maps[-1])}


def _from_blocks(net: nn.Module, images: torch.Tensor) -> dict[int, torch.Tensor]:
    wanted = block_indices(len(feature_info(net)))
    blocks = sorted(set(wanted.values()))  # a shallow network gives one block to several layers
    final, maps = intermediates(net, images, blocks)
    after = dict(zip(blocks, maps, strict=True))
    taps = {layer: after[block] for layer, block in wanted.items()}
    return taps | {LAST: _final_map(net, final, maps[-1])}


def feature_info(net: nn.Module) -> list[dict[str, Any]]:
    """Return timm's description of each feature map: `module`, `num_chs`, `reduction`."""
    info: Any = getattr(net, "feature_info", None)
    if not info:
        raise InputError(f"{type(net).__name__} describes no feature maps (timm's feature_info): no layers to read")
    return info if isinstance(info, list) else info.get_dicts()


def intermediates(net: Any, images: torch.Tensor, indices: list[int] | None) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the final features in the network's own layout and the chosen intermediate maps in (B, C, h, w)."""
    if hasattr(net, "forward_intermediates"):
        return net.forward_intermediates(images, indices=indices, output_fmt="NCHW")
    return _hooked(net, images, indices)


def _hooked(net: Any, images: torch.Tensor, indices: list[int] | None) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Read the modules that feature_info names: for networks without timm's own `forward_intermediates`."""
    infos = feature_info(net)
    names = [infos[index]["module"] for index in (indices if indices is not None else range(len(infos)))]
    seen: dict[str, torch.Tensor] = {}
    handles = [
        net.get_submodule(name).register_forward_hook(lambda _module, _inputs, out, name=name: seen.update({name: out}))
        for name in names
    ]
    try:
        final = net.forward_features(images)
    finally:
        for handle in handles:
            handle.remove()
    return final, [_channels_first(net, seen[name]) for name in names]


def _channels_first(net: nn.Module, features: torch.Tensor) -> torch.Tensor:
    return features.permute(0, 3, 1, 2) if getattr(net, "output_fmt", "NCHW") == "NHWC" else features


def _final_map(net: nn.Module, final: Any, reference: torch.Tensor) -> torch.Tensor:
    """Lay out the final features as (B, C, h, w); `reference` is a map whose grid the tokens share."""
    if isinstance(final, torch.Tensor) and final.ndim == 4:
        return _channels_first(net, final)
    if isinstance(final, torch.Tensor) and final.ndim == 3:
        return _tokens_to_map(net, final, reference.shape[-2], reference.shape[-1])
    raise InputError(
        f"{type(net).__name__} has no spatial features: its head reads "
        + (f"a tensor of shape {tuple(final.shape)}" if isinstance(final, torch.Tensor) else "several token grids")
    )


def _tokens_to_map(net: nn.Module, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Drop class, distillation and register tokens (timm puts them first) and lay the patches out as a grid."""
    prefix = tokens.shape[1] - height * width
    declared = getattr(net, "num_prefix_tokens", prefix)
    if prefix < 0 or prefix != declared:
        raise InputError(
            f"{type(net).__name__} has no spatial features: its head reads {tokens.shape[1]} tokens, "
            f"which hold no {height}x{width} grid"
        )
    patches = _final_norm(net)(tokens[:, prefix:])
    return patches.transpose(1, 2).reshape(tokens.shape[0], -1, height, width)


def _final_norm(net: nn.Module) -> nn.Module:
    """Return the norm that timm applies only after its own pooling; here it is applied to every patch instead."""
    norm = getattr(net, "fc_norm", None)
    return norm if isinstance(norm, nn.Module) else nn.Identity()
