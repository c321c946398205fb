"""The maximum over layers on the 28x28 grid, each enlarged as OpenCV's bilinear resize does."""

from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor

from fer_bench.au import tiles
from fer_bench.au.raster_paper import GRID, bilinear

_CELLS = (2, 4)  # of a tile: few layers reach so small a one, and a row of it still is a piece worth copying


def largest(layers: Tensor, out: Tensor, finish: Callable[[Tensor], object]) -> None:
    """Enlarge the layers and write their maximum.

    Args:
        layers: (N, K, 28, 28) float32, not negative.
        out: (N, H, W) float32, contiguous, to write to.
        finish: changes a few finished maps (n, H, W) in place while they are in the cache.

    Layers that are empty are not enlarged. Where H and W are multiples of 28 this holds for every tile of the maps,
    for the tiles of such a map all consist of whole cells.

    """
    height, width = out.shape[1:]
    surfaces = _whole if height % GRID or width % GRID else _by_tiles
    for part in tiles.batches(out):
        tiles.draw(surfaces(layers[part], (height, width)), out[part], finish)


def _whole(layers: Tensor, size: tuple[int, int]) -> tiles.Surfaces:
    """Describe the enlarged layers as a single tile: the coefficients are the layer."""
    down, right = (_matrix(side, layers.device) for side in size)

    def paint(coefficients: Tensor, out: Tensor) -> None:
        wide = torch.matmul(coefficients.view(-1, GRID, GRID), right.T)
        torch.bmm(down.expand(len(wide), -1, -1), wide, out=out.view(-1, *size))

    def coefficients(face: Tensor, _: Tensor, layer: Tensor) -> Tensor:
        return layers[face, layer].flatten(1)

    return tiles.Surfaces((layers.amax((2, 3)) > 0)[:, None], coefficients, paint, size, 0.0)


def _by_tiles(layers: Tensor, size: tuple[int, int]) -> tiles.Surfaces:
    """Describe the enlarged layers by tiles: the coefficients are the cells of a tile and the border around it."""
    faces, count = layers.shape[:2]
    cells, values = _cells(layers.device), layers.reshape(-1)

    def coefficients(face: Tensor, tile: Tensor, layer: Tensor) -> Tensor:
        index = cells.index_select(0, tile)
        index += ((face * count + layer) * (GRID * GRID))[:, None]
        return values.index_select(0, index.view(-1)).view(index.shape)

    filled = _filled(values.view(-1, GRID, GRID)).view(faces, count, -1).transpose(1, 2).contiguous()
    factor = (size[0] // GRID, size[1] // GRID)
    paint = partial(_paint, _basis(factor, layers.device))
    return tiles.Surfaces(filled, coefficients, paint, (_CELLS[0] * factor[0], _CELLS[1] * factor[1]), 0.0)


def _paint(basis: Tensor, coefficients: Tensor, out: Tensor) -> None:
    torch.mm(coefficients, basis, out=out)


def _filled(layers: Tensor) -> Tensor:
    """Tell which tiles read a cell of (M, 28, 28) layers that is not 0: (M, 14, 7) bool."""
    even, odd = layers.view(-1, GRID // 2, 2, GRID).unbind(2)
    rows = torch.maximum(even, odd)
    torch.maximum(rows[:, 1:], odd[:, :-1], out=rows[:, 1:])
    torch.maximum(rows[:, :-1], even[:, 1:], out=rows[:, :-1])
    # Cells are not negative, so that the sum of some is positive exactly where one of them is.
    return torch.mm(rows.view(-1, GRID), _columns(layers.device)).view(len(layers), -1) > 0


@lru_cache(maxsize=8)
def _cells(device: torch.device) -> Tensor:
    """Return the index of the cells that each tile reads, the border of the grid repeated around it: (T, B)."""
    with torch.inference_mode(False):
        down, right = (_reach(cells).clamp(0, GRID - 1) for cells in _CELLS)
        index = down[:, None, :, None] * GRID + right[None, :, None, :]
        return index.reshape(len(down) * len(right), -1).to(device)


@lru_cache(maxsize=8)
def _columns(device: torch.device) -> Tensor:
    """Return 1 where a column of tiles reads a column of cells, else 0: (28, 7)."""
    with torch.inference_mode(False):
        read = _reach(_CELLS[1])[None] == torch.arange(GRID)[:, None, None]
        return read.any(2).to(device, torch.float32)


def _reach(cells: int) -> Tensor:
    """Return which cells along an axis each tile reads: (28 / cells, cells + 2), from -1 to 28."""
    return torch.arange(0, GRID, cells)[:, None] + torch.arange(-1, cells + 1)


@lru_cache(maxsize=64)
def _basis(factor: tuple[int, int], device: torch.device) -> Tensor:
    """Return what each cell that a tile reads adds to its pixels: (B, h w)."""
    with torch.inference_mode(False):
        down, right = (_inner(cells, times) for cells, times in zip(_CELLS, factor, strict=True))
        return torch.kron(down, right).T.contiguous().to(device, torch.float32)


def _inner(cells: int, times: int) -> Tensor:
    """Return the rows of the resize for `cells` cells away from the border: (cells times, cells + 2)."""
    rows = slice(cells * times, 2 * cells * times)
    return bilinear(GRID, GRID * times)[rows, cells - 1 : 2 * cells + 1]


@lru_cache(maxsize=64)
def _matrix(size: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return bilinear(GRID, size).to(device, torch.float32)
