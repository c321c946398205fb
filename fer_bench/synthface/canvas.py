"""A square raster in face units: filled shapes, strokes, blurs and blends."""

from collections.abc import Sequence

import cv2
import numpy as np

_SUBPIXEL_BITS = 4

Stroke = tuple[np.ndarray, float, float]  # points (K, 2), width in face units, strength 0..1


class Canvas:
    """Maps face units to pixels; `scale` is pixels per unit, the centre is the centre of the square."""

    def __init__(self, centre: tuple[float, float], half: float, scale: float) -> None:
        self.scale = scale
        self.size = round(2 * half * scale)
        self.origin = np.array(centre) - self.size / scale / 2
        steps = (np.arange(self.size) + 0.5) / scale
        self.xs = (self.origin[0] + steps).astype(np.float32)
        self.ys = (self.origin[1] + steps).astype(np.float32)

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates, (0, 0) being the centre of the first pixel."""
        return (np.asarray(points) - self.origin) * self.scale - 0.5

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.round(self.to_pixels(points) * (1 << _SUBPIXEL_BITS)).astype(np.int32)

    def fill(self, polygons: Sequence[np.ndarray], blur: float = 0.0) -> np.ndarray:
        """Coverage (N, N) in [0, 1] of the polygons (even-odd where they overlap), blurred by `blur` units."""
        mask = np.zeros((self.size, self.size), np.uint8)
        cv2.fillPoly(mask, [self._fixed(polygon) for polygon in polygons], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return self.blur(mask.astype(np.float32) * np.float32(1 / 255), blur)

    def strokes(self, strokes: Sequence[Stroke], blur: float) -> np.ndarray:
        """Coverage (N, N) of open curves; a stroke of strength 0.02 or less is not drawn."""
        mask = np.zeros((self.size, self.size), np.uint8)
        for points, width, strength in strokes:
            if strength > 0.02:
                # OpenCV draws whole pixels only: what a stroke is too wide is taken off its opacity.
                pixels = max(1, int(np.ceil(width * self.scale - 0.25)))
                level = int(min(strength, 1.0) * min(width * self.scale / pixels, 1.0) * 255)
                cv2.polylines(mask, [self._fixed(points)], False, level, pixels, cv2.LINE_AA, _SUBPIXEL_BITS)
        return self.blur(mask.astype(np.float32) * np.float32(1 / 255), blur)

    def blur(self, mask: np.ndarray, deviation: float) -> np.ndarray:
        """Gaussian blur, deviation in face units; below a third of a pixel nothing happens."""
        pixels = deviation * self.scale
        return mask if pixels < 0.35 else cv2.GaussianBlur(mask, (0, 0), pixels)

    def spot(self, x: float, y: float, deviation_x: float, deviation_y: float) -> np.ndarray:
        """One Gaussian of height 1; (N, N)."""
        across = np.exp(-0.5 * ((self.xs - np.float32(x)) / np.float32(deviation_x)) ** 2)
        down = np.exp(-0.5 * ((self.ys - np.float32(y)) / np.float32(deviation_y)) ** 2)
        return down[:, None] * across[None]


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect((mask > 2e-3).view(np.uint8))
    return slice(y, y + height), slice(x, x + width)


def blend(image: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    """Lay a colour (3,) or picture (N, N, 3) over `image` in place, with the mask (N, N) as its opacity."""
    window = _window(mask)
    part = image[window]
    over = colour[window] if colour.ndim == 3 else colour.astype(np.float32)
    part += mask[window][..., None] * (over - part)


def darken(image: np.ndarray, mask: np.ndarray, amount: float) -> None:
    """Multiply `image` in place by 1 - amount x mask."""
    window = _window(mask)
    image[window] *= 1 - np.float32(amount) * mask[window][..., None]
