"""ResNets with 28x28 maps at 224 px: stride 1 in the last two stages, without dilation."""

from typing import Any

from timm.models.resnet import BasicBlock, Bottleneck
from torch import nn

from fer_bench.errors import InputError


def enlarge(net: nn.Module, source: str) -> None:
    """Set the stride of layer3 and layer4 of a timm ResNet to 1, in place (`large_maps` of arXiv 2402.00281's code).

    No dilation is added and no shape of any weight changes, so pretrained weights fit; timm's `output_stride=8` adds
    dilation and is another network. Raises InputError for any other architecture.
    """
    stages = [getattr(net, name, None) for name in ("layer3", "layer4")]
    if not all(isinstance(stage, nn.Sequential) for stage in stages):
        raise _refusal(source, net, "is no ResNet; use `output_stride` where timm offers it")
    for stage in stages:
        _enlarge_block(stage[0], net, source)  # type: ignore[index]


def _enlarge_block(block: Any, net: nn.Module, source: str) -> None:
    # Subclasses (Res2Net, ResNeSt, SKNet) and anti-aliased blocks keep strides in further places: refused, not guessed.
    if type(block) not in (BasicBlock, Bottleneck) or not isinstance(block.aa, nn.Identity):
        raise _refusal(source, net, f"has {type(block).__name__} blocks with strides of their own")
    strided = block.conv2 if isinstance(block, Bottleneck) else block.conv1
    if strided.stride != (2, 2):
        raise _refusal(source, net, "has no stride left to remove; drop `output_stride` from kwargs")
    strided.stride = (1, 1)
    for index, module in enumerate(block.downsample):
        if isinstance(module, nn.AvgPool2d):  # the "d" variants pool before a 1x1 convolution of stride 1
            block.downsample[index] = nn.Identity()
        elif isinstance(module, nn.Conv2d):
            module.stride = (1, 1)


def _refusal(source: str, net: nn.Module, reason: str) -> InputError:
    return InputError(
        f"{source}.kwargs.large_maps: works for timm ResNets of plain blocks; {type(net).__name__} {reason}"
    )
