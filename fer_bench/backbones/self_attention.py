"""Self-attention of the published code: a layer's features times their own channel mean, before the next layer.

An option of arXiv 2402.00281's code that its commands leave off.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from fer_bench.backbones import blocks, taps
from fer_bench.backbones.blocks import Block
from fer_bench.errors import InputError

AXES = (1, -1)  # where channels may stand in what a stage returns


def attended(features: torch.Tensor) -> torch.Tensor:
    """F (B, C, h, w) -> F T, T the mean of F over channels."""
    return features * features.mean(dim=1, keepdim=True)


def places(net: nn.Module, images: torch.Tensor, layers: Sequence[int]) -> tuple[Block, ...]:
    """Find the module that returns each layer but the last, whose map the caller changes itself.

    Raises:
        InputError: the network is not built in stages, or no module returns the map of a layer.
    """
    if taps.is_isotropic(net):
        raise InputError(f"{type(net).__name__} has no stages: its blocks all have one resolution")
    return tuple(_place(net, images, layer) for layer in sorted(set(layers) - {taps.LAST}))


def _place(net: nn.Module, images: torch.Tensor, layer: int) -> Block:
    infos = taps.feature_info(net)
    name = str(infos[layer - taps.LAST + len(infos) - 1]["module"])
    for axis in AXES:
        if _changes_the_layer(net, images, layer, Block(name, axis)):
            return Block(name, axis)
    raise InputError(f"{type(net).__name__}: no module returns the map of layer {layer} as it is")


def _changes_the_layer(net: nn.Module, images: torch.Tensor, layer: int, block: Block) -> bool:
    """Try it out: the layer is multiplied, those before it are as they were, and the next one sees the difference."""
    change: Mapping[Block, Any] = {block: attended}
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            before = taps.collect(net, images)
            with blocks.changing(net, change):
                after = taps.collect(net, images)
    except (RuntimeError, AttributeError, IndexError):
        return False  # of another layout than the axis says
    finally:
        net.train(training)
    if after[layer].is_meta:
        return True  # no values to compare: sizes and operations are all that is asked of such a network
    earlier = all(torch.equal(before[number], after[number]) for number in before if number < layer)
    wanted = attended(before[layer])
    rounding = 1e-5 * float(wanted.abs().max())  # a mean over channels near zero is known less well than its terms
    multiplied = torch.allclose(after[layer], wanted, rtol=1e-4, atol=rounding)
    return earlier and multiplied and not torch.equal(before[layer + 1], after[layer + 1])
