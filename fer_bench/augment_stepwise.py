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

from fer_bench.augment import colour
from fer_bench.train_settings import Augmentation

_NEAREST, _BICUBIC, _BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BICUBIC, Image.Resampling.BILINEAR


def augment(
    images: Tensor, maps: Tensor, size: int, settings: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Augment a batch.

    Args:
        images: (B, 3, R, R) float, multiples of 1/255 in [0, 1].
        maps: (B, S, S) float in [0, 1] at the resolution of the stored images; brought to R by nearest pixels.
        size: side of the result.
        settings: probabilities and ranges.
        generator: source of every random draw, on the CPU.

    Returns:
        Images (B, 3, size, size), in [0, 1] except where erased with standard normal noise, and maps (B, size, size).
    """
    maps = interpolate(maps[:, None], images.shape[-2:], mode="nearest-exact")[:, 0]
    steps = [_Geometry.draw(images.shape[-1], settings, generator) for _ in images]
    changed = [step.image(image, size) for step, image in zip(steps, images, strict=True)]
    followed = [step.map(map_, size) for step, map_ in zip(steps, maps, strict=True)]
    return colour(torch.stack(changed), settings, generator), torch.stack(followed)


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
        """(3, R, R) in [0, 1] -> (3, size, size)."""
        pixels = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
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
