"""Control: a Gaussian at each landmark, the largest counting; knows where features of the face are, no unit, no class.

The width and the choice of points are those of the landmark maps in the published code of Belharbi et al., arXiv
2402.00281, which its tables do not use.
"""

import numpy as np
import torch
from pydantic import Field
from torch.nn.functional import interpolate

from fer_bench.guidance import _control, base

JAW = 17  # points 0 to 16
_SIDE = 56  # pixels a side on which Gaussians are drawn; larger maps are interpolated from it


class Settings(_control.NeutralSettings):
    """Width of the Gaussians, and the options of the alignment term."""

    label: str = "landmarks"
    sigma: float = Field(8 / 224, gt=0)  # standard deviation as a share of the image's side
    jaw: bool = False  # the outline of the face too


class Guidance(_control.Control):
    """Per pixel the maximum over isotropic Gaussians with peak 1."""

    knows = "where eyebrows, eyes, nose and mouth are"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Draw the points of each face."""
        points = torch.from_numpy(split.points()[:, 0 if self.settings.jaw else JAW :])

        def draw(rows: np.ndarray, side: int) -> torch.Tensor:
            inner = min(side, _SIDE)
            maps = gaussians(points[torch.from_numpy(rows)], inner, self.settings.sigma)
            if inner == side:
                return maps
            return interpolate(maps[:, None], (side, side), mode="bilinear", align_corners=False)[:, 0]

        return draw


def gaussians(points: torch.Tensor, side: int, sigma: float) -> torch.Tensor:
    """Draw (B, K, 2) points, x and y in [0, 1], as (B, S, S) in [0, 1]; zero where a point is missing."""
    centres = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    across, down = ((centres - points[..., axis, None]).square() for axis in (0, 1))  # (B, K, S)
    nearest = (down[..., None] + across[..., None, :]).amin(dim=1)
    return torch.exp(nearest / (-2 * sigma**2)).nan_to_num(0.0)
