"""No guidance: the classification loss alone."""

import torch

from fer_bench.classifier_output import Output
from fer_bench.guidance import base


class Settings(base.Settings):
    """Nothing to choose."""

    label: str = "w/o AU"


class Guidance(base.GuidanceBase):
    """The arm without maps, trained by the very same loop."""

    needs_maps = False

    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Zero, on the device of the logits."""
        return output.logits.new_zeros(())
