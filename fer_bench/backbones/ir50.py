"""IR-50 of face recognition up to its third stage, the extractor of APViT: an architecture that timm does not have.

It stands in timm's own registry, so everything that knows a network by its timm name knows `ir50` too.
Units: the improved residual ones of ArcFace (Deng et al., arXiv 1801.07698). Checkpoints: those of face.evoLVe.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from torch import nn

logger = logging.getLogger(__name__)

FOURTH_STAGE = 3  # units of the stage that a checkpoint holds and the extractor leaves out
# The code of APViT (arXiv 2212.05463) and of arXiv 2402.00281 normalises with ImageNet's values, although face.evoLVe
# trained the weights with mean and deviation 0.5.
default_cfgs = generate_default_cfgs(
    {"ir50": {"input_size": (3, 112, 112), "mean": IMAGENET_DEFAULT_MEAN, "std": IMAGENET_DEFAULT_STD}}
)
_NUMBERED_UNIT = re.compile(r"body\.(\d+)\.((?:res|shortcut)_layer\..+)")


class Unit(nn.Module):
    """BN, 3x3 convolution, PReLU, 3x3 convolution with the stride, BN; plus the shortcut, without ReLU behind the sum.

    The shortcut picks every stride-th position where the channels match, else it is a 1x1 convolution with BN.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer = nn.MaxPool2d(1, stride) if inputs == outputs else _projection(inputs, outputs, stride)
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            _convolution(inputs, outputs, 3, 1),
            nn.PReLU(outputs),
            _convolution(outputs, outputs, 3, stride),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride), of either sign."""
        return self.res_layer(features) + self.shortcut_layer(features)


class IR50(nn.Module):
    """Stages of 3, 4 and 14 units with 64, 128 and 256 channels, each halving the map: 112x112 -> (256, 14, 14).

    channels, depths: per stage; the stem has the channels of the first. Xavier-uniform convolutions.
    Parameter names are those of arXiv 2402.00281's checkpoints below `extractor.`.
    """

    def __init__(
        self, channels: Sequence[int] = (64, 128, 256), depths: Sequence[int] = (3, 4, 14), in_chans: int = 3
    ) -> None:
        super().__init__()
        if not len(channels) == len(depths) > 0:
            raise ValueError(f"channels {channels} and depths {depths} name different numbers of stages")
        self.depths = tuple(depths)
        self.input_layer = nn.Sequential(
            _convolution(in_chans, channels[0], 3, 1), nn.BatchNorm2d(channels[0]), nn.PReLU(channels[0])
        )
        inputs = (channels[0], *channels)
        self.body = nn.Sequential(*(_stage(*shape) for shape in zip(inputs, channels, depths, strict=False)))
        # Where the adapter reads layers 3, 4 and 5: the keys are timm's.
        self.feature_info = [
            {"module": f"body.{index}", "num_chs": width, "reduction": 2 ** (index + 1)}
            for index, width in enumerate(channels)
        ]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) normalised -> (B, C, H/8, W/8), of either sign."""
        return self.body(self.input_layer(images))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features: there is no classifier."""
        return self.forward_features(images)


@register_model
def ir50(pretrained: bool = False, **kwargs: Any) -> IR50:
    """Make IR-50 for timm's `create_model`; kwargs: channels and depths."""
    return build_model_with_cfg(IR50, "ir50", pretrained, kwargs_filter=("num_classes",), **kwargs)


def checkpoint_filter_fn(state: Mapping[str, torch.Tensor], model: IR50) -> dict[str, torch.Tensor]:
    """Translate a face.evoLVe checkpoint, whose units are numbered through; names that are ours already stay.

    Its fourth stage (`body.21` to `body.23`) and its embedding (`output_layer`) do not belong to the extractor: they
    are left out, and logged. Any other surplus is left in, so that strict loading names it.
    """
    unused = {key for key in state if _behind_the_extractor(key, model.depths)}
    if unused:
        parts = sorted({re.sub(r"^(body\.\d+|\w+)\..*", r"\1", key) for key in unused})
        logger.warning("ir50: %d tensors of the checkpoint are not used: %s", len(unused), ", ".join(parts))
    kept = {_staged(key, model.depths): value for key, value in state.items() if key not in unused}
    return _with_counters(kept, model)


def _behind_the_extractor(key: str, depths: Sequence[int]) -> bool:
    unit, units = _NUMBERED_UNIT.fullmatch(key), sum(depths)
    return key.startswith("output_layer.") or bool(unit and units <= int(unit[1]) < units + FOURTH_STAGE)


def _staged(key: str, depths: Sequence[int]) -> str:
    """`body.5.res_layer.0.weight` -> `body.1.2.res_layer.0.weight`: the stage, and the unit within it."""
    unit = _NUMBERED_UNIT.fullmatch(key)
    if not unit or int(unit[1]) >= sum(depths):
        return key
    number, starts = int(unit[1]), list(accumulate(depths, initial=0))
    stage = max(index for index, start in enumerate(starts[:-1]) if start <= number)
    return f"body.{stage}.{number - starts[stage]}.{unit[2]}"


def _with_counters(state: dict[str, torch.Tensor], model: nn.Module) -> dict[str, torch.Tensor]:
    """Add the batch norms' counters, which checkpoints from before PyTorch 0.4.1 lack and nothing here reads."""
    counters = {name: value for name, value in model.state_dict().items() if name.endswith(".num_batches_tracked")}
    return state if counters.keys() & state.keys() else {**counters, **state}


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    rest = (Unit(outputs, outputs, 1) for _ in range(depth - 1))
    return nn.Sequential(Unit(inputs, outputs, 2), *rest)


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
