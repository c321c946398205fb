"""ADL: CAM's network, with attention that hides or stresses the strongest region while training."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.methods import cam
from fer_bench.methods._shifted_loading import STAGES, shift
from fer_bench.methods.base import LAST, BackboneFacts
from fer_bench.settings import Settings as Section


class Settings(Section):
    """Options of ADL; rate and threshold are those of arXiv 2402.00281's code.

    `paper` repeats what that code does by mistake, on ResNets: ADL modules shift the numbers of the blocks, so that
    pretrained weights go to wrong blocks (`loading`), and CAM reads the second block of layer4 in place of the last
    (`cam_block`; explainers `cam` and `class_maps` follow, those with gradients read the last block as ever).
    """

    drop_rate: float = Field(0.4, ge=0, le=1)  # probability of the drop mask; otherwise the importance map
    drop_threshold: float = Field(0.1, ge=0, le=1)  # of the strongest attention of the image; dropped from there on
    loading: Literal["correct", "paper"] = "correct"  # `paper` changes nothing with random weights
    cam_block: Literal["correct", "paper"] = "correct"


class Method(cam.Method):
    """Choe and Shim, CVPR 2019; in evaluation the plain network.

    Modules stand after the first block of the stage before the last, after the first block of the last stage (unless it
    is the only one), and before the head. So in training layer 5, and with it the attention that guidance sees, is the
    masked map, as in arXiv 2402.00281's code. They have no weights: those of the backbone keep their names.
    """

    label: ClassVar[str] = "ADL"
    citation: ClassVar[str] = (
        "Choe and Shim 2019, Attention-based Dropout Layer for Weakly Supervised Object Localization, CVPR"
    )

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self._places: list[Any] = []  # blocks of the backbone
        self._cam_block: Any = None
        self._seen: list[torch.Tensor] = []  # what the block of CAM returned, from the backbone's pass to the head's

    @classmethod
    def unsuitable(cls, backbone: BackboneFacts, settings: Any) -> str | None:
        """ADL needs two stages of blocks; what it repeats of the published code needs a ResNet."""
        try:
            stages = backbone.stages()
        except InputError as error:
            return f"ADL cannot run on {backbone.name}: {error}"
        if len(stages) < 2:
            return f"ADL cannot run on {backbone.name}: it has {len(stages)} stage of blocks, two are needed"
        if "paper" not in (settings.loading, settings.cam_block):
            return None
        if not all(isinstance(getattr(backbone.net, stage, None), nn.Sequential) for stage in STAGES):
            return f"ADL's `loading: paper` and `cam_block: paper` repeat what happens to a ResNet, not {backbone.name}"
        if settings.cam_block == "paper" and len(stages[-1]) < 2:
            return f"ADL's `cam_block: paper` reads the second block of layer4, and {backbone.name} has one block there"
        return None

    def attach(self, backbone: BackboneFacts) -> None:
        """Find the places of the modules; with `loading: paper`, move pretrained weights to where they land there."""
        before, last = backbone.stages()[-2:]
        self._places = [before[0], *last[:1] * (len(last) > 1)]
        if self.settings.cam_block == "paper":
            self._cam_block = last[1]
        if self.settings.loading == "paper" and backbone.pretrained:
            shift(backbone.net)

    @property
    def changes(self) -> Mapping[Any, Callable[[torch.Tensor], torch.Tensor]]:
        """In training the modules; where CAM reads another block, that block is watched."""
        modules = {block: self.drop for block in self._places if self.training}
        return modules if self._cam_block is None else {**modules, self._cam_block: self._watch}

    @property
    def head_weight(self) -> torch.Tensor | None:
        """(K, C), or None where class maps are made of another block than the one that feeds the head."""
        return None if self.settings.cam_block == "paper" else super().head_weight

    def forward(self, features: dict[int, torch.Tensor], attention: torch.Tensor | None = None) -> Output:
        """As for CAM, on the masked layer 5 in training; class maps from the block that `cam_block` says."""
        if self.training:
            features = {**features, LAST: self.drop(features[LAST])}
        output = super().forward(features, attention)
        if self._seen:
            output.class_maps = self.class_maps(self._seen.pop())
        return output

    def drop(self, features: torch.Tensor) -> torch.Tensor:
        """Multiply (B, C, ...) by the drop mask or the importance map: one draw for the whole batch."""
        attention = features.mean(dim=1, keepdim=True)
        if torch.rand(()).item() >= self.settings.drop_rate:
            return features * attention.sigmoid()
        highest = attention.flatten(1).amax(dim=1).view(-1, *[1] * (attention.ndim - 1))
        return features * (attention < self.settings.drop_threshold * highest)

    def _watch(self, features: torch.Tensor) -> torch.Tensor:
        self._seen[:] = [features]
        return features
