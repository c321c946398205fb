"""Training augmentation of a whole batch at once; the action unit maps follow every geometric step.

Steps, order and ranges are those of the published recipe (Belharbi et al., arXiv 2402.00281, released code). Rotation,
crop and flip are composed into one resampling, so that an image is interpolated once.
"""

import math

import torch
from kornia import enhance
from torch import Tensor
from torch.nn import functional

from fer_bench.train_settings import Augmentation

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def augment(
    images: Tensor, maps: Tensor, size: int, settings: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Augment a batch.

    Args:
        images: (B, 3, R, R) float in [0, 1].
        maps: (B, R, R) float in [0, 1].
        size: side S of the result.
        settings: probabilities and ranges.
        generator: source of every random draw, on the CPU.

    Returns:
        Images (B, 3, S, S), in [0, 1] except where erased with standard normal noise, and maps (B, S, S) in [0, 1].
    """
    grid = functional.affine_grid(geometry(len(images), settings, generator), [len(images), 3, size, size], False)
    images = functional.grid_sample(images, grid, mode="bilinear", align_corners=False)
    # Nearest, as in the published code: a map keeps its own values.
    maps = functional.grid_sample(maps[:, None], grid, mode="nearest", align_corners=False)[:, 0]
    return colour(images, settings, generator), maps


def colour(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Apply the steps that leave the geometry alone to images (B, 3, H, W): grey, jitter, erasing."""
    if settings.grayscale_probability:
        images = to_grayscale(images, settings, generator)
    if settings.jitter_probability:
        images = jitter(images, settings, generator)
    if settings.erasing_probability:
        images = erase(images, settings, generator)
    return images


def geometry(count: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw affine matrices (B, 2, 3) from output to input coordinates in [-1, 1]: rotation, then crop, then flip."""
    angle = _uniform(count, -settings.rotation, settings.rotation, generator) * math.pi / 180
    angle = torch.where(_happens(count, settings.rotation_probability, generator), angle, 0.0)
    side = _uniform(count, *settings.crop_area, generator).sqrt()
    shift_x = (1 - side) * _uniform(count, -1, 1, generator)
    shift_y = (1 - side) * _uniform(count, -1, 1, generator)
    mirror = torch.where(_happens(count, settings.flip_probability, generator), -1.0, 1.0)
    cos, sin = angle.cos(), angle.sin()
    # input = rotation @ (side * diag(mirror, 1) @ output + shift)
    rows = [
        torch.stack([cos * side * mirror, -sin * side, cos * shift_x - sin * shift_y], dim=1),
        torch.stack([sin * side * mirror, cos * side, sin * shift_x + cos * shift_y], dim=1),
    ]
    return torch.stack(rows, dim=1)


def to_grayscale(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Turn some images (B, 3, H, W) grey, keeping three channels."""
    chosen = _happens(len(images), settings.grayscale_probability, generator)
    grey = (images * images.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
    return torch.where(chosen[:, None, None, None], grey.expand_as(images), images)


def jitter(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and hue of some images, in an order drawn once per batch."""
    count = len(images)
    chosen = _happens(count, settings.jitter_probability, generator)[:, None, None, None]
    steps = {
        "brightness": (enhance.adjust_brightness_accumulative, _factor(count, settings.brightness, generator)),
        "contrast": (enhance.adjust_contrast_with_mean_subtraction, _factor(count, settings.contrast, generator)),
        "saturation": (enhance.adjust_saturation_with_gray_subtraction, _factor(count, settings.saturation, generator)),
        "hue": (enhance.adjust_hue, _uniform(count, -settings.hue, settings.hue, generator) * 2 * math.pi),
    }
    changed = images
    order = torch.randperm(len(steps), generator=generator).tolist()
    for name in (list(steps)[i] for i in order):
        function, factor = steps[name]
        if getattr(settings, name) > 0:
            changed = function(changed, factor).clamp(0, 1)
    return torch.where(chosen, changed, images)


def erase(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Fill a random rectangle of some images with standard normal noise (before normalisation, as published)."""
    count, _, height, width = images.shape
    chosen = _happens(count, settings.erasing_probability, generator)
    area = _uniform(count, *settings.erasing_area, generator) * height * width
    log_ratio = [math.log(bound) for bound in settings.erasing_ratio]
    ratio = _uniform(count, log_ratio[0], log_ratio[1], generator).exp()
    box_height = (area * ratio).sqrt().round().clamp(1, height)
    box_width = (area / ratio).sqrt().round().clamp(1, width)
    top = (_uniform(count, 0, 1, generator) * (height - box_height + 1)).floor()
    left = (_uniform(count, 0, 1, generator) * (width - box_width + 1)).floor()
    inside = _between(top, box_height, height)[:, :, None] & _between(left, box_width, width)[:, None, :]
    noise = torch.randn(images.shape, generator=generator)
    return torch.where((inside & chosen[:, None, None])[:, None], noise, images)


def _between(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Boolean (B, size): positions from `start` on, `length` of them."""
    position = torch.arange(size)
    return (position >= start[:, None]) & (position < (start + length)[:, None])


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _factor(count: int, spread: float, generator: torch.Generator) -> Tensor:
    """Multipliers around one; never negative."""
    return _uniform(count, max(0.0, 1 - spread), 1 + spread, generator)


def _happens(count: int, probability: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < probability
