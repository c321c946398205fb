"""timm networks as backbones: numbered (B, C, h, w) feature maps whatever the architecture."""

from fer_bench._torchvision import import_torchvision

import_torchvision()  # before anything imports timm

from fer_bench.backbones.adapter import Backbone, build  # noqa: E402

__all__ = ["Backbone", "build"]
