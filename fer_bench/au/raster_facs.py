"""The maps of the "facs" variant: exp(-q) of rotated ellipses, q = 1 on the edge, at any size, without a grid."""

import math

import torch
from torch import Tensor

from fer_bench.au.regions_facs import REGION_OF

_FAR = 100.0  # 2^-100 is 0 for every purpose, and farther exponents would end in slow denormal numbers
_CPU_PIXELS = 1 << 19  # pixels of all ellipses per step: 2 MiB stay in the cache
_DEVICE_PIXELS = 1 << 28


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


def render_regions(forms: Tensor, wanted: Tensor, size: tuple[int, int], out: Tensor | None = None) -> Tensor:
    """Render the wanted regions of each face.

    Args:
        forms: (N, E, 5) as `regions_facs.forms` gives them, in pixels of the result.
        wanted: (N, R) bool.
        size: (H, W).
        out: (N, H, W) float32 to write to, if given.

    Returns:
        (N, H, W) float32 in [0, 1]; zero where nothing is wanted.

    """
    used = wanted[:, torch.tensor(REGION_OF, device=wanted.device)]
    count = max(int(used.sum(1).max()), 1) if len(used) else 1
    used, chosen = used.to(torch.uint8).sort(dim=1, descending=True, stable=True)
    chosen = chosen[:, :count, None].expand(-1, -1, 5)
    return render(forms.gather(1, chosen), used[:, :count].bool(), size, out)


def render(forms: Tensor, used: Tensor, size: tuple[int, int], out: Tensor | None = None) -> Tensor:
    """Render the maximum of exp(-q) over the ellipses that are used.

    Args:
        forms: (N, K, 5) ellipses in pixels of the result; those not used may hold anything.
        used: (N, K) bool.
        size: (H, W).
        out: (N, H, W) float32 to write to, if given.

    Returns:
        (N, H, W) float32 in [0, 1]; zero where no ellipse is used.

    """
    faces, count = used.shape
    out = torch.empty(faces, *size, device=forms.device) if out is None else out
    powers = _powers(size[1], forms.device)
    budget = _CPU_PIXELS if forms.device.type == "cpu" else _DEVICE_PIXELS
    step = max(1, min(faces, budget // max(1, count * size[0] * size[1])))
    scratch = torch.empty(step, count, *size, device=forms.device)
    for start in range(0, faces, step):
        part = slice(start, start + step)
        coefficients = _coefficients(forms[part], used[part], size)
        exponents = torch.matmul(coefficients, powers, out=scratch[: len(coefficients)])
        torch.amax(exponents, dim=1, out=out[part]).clamp_(-_FAR, 0).exp2_()
    out[~used.any(1)] = 0
    return out


def _coefficients(forms: Tensor, used: Tensor, size: tuple[int, int]) -> Tensor:
    """Return log2 exp(-q) in every image row as a polynomial in x: (N, K, H, 3), constant term first."""
    # Coordinates count from the middle of the image: smaller numbers, smaller rounding errors.
    forms = torch.where(used[..., None], forms, 0).to(torch.float64)
    forms = torch.cat([forms[..., :2], -forms[..., 2:] * math.log2(math.e)], dim=-1)  # exp2 is faster than exp
    x = forms[..., 0:1] - (size[1] - 1) / 2
    p, q, r = (forms[..., index : index + 1] for index in (2, 3, 4))
    dy = torch.arange(size[0], device=forms.device) - forms[..., 1:2]
    linear = 2 * (q * dy - p * x)
    constant = p * x * x - 2 * q * dy * x + r * dy * dy
    constant = torch.where(used[..., None], constant, -_FAR)
    return torch.stack([constant, linear, p.expand_as(dy)], dim=-1).to(torch.float32)


def _powers(width: int, device: torch.device) -> Tensor:
    x = torch.arange(width, device=device) - (width - 1) / 2
    return torch.stack([torch.ones_like(x), x, x * x])
