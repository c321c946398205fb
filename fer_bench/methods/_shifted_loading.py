"""Pretrained weights in the wrong blocks of a ResNet, as the code of arXiv 2402.00281 loads them for ADL."""

from itertools import pairwise

from torch import nn

STAGES = ("layer3", "layer4")


def shift(net: nn.Module) -> None:
    """Rearrange the loaded weights of layer3 and layer4 of a ResNet, in place.

    There a module without weights stands after block 0 of both stages, so that block i > 0 has the number i + 1 and
    gets the weights of the block after it: those of block 1 are unused, and the last block keeps its random start.
    """
    for stage in STAGES:
        blocks = list(net.get_submodule(stage).children())[1:]
        for block, following in pairwise(blocks):
            block.load_state_dict(following.state_dict())
        if blocks:
            _restart(blocks[-1])


def _restart(block: nn.Module) -> None:
    """Draw torchvision's initial values of a ResNet from torch's global generator."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
