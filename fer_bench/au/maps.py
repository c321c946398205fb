"""Action-unit maps of faces: landmarks and expressions in, one map per face out, batched, on any device."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from fer_bench.au import raster_facs, raster_paper, regions_facs, regions_paper
from fer_bench.au.codebook import check_units, check_variant, wanted_aus
from fer_bench.au.composition import GRID, blend
from fer_bench.au.memory import new_maps
from fer_bench.errors import InputError

# One per face: expression names or class ids (a tensor of ids will do), sets of FACS numbers, None for no map.
Wanted = Tensor | np.ndarray | Sequence[str | int | Iterable[int] | None]
REGIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "paper": regions_paper.REGIONS,
    "facs": regions_facs.REGIONS,
}
_FACES_AT_ONCE = 1024  # bounds the memory of one step
_RENDERED_AT_ONCE = 256  # faces; fewer pay more for calls, more fall out of the cache


def au_map(
    landmarks: Tensor | np.ndarray | Sequence[Sequence[float]],
    expression: str | int | Iterable[int],
    size: tuple[int, int],
    variant: str = "paper",
    canvas: tuple[int, int] | None = None,
    codebook: str | None = None,
) -> Tensor | np.ndarray | None:
    """Return the action-unit map of one face, or None when it has none.

    There is none for neutral (in `paper` also contempt), without landmarks, and when every region lies outside.
    The arguments are those of `au_maps` for a single face; the result is (H, W) float32 in [0, 1], a tensor when the
    landmarks are one and a NumPy array otherwise.
    """
    points = torch.as_tensor(np.asarray(landmarks)) if not isinstance(landmarks, Tensor) else landmarks
    maps, valid = au_maps(points[None], [expression], size, variant, canvas, codebook)
    if not bool(valid[0]):
        return None
    return maps[0] if isinstance(landmarks, Tensor) else maps[0].numpy()


def au_maps(
    landmarks: Tensor | np.ndarray,
    expressions: Wanted,
    size: tuple[int, int],
    variant: str = "paper",
    canvas: tuple[int, int] | None = None,
    codebook: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the action-unit maps of N faces.

    Args:
        landmarks: (N, 68, 2) iBUG points, x right, y down, pixels of the image; a face with any non-finite value has no
            map.
        expressions: one per face: names, class ids (a tensor will do), sets of FACS numbers, or None for no map.
        size: (H, W) of the maps.
        variant: "paper" (Belharbi et al., arXiv 2402.00281, as its code draws it) or "facs" (anatomical).
        canvas: (H, W) of the image that the landmarks belong to, where it is not `size`.
        codebook: "drawn", "printed" or "cited"; by default what the variant uses.

    Returns:
        maps (N, H, W) float32 in [0, 1] on the device of the landmarks, zero where invalid, and valid (N,) bool.

    """
    points = torch.as_tensor(landmarks)
    if points.ndim != 3 or points.shape[1:] != (68, 2):
        raise InputError(f"au: landmarks of shape {tuple(points.shape)}; (N, 68, 2) is wanted")
    wanted = wanted_rows(expressions, variant, codebook).to(points.device)
    if len(wanted) != len(points):
        raise InputError(f"au: {len(points)} faces but {len(wanted)} expressions")
    wanted = wanted & torch.isfinite(points).all(-1).all(-1, keepdim=True)
    draw = _paper if variant == "paper" else _facs
    maps = new_maps(len(points), size, points.device)
    valid = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    for start in range(0, len(points), _FACES_AT_ONCE):
        part = slice(start, start + _FACES_AT_ONCE)
        valid[part] = draw(points[part], wanted[part], size, canvas, maps[part])
    return maps, valid


def region_maps(
    landmarks: Tensor | np.ndarray, canvas: tuple[int, int], variant: str = "paper"
) -> tuple[Tensor, Tensor]:
    """Return the 28x28 map of every region of every face.

    Args:
        landmarks: (N, 68, 2) in pixels of an image of `canvas` (H, W).
        canvas: size of that image.
        variant: "paper" or "facs"; `REGIONS[variant]` names the units of each row.

    Returns:
        (N, R, 28, 28) float32 in [0, 1], and drawn (N, R) bool: False where a region lies outside the image or the
        landmarks are missing.

    """
    check_variant(variant)
    points = torch.as_tensor(landmarks)
    usable = torch.isfinite(points).all(-1).all(-1, keepdim=True)
    if variant == "facs":
        return _facs_regions(points, canvas)
    ellipses = regions_paper.ellipses(points.nan_to_num(), canvas)
    sums, drawn = raster_paper.render(ellipses.flatten(0, 1), canvas, points.device)
    drawn = drawn.view(len(points), -1) & usable
    return sums.view(len(points), -1, GRID, GRID) * drawn[..., None, None] / 9, drawn


