"""The ceiling of a grid size: the best cosine of any non-negative coarse map under the up-sampling that scores it."""

import torch

from fer_bench.au.resize import resize as resize_maps

TOLERANCE = 1e-9
MAX_STEPS = 2000
WORST_CONDITION = 1e4  # a grid no finer than the map stays below 1e3; a finer one has no least-squares problem left


def ceiling_maps(maps: torch.Tensor, grid: tuple[int, int], resize: str = "halfpixel") -> torch.Tensor:
    """Find the coarse map of each image whose up-sampled version has the highest cosine with the map.

    That map is the non-negative least-squares fit. Up-sampled non-negative maps form a convex cone, and the point P of
    a cone that is nearest to A also has the smallest angle to it: A = P + Q with <Q, P> = 0 and <Q, y> <= 0 for every
    y of the cone, so <A, y> <= <P, y> <= |P| for every unit y, with equality at y = P / |P|.

    The up-sampling is separable, U = R ⊗ C, so that a step of the solver (projected gradient with momentum) costs two
    small matrix products per image.

    Args:
        maps: (N, H, W) in [0, 1], finite.
        grid: (h, w) of the coarse map.
        resize: the up-sampling, `paper` or `halfpixel`.

    Returns:
        (N, h, w) float64, >= 0. As a class activation map it is the best one wherever its minimum is 0, as it is for a
        map with an empty region wider than two cells: min-max then changes nothing but the scale.
    """
    target = maps.to(torch.float64)
    rows, columns = _axis_weights(grid, target, resize)
    gram_rows, gram_columns = rows.T @ rows, columns.T @ columns
    return _nonnegative_fit(rows.T @ target @ columns, gram_rows, gram_columns)


def _axis_weights(grid: tuple[int, int], maps: torch.Tensor, resize: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(H, h) and (W, w): the up-sampling of each axis, read off maps that vary along that axis only."""
    (height, width), size = grid, (int(maps.shape[1]), int(maps.shape[2]))
    bars = torch.eye(height, dtype=maps.dtype, device=maps.device)[:, :, None].expand(height, height, width)
    poles = torch.eye(width, dtype=maps.dtype, device=maps.device)[:, None, :].expand(width, height, width)
    return resize_maps(bars, size, resize)[:, :, 0].T, resize_maps(poles, size, resize)[:, 0, :].T


def _nonnegative_fit(projected: torch.Tensor, gram_rows: torch.Tensor, gram_columns: torch.Tensor) -> torch.Tensor:
    """Minimise |U x - A|² over x >= 0 for each image: accelerated projected gradient (Nesterov, strongly convex form).

    projected: Uᵀ A, (N, h, w). Stops when no step moves a cell by more than 1e-9 of the largest.
    """
    step, momentum = _rates(gram_rows, gram_columns)
    current = ahead = torch.zeros_like(projected)
    for _ in range(MAX_STEPS):
        gradient = gram_rows @ ahead @ gram_columns - projected
        moved = (ahead - step * gradient).clamp_min(0)
        change = (moved - current).abs().max()
        ahead, current = moved + momentum * (moved - current), moved
        if change <= TOLERANCE * current.max():
            break
    return current


def _rates(gram_rows: torch.Tensor, gram_columns: torch.Tensor) -> tuple[float, float]:
    """Step length and momentum from the extreme eigenvalues of the Gram matrix, which is the product of the axes'."""
    spectra = [torch.linalg.eigvalsh(gram) for gram in (gram_rows, gram_columns)]
    largest = float(spectra[0][-1] * spectra[1][-1])
    smallest = max(float(spectra[0][0] * spectra[1][0]), largest / WORST_CONDITION)
    root = (largest / smallest) ** 0.5
    return 1 / largest, (root - 1) / (root + 1)
