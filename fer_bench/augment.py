"""Training augmentation of a whole batch at once; the action unit maps follow every geometric step.

Steps, order and ranges are those of the published recipe (Belharbi et al., arXiv 2402.00281, released code). Rotation,
crop and flip are composed into one resampling, so that an image is interpolated once.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fer_bench import augment_colour
from fer_bench.augment_colour import ColourDraws, happens, uniform
from fer_bench.train_settings import Augmentation

CACHED_PIXELS = 2**15  # of a part of a batch on a CPU; larger parts are slower, for they leave its cache


@dataclass(frozen=True)
class Draws:
    """What is drawn for B images: affine matrices (B, 2, 3), see `geometry`, and the steps on colours."""

    matrices: Tensor
    colour: ColourDraws

    def __getitem__(self, rows: slice) -> "Draws":
        """Those of some images of the batch."""
        return Draws(self.matrices[rows], self.colour[rows])


def augment(
    images: Tensor, maps: Tensor, size: int, settings: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw for a batch and apply it; arguments as in `draw` and `apply`."""
    return apply(images, maps, size, draw(len(images), images.shape[-1], size, settings, generator))


def draw(count: int, side: int, size: int, settings: Augmentation, generator: torch.Generator) -> Draws:
    """Draw everything random about `count` images.

    Args:
        count: B.
        side: of the images; the geometry is relative to it and does not ask.
        size: side of the result.
        settings: probabilities and ranges.
        generator: source of every draw, on the CPU.
    """
    return Draws(geometry(count, settings, generator), augment_colour.draw(count, size, settings, generator))


def apply(images: Tensor, maps: Tensor, size: int, draws: Draws) -> tuple[Tensor, Tensor]:
    """Augment a batch, on the device where it is.

    Args:
        images: (B, 3, R, R), uint8, or float in [0, 1].
        maps: (B, M, M) float in [0, 1].
        size: side S of the result.
        draws: what was drawn for these images.

    Returns:
        Images (B, 3, S, S), channels last in memory, in [0, 1] except where erased with standard normal noise, and maps
        (B, S, S) in [0, 1].
    """
    shape = len(images), 3, size, size
    seen = torch.empty(shape, device=images.device, memory_format=torch.channels_last)
    followed = maps.new_empty((len(maps), size, size))
    for part in _parts(images, size):
        grid = _grid(draws.matrices[part].to(images.device, non_blocking=True), size)
        turned = functional.grid_sample(_floating(images[part]), grid, mode="bilinear", align_corners=False)
        seen[part] = augment_colour.apply(turned, draws.colour[part])
        # Nearest, as in the published code: a map keeps its own values.
        followed[part] = functional.grid_sample(maps[part, None], grid, mode="nearest", align_corners=False)[:, 0]
    return seen, followed


def geometry(count: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw affine matrices (B, 2, 3) from output to input coordinates in [-1, 1]: rotation, then crop, then flip."""
    angle = uniform(count, -settings.rotation, settings.rotation, generator) * math.pi / 180
    angle = torch.where(happens(count, settings.rotation_probability, generator), angle, 0.0)
    side = uniform(count, *settings.crop_area, generator).sqrt()
    shift_x = (1 - side) * uniform(count, -1, 1, generator)
    shift_y = (1 - side) * uniform(count, -1, 1, generator)
    mirror = torch.where(happens(count, settings.flip_probability, generator), -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    # input = rotation @ (side * diag(mirror, 1) @ output + shift)
    rows = [
        torch.stack([cos * side * mirror, -sin * side, cos * shift_x - sin * shift_y], dim=1),
        torch.stack([sin * side * mirror, cos * side, sin * shift_x + cos * shift_y], dim=1),
    ]
    return torch.stack(rows, dim=1)


def _parts(images: Tensor, size: int) -> list[slice]:
    """Cut a batch into parts that fit into the cache of a CPU; other devices take it whole."""
    step = max(1, CACHED_PIXELS // size**2) if images.device.type == "cpu" else max(1, len(images))
    return [slice(start, start + step) for start in range(0, len(images), step)]


def _grid(matrices: Tensor, size: int) -> Tensor:
    """Where each pixel of the result comes from: (B, 2, 3) -> (B, S, S, 2); ten times faster than by affine_grid."""
    centres = (torch.arange(size, device=matrices.device, dtype=matrices.dtype) * 2 + 1) / size - 1
    across = matrices[:, None, None, :, 0] * centres[:, None]
    down = matrices[:, None, None, :, 1] * centres[:, None, None] + matrices[:, None, None, :, 2]
    return across + down


def _floating(images: Tensor) -> Tensor:
    """Bytes -> float in [0, 1]; float as it is."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images
