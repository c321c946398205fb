"""The steps of the training augmentation that leave the geometry alone: grey, colour jitter, erasing.

Draws and arithmetic are apart: numbers are drawn on the CPU for a whole batch, then applied to any part of it on any
device. Steps, order and ranges are those of the published recipe (Belharbi et al., arXiv 2402.00281, released code).
"""

import math
from dataclasses import dataclass

import torch
from kornia import enhance
from torch import Tensor

from fer_bench.train_settings import Augmentation

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
STEPS = ("brightness", "contrast", "saturation", "hue")


@dataclass(frozen=True)
class ColourDraws:
    """What is drawn for B images.

    grey, jittered, erased: (B,) bool. factors: (B, 4), in the order of STEPS; the hue as a share of a turn.
    order: the STEPS in the order of this batch; those with no range are left out. boxes: (B, 4) long, top, left, height
    and width of what is erased. noise: (B,) long, seeds of its noise.
    """

    grey: Tensor
    jittered: Tensor
    factors: Tensor
    order: tuple[str, ...]
    erased: Tensor
    boxes: Tensor
    noise: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "ColourDraws":
        """Those of some images of the batch."""
        parts = {name: value[rows] for name, value in vars(self).items() if name != "order"}
        return ColourDraws(**parts, order=self.order)


def draw(count: int, size: int, settings: Augmentation, generator: torch.Generator) -> ColourDraws:
    """Draw for `count` images of size x size pixels; every number is drawn whether it is used or not."""
    ranges = [getattr(settings, name) for name in STEPS]
    order = [STEPS[number] for number in torch.randperm(len(STEPS), generator=generator).tolist()]
    lows = torch.tensor([*(max(0.0, 1 - spread) for spread in ranges[:3]), -ranges[3]])
    highs = torch.tensor([*(1 + spread for spread in ranges[:3]), ranges[3]])
    return ColourDraws(
        grey=happens(count, settings.grayscale_probability, generator),
        jittered=happens(count, settings.jitter_probability, generator),
        factors=torch.rand(count, len(STEPS), generator=generator) * (highs - lows) + lows,
        order=tuple(name for name in order if getattr(settings, name) > 0),
        erased=happens(count, settings.erasing_probability, generator),
        boxes=_boxes(count, size, settings, generator),
        noise=torch.randint(2**62, (count,), generator=generator),
    )


def apply(images: Tensor, draws: ColourDraws) -> Tensor:
    """Change images (B, 3, H, W) in [0, 1], on any device; erased places hold standard normal noise, as published."""
    if draws.grey.any():
        images = torch.where(_each(draws.grey, images), luma(images), images)
    if draws.order and draws.jittered.any():
        images = torch.where(_each(draws.jittered, images), jitter(images, draws), images)
    return erase(images, draws)


def luma(images: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    red, green, blue = images.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]


def jitter(images: Tensor, draws: ColourDraws) -> Tensor:
    """Change brightness, contrast, saturation and hue of all images, in the order drawn; the result is in [0, 1]."""
    factors = draws.factors.to(images.device, non_blocking=True)
    functions = {
        "brightness": enhance.adjust_brightness_accumulative,
        "contrast": enhance.adjust_contrast_with_mean_subtraction,
        "saturation": enhance.adjust_saturation_with_gray_subtraction,
        "hue": turn_hue,
    }
    for name in draws.order:
        images = functions[name](images, factors[:, STEPS.index(name)]).clamp_(0, 1)
    return images


def turn_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of images (B, 3, H, W) by (B,) shares of a turn, leaving the HSV value and saturation as they are.

    A channel is the smallest one plus the span between smallest and largest times a trapezium of the hue on a circle of
    six: 1 around its own colour, 0 around the opposite one (the hexcone of Smith, SIGGRAPH 1978, in closed form).
    """
    red, green, blue = images.unbind(1)
    low, high = images.amin(dim=1), images.amax(dim=1)
    span = high - low
    scale = span.clamp_min(torch.finfo(span.dtype).tiny).reciprocal_()
    of_green = torch.where(high == green, (blue - red).mul_(scale).add_(2), (red - green).mul_(scale).add_(4))
    hue = torch.where(high == red, (green - blue).mul_(scale), of_green).add_(6 * turns[:, None, None])
    hue.sub_(torch.floor(hue / 6).mul_(6))
    shares = (hue - 3).abs_().sub_(1), 2 - (hue - 2).abs_(), 2 - (hue - 4).abs_()
    return torch.stack([torch.addcmul(low, span, share.clamp_(0, 1)) for share in shares], dim=1)


def erase(images: Tensor, draws: ColourDraws) -> Tensor:
    """Fill the drawn rectangle of the chosen images with standard normal noise; (B, 3, H, W), a copy where needed."""
    rows = draws.erased.nonzero()[:, 0].tolist()
    if not rows:
        return images
    images, boxes, seeds = images.clone(), draws.boxes.tolist(), draws.noise.tolist()
    generator = torch.Generator(images.device)
    for row in rows:
        top, left, height, width = boxes[row]
        generator.manual_seed(seeds[row])
        noise = torch.randn((3, height, width), generator=generator, device=images.device, dtype=images.dtype)
        images[row, :, top : top + height, left : left + width] = noise
    return images


def happens(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """Toss a coin for each image, (count,) bool."""
    return torch.rand(count, generator=generator) < probability


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw (count,) numbers in [low, high)."""
    return torch.rand(count, generator=generator) * (high - low) + low


def _boxes(count: int, size: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw the rectangles to erase: share of the area, and logarithm of height over width, both uniform."""
    area = uniform(count, *settings.erasing_area, generator) * size**2
    low, high = map(math.log, settings.erasing_ratio)
    ratio = uniform(count, low, high, generator).exp()
    height = (area * ratio).sqrt().round().clamp(1, size)
    width = (area / ratio).sqrt().round().clamp(1, size)
    top = (uniform(count, 0, 1, generator) * (size - height + 1)).floor()
    left = (uniform(count, 0, 1, generator) * (size - width + 1)).floor()
    return torch.stack([top, left, height, width], dim=1).long()


def _each(chosen: Tensor, images: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1) beside the images."""
    return chosen.to(images.device, non_blocking=True)[:, None, None, None]
