"""Makes torchvision importable beside a CPU build of torch, where its compiled operators cannot be loaded."""

import importlib
from typing import Any

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
# A library that is garbage collected takes its definitions along, so it is kept here.
_kept: list[Any] = []


def import_torchvision() -> bool:
    """Import torchvision; True when two operator schemas had to be declared first.

    The stock torchvision wheel is compiled for CUDA builds of torch. Beside a CPU build its library does not load, and
    the import stops because `torchvision::nms` has no schema. Nothing here calls that operator: declaring it is enough.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if _declared() or "torchvision::" not in str(error):
            raise
        _declare()
        importlib.import_module("torchvision")
        return True
    return False


def _declared() -> bool:
    return hasattr(torch.ops.torchvision, "nms")


def _declare() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + _SCHEMA)
    _kept.append(library)
