"""Which networks the published numbers belong to: Belharbi et al., arXiv 2402.00281, and its released code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FREE = ("large_maps",)  # options of a backbone that the paper chose run by run; they change no parameter


@dataclass(frozen=True)
class Architecture:
    """A network of the paper.

    name: as the paper calls it. backbone: timm's name without the tag of its weights. input_size: pixels.
    options: those of the method that size the network, with every spelling of the published value; an option that is
    left out has it.
    """

    name: str
    backbone: str
    input_size: int
    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        """For notes, e.g. `ResNet50 at 224 px`."""
        return f"{self.name} at {self.input_size} px"

    def is_that_of(self, cell: Mapping[str, Any]) -> bool:
        """Whether a cell has this network; keys backbone, input_size, kwargs, method_kwargs."""
        same = (str(cell["backbone"]).split(".")[0], cell["input_size"]) == (self.backbone, self.input_size)
        usual = all(key in FREE for key in cell["kwargs"])
        given = {key: value for key, value in cell["method_kwargs"].items() if key in self.options}
        return same and usual and all(value in self.options[key] for key, value in given.items())


_RESNET = ("ResNet50", "resnet50", 224)
_OTHERS = {
    "ACoL": Architecture(*_RESNET, {"width": (1024,)}),
    "TS-CAM": Architecture("DeiT-S", "deit_small_patch16_224", 224),
    "APViT": Architecture(
        "IR-50 with 8 transformer blocks",
        "ir50",
        112,
        {
            "dim": (768,),
            "depth": (8,),
            "heads": (8,),
            "mlp_ratio": (3,),
            "keep_tokens": (None, 160),
            "keep_fraction": (0.9,),
            "pooled_blocks": ([5, 6, 7, 8],),
        },
    ),
}


def architecture(method: str) -> Architecture:
    """Network of a row of the paper's Table 1."""
    return _OTHERS.get(method, Architecture(*_RESNET))
