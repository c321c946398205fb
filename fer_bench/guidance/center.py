"""Control: a Gaussian in the middle of the image, the same for every face."""

import numpy as np
import torch
from pydantic import Field

from fer_bench.gaussian import WIDTH, centred_gaussian
from fer_bench.guidance import _control, base


class Settings(_control.NeutralSettings):
    """Width of the Gaussian, and the options of the alignment term."""

    label: str = "centre"
    width: float = Field(WIDTH, gt=0)  # standard deviation as a share of the image's side


class Guidance(_control.Control):
    """The reference `centred Gaussian` of the scores, as guidance."""

    knows = "the middle of the image"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Repeat one map."""

        def draw(rows: np.ndarray, side: int) -> torch.Tensor:
            return centred_gaussian((side, side), self.settings.width).expand(len(rows), side, side)

        return draw
