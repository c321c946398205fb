"""The maps of the "facs" variant: exp(-q) of rotated ellipses, q = 1 on the edge, at any size, without a grid."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from fer_bench.au import tiles
from fer_bench.au.memory import new_maps
from fer_bench.au.regions_facs import REGION_OF

_FAR = 100.0  # 2^-100 is 0 for every purpose, and farther exponents would end in slow denormal numbers
_TILE = (28, 56)  # the most pixels of a tile: fewer candidates in small ones, fewer tiles of large ones


def scaled(forms: Tensor, canvas: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Move (..., 5) forms from pixels of an image of `canvas` (H, W) to pixels of one of `size`.

    The centre of pixel i has coordinate i in both, so that a position moves to (x + 0.5) w / W - 0.5.
    """
    if tuple(canvas) == tuple(size):
        return forms
    down, right = size[0] / canvas[0], size[1] / canvas[1]
    factor = forms.new_tensor([right, down, right**-2, 1 / (right * down), down**-2])
    shift = forms.new_tensor([(right - 1) / 2, (down - 1) / 2, 0, 0, 0])
    return forms * factor + shift


def render_regions(
    forms: Tensor, wanted: Tensor, size: tuple[int, int], out: Tensor | None = None, heights: Tensor | None = None
) -> Tensor:
    """Render the wanted regions of each face.

    Args:
        forms: (N, E, 5) as `regions_facs.forms` gives them, in pixels of the result.
        wanted: (N, R) bool.
        size: (H, W).
        out: (N, H, W) float32 to write to, if given.
        heights: (N, R) peak of each region in (0, 1] where it is wanted; by default 1.

    Returns:
        (N, H, W) float32 in [0, 1]; zero where nothing is wanted.

    """
    region = torch.tensor(REGION_OF, device=wanted.device)
    used = wanted[:, region]
    count = max(int(used.sum(1).max()), 1) if len(used) else 1
    used, chosen = used.to(torch.uint8).sort(dim=1, descending=True, stable=True)
    chosen = chosen[:, :count]
    peaks = None if heights is None else heights[:, region].gather(1, chosen)
    forms = forms.gather(1, chosen[..., None].expand(-1, -1, 5))
    return render(forms, used[:, :count].bool(), size, out, peaks)


def render(
    forms: Tensor, used: Tensor, size: tuple[int, int], out: Tensor | None = None, heights: Tensor | None = None
) -> Tensor:
    """Render the maximum of exp(-q) over the ellipses that are used.

    Args:
        forms: (N, K, 5) ellipses in pixels of the result; those not used may hold anything.
        used: (N, K) bool.
        size: (H, W).
        out: (N, H, W) float32 to write to, if given.
        heights: (N, K) peak of each ellipse, in (0, 1] where it is used; by default 1.

    Returns:
        (N, H, W) float32 in [0, 1]; zero where no ellipse is used.

    """
    out = new_maps(len(used), size, forms.device) if out is None else out
    for part in tiles.batches(out):
        peaks = None if heights is None else heights[part]
        tiles.draw(_surfaces(forms[part], used[part], size, peaks), out[part], _exponential_)
    return out.index_fill_(0, (~used.any(1)).nonzero()[:, 0], 0)


def _exponential_(exponents: Tensor) -> None:
    exponents.clamp_(-_FAR, 0).exp2_()


def _surfaces(forms: Tensor, used: Tensor, size: tuple[int, int], heights: Tensor | None) -> tiles.Surfaces:
    """Describe log2 of height exp(-q) by tiles: a polynomial of second degree around the centre of each tile.

    The small coordinates of a tile keep rounding errors small.
    """
    (rows, tall), (columns, wide) = (_cut(side, most) for side, most in zip(size, _TILE, strict=True))
    middle = ((tall - 1) / 2, (wide - 1) / 2)
    down, across = (torch.arange(rows) * tall + middle[0], torch.arange(columns) * wide + middle[1])
    linear, square = _polynomials(forms, used, down.to(forms.device), across.to(forms.device))
    if heights is not None:
        linear[0] += torch.where(used, heights, 1).to(linear).log2().T
    candidates = used.T & ~_below_another(linear, square, middle)
    terms = linear.flatten(1, 2)

    def coefficients(face: Tensor, tile: Tensor, ellipse: Tensor) -> Tensor:
        return torch.cat([terms[:, tile, ellipse, face], square[:, ellipse, face]]).T

    paint = _painter(tall, wide, forms.device)
    candidates = candidates.flatten(0, 1).permute(2, 0, 1).contiguous()
    return tiles.Surfaces(candidates, coefficients, paint, (tall, wide), -_FAR)