def rows_of(units: Iterable[int], variant: str = "paper") -> list[int]:
    """Return the rows of `REGIONS[variant]` that draw the units (FACS numbers); InputError for one without region."""
    check_variant(variant)
    units = {int(unit) for unit in units}
    check_units(units, (unit for row in REGIONS[variant] for unit in row), variant)
    return [row for row, drawn in enumerate(REGIONS[variant]) if units & set(drawn)]


def wanted_rows(expressions: Wanted, variant: str = "paper", codebook: str | None = None) -> Tensor:
    """Return (N, R) bool: the region rows of each face's expression (name or class id) or set of units."""
    check_variant(variant)
    if isinstance(expressions, Tensor | np.ndarray):
        ids, place = torch.as_tensor(expressions).unique(return_inverse=True)
        return wanted_rows(ids.tolist(), variant, codebook).to(place.device)[place]
    table = torch.zeros(len(expressions), len(REGIONS[variant]), dtype=torch.bool)
    for index, item in enumerate(expressions):
        table[index] = _row_mask(_units(item, variant, codebook), variant)
    return table


def region_strengths(units: Sequence[Mapping[int, float]], variant: str = "paper") -> Tensor:
    """Return (N, R) float32: how strongly each region acts, the largest strength of its units, 0 where none is given.

    Args:
        units: per face, FACS number -> strength in [0, 1].
        variant: "paper" or "facs".
    """
    check_variant(variant)
    rows = [[max((face.get(unit, 0.0) for unit in drawn), default=0.0) for drawn in REGIONS[variant]] for face in units]
    return torch.tensor(rows, dtype=torch.float32).view(len(units), len(REGIONS[variant]))


def _units(item: str | int | Iterable[int] | None, variant: str, codebook: str | None) -> tuple[int, ...]:
    if isinstance(item, str | int | np.integer):
        return wanted_aus(item if isinstance(item, str) else int(item), variant, codebook)
    return tuple(int(unit) for unit in item or ())


@lru_cache(maxsize=4096)
def _row_mask(units: tuple[int, ...], variant: str) -> Tensor:
    with torch.inference_mode(False):
        mask = torch.zeros(len(REGIONS[variant]), dtype=torch.bool)
        mask[rows_of(units, variant)] = True
        return mask


def _paper(
    points: Tensor, wanted: Tensor, size: tuple[int, int], canvas: tuple[int, int] | None, out: Tensor
) -> Tensor:
    """Draw into `out` and return which faces have a map."""
    image = canvas or size
    ellipses = regions_paper.ellipses(points.nan_to_num(), image)
    valid = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    for start in range(0, len(points), _RENDERED_AT_ONCE):
        part = slice(start, start + _RENDERED_AT_ONCE)
        layers, valid[part] = _paper_layers(ellipses[part], wanted[part], image)
        blend(layers, size, normalise=True, out=out[part], reduce=canvas is not None)
    return valid


def _paper_layers(ellipses: Tensor, wanted: Tensor, canvas: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Render only the wanted regions: (B, K, 28, 28), zero-filled to the largest count, and which faces have any."""
    face, row = wanted.nonzero(as_tuple=True)
    sums, drawn = raster_paper.render(ellipses[face, row], canvas, ellipses.device)
    place = wanted.cumsum(1)[face, row] - 1
    layers = sums.new_zeros(len(wanted), max(int(wanted.sum(1).max()), 1), GRID, GRID)
    layers[face, place] = sums
    return layers, torch.zeros_like(wanted[:, 0]).index_put_((face,), drawn, accumulate=True)


def _facs(points: Tensor, wanted: Tensor, size: tuple[int, int], canvas: tuple[int, int] | None, out: Tensor) -> Tensor:
    """Draw into `out` and return which faces have a map."""
    image = canvas or size
    forms = regions_facs.forms(points)
    wanted = wanted & regions_facs.drawn(forms, image)
    raster_facs.render_regions(raster_facs.scaled(forms, image, size), wanted, size, out)
    return wanted.any(1)


def _facs_regions(points: Tensor, canvas: tuple[int, int]) -> tuple[Tensor, Tensor]:
    forms = regions_facs.forms(points)
    drawn = regions_facs.drawn(forms, canvas)
    forms = raster_facs.scaled(forms, canvas, (GRID, GRID))
    only = torch.eye(len(REGIONS["facs"]), dtype=torch.bool, device=points.device)
    maps = [raster_facs.render_regions(forms, drawn & row, (GRID, GRID)) for row in only]
    return torch.stack(maps, dim=1), drawn
