"""Maps drawn tile by tile: in every tile the largest of the few surfaces that can be the largest there.

A surface is painted from its coefficients in the same way in all tiles, so that those of thousands of tiles are one
matrix product. Tiles with equally many candidates go together: no padding, and nothing is painted in vain.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

# Paints surfaces of coefficients (P, B) into pixels (P, h w) float32.
Painter = Callable[[Tensor, Tensor], object]
_CPU_BATCH, _DEVICE_BATCH = 1 << 24, 1 << 28  # pixels of maps whose tiles are sorted together
_CPU_STEP, _DEVICE_STEP = 1 << 20, 1 << 27  # pixels of maps drawn together: 4 MiB stay in the cache
_CPU_SURFACES, _DEVICE_SURFACES = 1 << 18, 1 << 27  # pixels of surfaces drawn together: 1 MiB


@dataclass(frozen=True)
class Surfaces:
    """What there is to draw on N faces that are cut into T tiles, row by row.

    candidates: (N, T, K) bool: the surfaces that have to be painted in each tile; all others are smaller than the
        largest of these, or not above `background`.
    coefficients: face (P,), tile (P,) and surface (P,) of candidates -> their coefficients (P, B).
    paint: paints them, the same in all tiles.
    tile: (h, w) in pixels; tiles of the last row and column may reach beyond the map.
    background: the value of a tile without candidates.
    """

    candidates: Tensor
    coefficients: Callable[[Tensor, Tensor, Tensor], Tensor]
    paint: Painter
    tile: tuple[int, int]
    background: float


def batches(maps: Tensor) -> Iterator[slice]:
    """Yield slices of as many of the maps (N, H, W) as should be drawn with one call."""
    step = max(1, _budget(maps, _CPU_BATCH, _DEVICE_BATCH) // maps.shape[1:].numel())
    for start in range(0, len(maps), step):
        yield slice(start, start + step)


def _budget(tensor: Tensor, cpu: int, device: int) -> int:
    return cpu if tensor.device.type == "cpu" else device


def draw(surfaces: Surfaces, out: Tensor, finish: Callable[[Tensor], object]) -> None:
    """Draw the maximum over the candidates.

    Args:
        surfaces: what to draw.
        out: (N, H, W) float32, contiguous, to write to.
        finish: changes a few finished maps (n, H, W) in place while they are in the cache.

    """
    faces, tiles, _ = surfaces.candidates.shape
    area = surfaces.tile[0] * surfaces.tile[1]
    step = max(1, min(faces, _budget(out, _CPU_STEP, _DEVICE_STEP) // (tiles * area)))
    order, numbers = _order(surfaces.candidates, step)
    position = torch.arange(len(order), device=out.device) % (step * tiles)
    place = torch.empty_like(order).scatter_(0, order, position).view(faces, tiles)
    sizes = [sum(count * number for count, number in enumerate(row)) for row in numbers]
    parts = _coefficients(surfaces, order).split(sizes)
    drawn = out.new_empty(step * tiles, area)
    for start, row, part in zip(range(0, faces, step), numbers, parts, strict=True):
        maps = out[start : start + step]
        _largest(surfaces, row, part, drawn)
        _assemble(drawn, place[start : start + step], surfaces.tile, maps)
        finish(maps)


def _order(candidates: Tensor, step: int) -> tuple[Tensor, list[list[int]]]:
    """Sort the tiles of every `step` faces by their number of candidates.

    Returns the sorted tiles (N T,) and, for every step, how many have 0, 1, ... K candidates.
    """
    (faces, tiles, most), device = candidates.shape, candidates.device
    counts = pad(candidates.sum(2), (0, 0, 0, -faces % step), value=-1).view(-1, 1, step * tiles)
    equal = counts == torch.arange(most + 1, device=device)[:, None]
    block, _, tile = equal.nonzero(as_tuple=True)
    return block * (step * tiles) + tile, equal.sum(2).tolist()


def _coefficients(surfaces: Surfaces, order: Tensor) -> Tensor:
    """Return the coefficients of all candidates (P, B), tile after tile in the order given."""
    _, tiles, most = surfaces.candidates.shape
    rank, surface = surfaces.candidates.view(-1, most)[order].nonzero(as_tuple=True)
    place = order[rank]
    return surfaces.coefficients(place // tiles, place % tiles, surface)


def _largest(surfaces: Surfaces, numbers: list[int], coefficients: Tensor, out: Tensor) -> None:
    """Draw sorted tiles into the first rows of `out`: numbers[k] tiles with k candidates each, k from 0."""
    sizes = [count * number for count, number in enumerate(numbers)]
    groups = zip(out[: sum(numbers)].split(numbers), coefficients.split(sizes), strict=True)
    for count, (tiles, rows) in enumerate(groups):
        if count == 0:
            tiles.fill_(surfaces.background)
        elif count == 1:
            surfaces.paint(rows, tiles)
        elif len(tiles):
            _largest_of(count, surfaces.paint, rows, tiles)


def _largest_of(count: int, paint: Painter, coefficients: Tensor, out: Tensor) -> None:
    """Draw tiles (M, h w) with `count` candidates each, a few at a time in a scratch array that stays in the cache."""
    step = max(1, min(len(out), _budget(out, _CPU_SURFACES, _DEVICE_SURFACES) // (count * out.shape[1])))
    scratch = out.new_empty(step, count, out.shape[1])
    for tiles, rows in zip(out.split(step), coefficients.split(step * count), strict=True):
        layers = scratch[: len(tiles)]
        paint(rows, layers.flatten(0, 1))
        torch.amax(layers, dim=1, out=tiles)


def _assemble(drawn: Tensor, place: Tensor, tile: tuple[int, int], maps: Tensor) -> None:
    """Gather the tiles of n faces, (n, T) rows of `drawn`, into their maps (n, H, W): one tile's row is one piece."""
    (faces, height, width), (tall, wide) = maps.shape, tile
    columns = -(-width // wide)
    lines = torch.arange(tall, device=maps.device)[:, None]
    index = (place.view(faces, -1, 1, columns) * tall + lines).flatten(1, 2)[:, :height].reshape(-1)
    pieces = drawn.view(-1, wide)
    if columns * wide == width:
        torch.index_select(pieces, 0, index, out=maps.view(-1, wide))
    else:
        maps.copy_(pieces.index_select(0, index).view(faces, height, -1)[:, :, :width])
