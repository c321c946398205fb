"""Images brought to the side that a network takes, their aspect ignored as in the published recipe."""

import cv2
import numpy as np
from PIL import Image

RESAMPLINGS = ("area", "bilinear")


def resample(image: np.ndarray, side: int, how: str) -> np.ndarray:
    """Resize (H, W, 3) uint8 to (side, side, 3).

    how: `area`: mean over the area of a pixel when shrinking, bilinear when enlarging; `bilinear`: bilinear, with
    antialiasing when shrinking, as Pillow does it and the published code uses it.
    """
    if image.shape[:2] == (side, side):
        return image
    if how == "bilinear":
        return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR))
    shrinks = side < min(image.shape[:2])
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
