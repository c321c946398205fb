"""No guidance: the classification loss alone."""

from collections.abc import Mapping
from typing import Any

import torch

from fer_bench.classifier_output import Output
from fer_bench.guidance import base


class Settings(base.Settings):
    """Nothing to choose."""

    label: str = "w/o AU"


class Guidance(base.GuidanceBase):
    """The arm without maps, trained by the very same loop."""

    needs_maps = False

    def wanted(self, label: int, row: Mapping[str, Any] | None = None) -> str | frozenset[int] | None:
        """No face has a map."""
        return None

    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Zero, on the device of the logits."""
        return output.logits.new_zeros(())
