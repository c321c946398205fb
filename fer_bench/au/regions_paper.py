"""The face regions of the "paper" variant: which integer ellipses the published code draws for every action unit.

Belharbi et al., arXiv 2402.00281, published code, oddities included: sizes follow the whole image or are fixed in
pixels, landmarks are truncated to integers, several units share a region. The `facs` variant holds the anatomy.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True)
class _Ellipse:
    """One ellipse: the centre is halfway between two landmarks, per axis, plus a shift.

    A half axis is a number of pixels, a fraction of the image side ("side / n"), or half the distance from the first
    to the second landmark along its axis, negative distances counting as 0 and 0 replaced by `least`.
    """

    x: tuple[int, int]
    y: tuple[int, int]
    pixels: tuple[int, int] | None = None
    side: tuple[int, int] | None = None
    least: int = 0
    taller: int = 0  # pixels added to the vertical distance
    down: int = 0  # the centre moves down by image height / this
    right: int = 0  # the centre moves by these pixels, and stays within [0, W]


def _spot(x: int, y: int | None = None, pixels: tuple[int, int] = (20, 20), right: int = 0) -> _Ellipse:
    y = x if y is None else y
    return _Ellipse((x, x), (y, y), pixels=pixels, right=right)


def _brow(point: int) -> _Ellipse:
    return _Ellipse((point, point), (point, point), side=(8, 10))


def _cheek(point: int) -> _Ellipse:
    return _Ellipse((point, point), (point, point), side=(10, 10), down=6)


def _eyes(taller: int, least: int = 5) -> tuple[_Ellipse, _Ellipse]:
    left = _Ellipse((36, 39), (38, 41), least=least, taller=taller)
    return left, _Ellipse((42, 45), (44, 47), least=least, taller=taller)


# The units (FACS numbers) that are drawn with a region, and its ellipses. Faithful to the published code are the right
# circle of AU10 at the height of the mouth corner, and the second of AU20 beside landmark 50 instead of the corner 54.
_TABLE: tuple[tuple[tuple[int, ...], tuple[_Ellipse, ...]], ...] = (
    ((1,), (_brow(20), _brow(23))),
    ((2,), (_brow(18), _brow(25))),
    ((4,), (_Ellipse((19, 24), (19, 24), least=10),)),
    ((5,), _eyes(taller=0)),
    ((6,), (_cheek(41), _cheek(46))),
    ((7,), _eyes(taller=20)),
    ((9,), (_spot(31, 29), _spot(35, 29))),
    ((10,), (_spot(48, 50), _spot(52, 54))),
    ((12, 15), (_spot(48), _spot(54))),
    ((14,), (_spot(48, right=-20), _spot(54, right=20))),
    ((16,), (_spot(59), _spot(55))),
    ((17,), (_Ellipse((59, 8), (59, 8), least=5),)),
    ((20,), (_Ellipse((48, 6), (48, 6), pixels=(20, 20)), _Ellipse((50, 10), (50, 10), pixels=(20, 20)))),
    ((23, 24, 26, 27), (_Ellipse((48, 54), (51, 57), least=5),)),
    ((25,), (_spot(51, pixels=(25, 10)), _spot(57, pixels=(25, 10)))),
    ((43,), _eyes(taller=20, least=0)),
)
REGIONS: tuple[tuple[int, ...], ...] = tuple(units for units, _ in _TABLE)
_ABSENT = _Ellipse((0, 0), (0, 0), pixels=(-1, -1))
_FARTHEST = 1 << 20  # landmarks beyond a million pixels are garbage; kept within the integers that OpenCV draws with
_UNSET = -2


def ellipses(landmarks: Tensor, canvas: tuple[int, int]) -> Tensor:
    """Return the ellipses of every region.

    Args:
        landmarks: (N, 68, 2) x, y in pixels of the image, finite.
        canvas: (H, W) of that image.

    Returns:
        (N, R, 2, 4) int64: centre x, centre y, half axis along x, half axis along y. Half axes of -1 mark an ellipse
        that is not there (regions of one ellipse).

    """
    table = {name: column.to(landmarks.device) for name, column in _columns(canvas).items()}
    points = landmarks.to(torch.float64).clamp(-_FARTHEST, _FARTHEST).trunc().to(torch.int64)
    first = torch.stack([points[:, table["x1"], 0], points[:, table["y1"], 1]], dim=-1)
    second = torch.stack([points[:, table["x2"], 0], points[:, table["y2"], 1]], dim=-1)
    centre = torch.div(first + second, 2, rounding_mode="trunc") + table["shift"]
    within = centre[..., 0].clamp(0, canvas[1])
    centre[..., 0] = torch.where(table["within"], within, centre[..., 0])
    spread = torch.div(second - first + table["taller"], 2, rounding_mode="trunc").clamp(min=0)
    spread = torch.where(spread == 0, table["least"], spread)
    half = torch.where(table["fixed"] == _UNSET, spread, table["fixed"])
    return torch.cat([centre, half], dim=-1).view(len(points), len(REGIONS), 2, 4)


@lru_cache(maxsize=64)
def _columns(canvas: tuple[int, int]) -> dict[str, Tensor]:
    """Return the table as columns over its 2 R ellipses; where a column has two entries they are x and y."""
    flat = [ellipse for _, pair in _TABLE for ellipse in (*pair, _ABSENT)[:2]]
    columns: dict[str, list] = {
        "x1": [e.x[0] for e in flat],
        "x2": [e.x[1] for e in flat],
        "y1": [e.y[0] for e in flat],
        "y2": [e.y[1] for e in flat],
        "shift": [(e.right, round(canvas[0] / e.down) if e.down else 0) for e in flat],
        "within": [e.right != 0 for e in flat],
        "taller": [(0, e.taller) for e in flat],
        "least": [(e.least, e.least) for e in flat],
        "fixed": [_fixed_half_axes(e, canvas) for e in flat],
    }
    with torch.inference_mode(False):
        return {name: torch.tensor(column) for name, column in columns.items()}


def _fixed_half_axes(ellipse: _Ellipse, canvas: tuple[int, int]) -> tuple[int, int]:
    if ellipse.side is not None:
        return round(canvas[1] / ellipse.side[0]), round(canvas[0] / ellipse.side[1])
    return ellipse.pixels or (_UNSET, _UNSET)
