"""Training augmentation as published: one image at a time, every geometric step a resampling of its own.

Belharbi et al. (arXiv 2402.00281), released code: images are rotated bicubically, cropped and resized bilinearly; the
action unit map takes the nearest pixel in every step, from the resolution of the stored image on. Protocol `paper`.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import interpolate

from fer_bench import augment_colour
from fer_bench.augment_colour import ColourDraws
from fer_bench.train_settings import Augmentation

_NEAREST, _BICUBIC, _BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Draws:
    """What is drawn for B images: the geometry of each, and the steps on colours."""

    steps: tuple["_Geometry", ...]
    colour: ColourDraws

    def __getitem__(self, rows: slice) -> "Draws":
        """Those of some images of the batch."""
        return Draws(self.steps[rows], self.colour[rows])


def augment(
    images: Tensor, maps: Tensor, size: int, settings: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw for a batch and apply it; arguments as in `draw` and `apply`."""
    return apply(images, maps, size, draw(len(images), images.shape[-1], size, settings, generator))


def draw(count: int, side: int, size: int, settings: Augmentation, generator: torch.Generator) -> Draws:
    """Draw everything random about `count` images of side x side pixels that become size x size; on the CPU."""
    steps = tuple(_Geometry.draw(side, settings, generator) for _ in range(count))
    return Draws(steps, augment_colour.draw(count, size, settings, generator))


def apply(images: Tensor, maps: Tensor, size: int, draws: Draws) -> tuple[Tensor, Tensor]:
    """Augment a batch.

    Args:
        images: (B, 3, R, R), uint8, or float that is a multiple of 1/255 in [0, 1]; on the CPU.
        maps: (B, S, S) float in [0, 1] at the resolution of the stored images; brought to R by nearest pixels.
        size: side of the result.
        draws: what was drawn for these images.

    Returns:
        Images (B, 3, size, size), channels last in memory, in [0, 1] except where erased with standard normal noise,
        and maps (B, size, size).
    """
    maps = interpolate(maps[:, None], images.shape[-2:], mode="nearest-exact")[:, 0]
    seen = torch.empty((len(images), 3, size, size), memory_format=torch.channels_last)
    followed = maps.new_empty((len(maps), size, size))
    for row, step in enumerate(draws.steps):
        changed = step.image(images[row], size)[None]
        seen[row] = augment_colour.apply(changed, draws.colour[row : row + 1])[0]
        followed[row] = step.map(maps[row], size)
    return seen, followed


@dataclass(frozen=True)
class _Geometry:
    """Rotation (degrees, counter-clockwise, about the centre), then a square crop in pixels, then a flip."""

    angle: float
    left: int
    top: int
    side: int
    mirrored: bool

    @classmethod
    def draw(cls, side: int, settings: Augmentation, generator: torch.Generator) -> "_Geometry":
        """Draw the geometry of one image; every number is drawn whether it is used or not."""
        rotated, angle, area, left, top, mirrored = torch.rand(6, generator=generator).tolist()
        low, high = settings.crop_area
        kept = round(math.sqrt(low + (high - low) * area) * side)
        free = side - kept + 1  # places for the crop along either axis
        return cls(
            angle=(2 * angle - 1) * settings.rotation if rotated < settings.rotation_probability else 0.0,
            left=int(left * free),
            top=int(top * free),
            side=kept,
            mirrored=mirrored < settings.flip_probability,
        )

    def image(self, image: Tensor, size: int) -> Tensor:
        """(3, R, R), uint8 or in [0, 1] -> (3, size, size) in [0, 1]."""
        whole = image if image.dtype == torch.uint8 else (image * 255).round().to(torch.uint8)
        pixels = whole.permute(1, 2, 0).numpy()
        changed = np.array(self._apply(Image.fromarray(pixels), size, _BICUBIC, _BILINEAR))
        return torch.from_numpy(changed).permute(2, 0, 1).float().div(255)

    def map(self, map_: Tensor, size: int) -> Tensor:
        """(R, R) in [0, 1] -> (size, size)."""
        picture = Image.fromarray(map_.float().numpy())
        return torch.from_numpy(np.array(self._apply(picture, size, _NEAREST, _NEAREST)))

    def _apply(
        self, picture: Image.Image, size: int, rotation: Image.Resampling, resize: Image.Resampling
    ) -> Image.Image:
        if self.angle:
            picture = picture.rotate(self.angle, rotation, fillcolor=0 if picture.mode == "F" else (0, 0, 0))
        box = (self.left, self.top, self.left + self.side, self.top + self.side)
        picture = picture.crop(box).resize((size, size), resize)
        return ImageOps.mirror(picture) if self.mirrored else picture
