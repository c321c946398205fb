"""The 28x28 maps of the "paper" variant, straight from ellipses: fill, bilinear 28x28, 3x3 blur, without the image.

The published code fills a full-resolution canvas, shrinks it with OpenCV's bilinear resize and blurs it. That resize
reads two image rows and two columns per output sample, so only the ellipses' row spans in at most 56 rows matter, and
what a span [start, stop) adds to the 28 output columns is the difference of two rows of a cumulative table. Resize and
blur are linear: the blur is folded into that table (columns) and into one small matrix (rows).
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, threshold

from fer_bench.au.ellipse_spans import SPANS

GRID = 28  # the published code's grid, whatever the image size
_NOISE = 1e-4  # a covered sample adds at least 1 / 56^2; less is rounding, which min-max would blow up


def render(ellipses: Tensor, canvas: tuple[int, int], device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Render regions on the 28x28 grid.

    Args:
        ellipses: (P, 2, 4) integers as `regions_paper.ellipses` gives them.
        canvas: (H, W) of the image in which they lie.
        device: where the maps are made.

    Returns:
        sums: (P, 28, 28) float32 in [0, 9]: nine times the blurred map, where 9 stands for the published 255 and 0 for
            its background. Without the division by nine the numbers are exact for sizes such as 224.
        drawn: (P,) bool: False where no pixel of the image is covered, so that the published code drops the unit.

    """
    rows, weights, table = _axes(canvas, torch.device(device))
    spans = SPANS.lookup(ellipses.reshape(-1, 4).cpu().numpy(), canvas, rows)
    start, stop, visible = (torch.from_numpy(part).to(device) for part in spans)
    # Four table rows per image row (start and stop of two spans), two image rows per grid row.
    index = _disjoint(start.view(-1, 2, len(rows)), stop.view(-1, 2, len(rows))).view(-1, 8)
    weights = weights.expand(len(ellipses), -1, 8).reshape(-1, 8)
    cover = embedding_bag(index, table, mode="sum", per_sample_weights=weights)
    cover = cover.view(len(ellipses), GRID + 2, GRID)
    sums = cover[:, :-2] + cover[:, 1:-1]
    sums += cover[:, 2:]
    return threshold(sums, _NOISE, 0.0, inplace=True), visible.view(-1, 2).any(1)


def _disjoint(start: Tensor, stop: Tensor) -> Tensor:
    """Turn the two spans of each row into two that do not overlap, for filling overwrites and does not add.

    (P, 2, K) each -> (P, K, 4): stop and start of the first span, stop and start of the second.
    """
    (start1, start2), (stop1, stop2) = start.unbind(1), stop.unbind(1)
    low, high = torch.minimum(start1, start2), torch.maximum(stop1, stop2)
    overlap = torch.maximum(start1, start2) < torch.minimum(stop1, stop2)
    first, last = torch.where(overlap, low, start1), torch.where(overlap, high, stop1)
    return torch.stack([last, first, torch.where(overlap, 0, stop2), torch.where(overlap, 0, start2)], dim=-1)


@lru_cache(maxsize=64)
def _axes(canvas: tuple[int, int], device: torch.device) -> tuple[np.ndarray, Tensor, Tensor]:
    """Return what depends on the image size alone.

    rows (60,): the two image rows that each grid row reads, the grid being extended by its mirrored rows 1 and 26;
    weights (30, 8): of the table rows read for a grid row; table (W + 1, 28): entry t is what image columns [0, t) add
    to the 28 grid columns, each summed with its two neighbours.
    """
    with torch.inference_mode(False):
        low, high, fraction = (part[_mirrored()] for part in _taps(canvas[0], GRID))
        signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
        weights = torch.cat([(1 - fraction)[:, None] * signs, fraction[:, None] * signs], dim=1)
        columns = bilinear(canvas[1], GRID)[_mirrored()]
        columns = columns[:-2] + columns[1:-1] + columns[2:]
        table = torch.cat([torch.zeros(1, GRID), columns.T.cumsum(0)])
        rows = torch.stack([low, high], dim=1).flatten().numpy()
        return rows, weights.to(device, torch.float32), table.to(device, torch.float32)


def _mirrored() -> Tensor:
    """Return the 30 grid indices with OpenCV's default border, reflect-101: 1, 0, 1, ... 27, 26."""
    return torch.tensor([1, *range(GRID), GRID - 2])


def _taps(source: int, target: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return lower and upper sample (target,) and the weight of the upper one in OpenCV's bilinear resize."""
    position = (torch.arange(target, dtype=torch.float64) + 0.5) * (source / target) - 0.5
    position = position.clamp(0, source - 1)
    low = position.floor().to(torch.int64)
    return low, (low + 1).clamp(max=source - 1), position - low


def bilinear(source: int, target: int) -> Tensor:
    """Return the (target, source) float64 matrix of OpenCV's bilinear resize: half-pixel, no antialias."""
    low, high, fraction = _taps(source, target)
    weights = torch.zeros(target, source, dtype=torch.float64)
    weights[torch.arange(target), low] += 1 - fraction
    weights[torch.arange(target), high] += fraction
    return weights
