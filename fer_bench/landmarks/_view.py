"""An image resized and bordered for a detector, and the way back to pixels of the stored image."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class View:
    """Pixels as a detector sees them; a stored point p lies at (p + 1/2) * scale - 1/2 + offset."""

    pixels: np.ndarray
    scale: float = 1.0
    offset: float = 0.0

    def to_stored(self, points: np.ndarray) -> np.ndarray:
        """Map (N, 2) points of the view to pixels of the stored image."""
        return (np.asarray(points, np.float64) - self.offset + 0.5) / self.scale - 0.5

    def box_to_stored(self, box: np.ndarray) -> np.ndarray:
        """Map left, top, right, bottom."""
        return self.to_stored(np.asarray(box, np.float64).reshape(2, 2)).reshape(4)


def scaled(image: np.ndarray, short_side: int, longest: int, shrink: bool, border: float = 0.0) -> View:
    """Resize an image so that its short side is `short_side`, then repeat its edge pixels around it.

    Args:
        image: (H, W, 3) uint8.
        short_side: pixels; a larger image is left as it is unless `shrink`.
        longest: pixels; the long side of the resized image never exceeds it.
        shrink: whether larger images are made smaller, too.
        border: width of the border, as a share of the resized short side.
    """
    height, width = image.shape[:2]
    scale = short_side / min(height, width)
    scale = scale if shrink else max(scale, 1.0)
    return bordered(image, min(scale, longest / max(height, width)), border)


def bordered(image: np.ndarray, scale: float, border: float = 0.0) -> View:
    """Resize by a factor (area average when shrinking, bilinear when enlarging), then add the border."""
    height, width = image.shape[:2]
    pixels = image
    if scale != 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    edge = round(border * min(pixels.shape[:2]))
    if edge:
        pixels = cv2.copyMakeBorder(pixels, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    return View(np.ascontiguousarray(pixels), scale, float(edge))