def _cut(side: int, most: int) -> tuple[int, int]:
    """Cut a side of the map into equal parts of at most `most` pixels: how many, and their pixels."""
    count = -(-side // most)
    return count, -(-side // count)


def _polynomials(forms: Tensor, used: Tensor, down: Tensor, across: Tensor) -> tuple[Tensor, Tensor]:
    """Expand log2 exp(-q) around the points of a grid.

    Args:
        forms: (N, K, 5).
        used: (N, K) bool; the others are -inf everywhere.
        down: (R,) y of the points.
        across: (C,) x of the points.

    Returns:
        Coefficients of 1, x, y (3, R, C, K, N) and of x^2, 2 x y, y^2 (3, K, N), float64.

    """
    # The faces come last: they are the many, so that every step below runs over long rows. exp2 is faster than exp.
    forms = torch.where(used[..., None], forms, 0).to(torch.float64).permute(2, 1, 0).contiguous()
    square = forms[2:] * -math.log2(math.e)
    p, q, r = square
    x, y = across[:, None, None] - forms[0], down[:, None, None, None] - forms[1]
    half_x, half_y = p * x + q * y, q * x + r * y
    value = (half_x * x + half_y * y).masked_fill_(~used.T, -torch.inf)
    return torch.stack([value, 2 * half_x, 2 * half_y]), square


def _below_another(linear: Tensor, square: Tensor, reach: tuple[float, float]) -> Tensor:
    """Tell which ellipses lie in the whole tile below the one that is the largest in its centre: (R, C, K, N) bool.

    The difference of two polynomials is bounded term by term over |y| <= reach[0], |x| <= reach[1].
    """
    (value, slope_x, slope_y), (p, q, r), (y, x) = linear, square, reach
    top, best = value.max(2, keepdim=True)

    def above(terms: Tensor) -> Tensor:
        return terms - terms.expand_as(value).gather(2, best)

    bound = value - top
    bound += above(slope_x).abs_() * x
    bound += above(slope_y).abs_() * y
    bound += above(p).clamp_(min=0) * x**2
    bound += above(q).abs_() * (2 * x * y)
    bound += above(r).clamp_(min=0) * y**2
    return bound < 0


def _painter(height: int, width: int, device: torch.device) -> tiles.Painter:
    """Return what turns coefficients of 1, x, y, x^2, 2 x y, y^2 (P, 6) into pixels of a tile, (0, 0) its centre.

    First each row of the tile becomes a polynomial of x, in float64, for its terms may be large and their sum small.
    """
    along_y, along_x = _powers(height, width, device)

    def paint(coefficients: Tensor, out: Tensor) -> None:
        rows = torch.mm(coefficients, along_y).to(torch.float32)
        torch.mm(rows.view(-1, 3), along_x, out=out.view(-1, width))

    return paint


@lru_cache(maxsize=64)
def _powers(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return what 1, x, y, x^2, 2 x y, y^2 add to 1, x, x^2 in every row (6, h 3), and these in every column (3, w)."""
    with torch.inference_mode(False):
        y = torch.arange(height, dtype=torch.float64) - (height - 1) / 2
        x = torch.arange(width, dtype=torch.float64) - (width - 1) / 2
        one, none = torch.ones_like(y), torch.zeros_like(y)
        terms = [[one, none, none], [none, one, none], [y, none, none]]
        terms += [[none, none, one], [none, 2 * y, none], [y * y, none, none]]
        along_y = torch.stack([torch.stack(term, dim=1).flatten() for term in terms])
        along_x = torch.stack([torch.ones_like(x), x, x * x])
        return along_y.to(device), along_x.to(device, torch.float32)
