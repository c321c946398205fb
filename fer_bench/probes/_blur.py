"""What stands in place of pixels that are taken away: the same image, blurred until little but its colours is left."""

import cv2
import numpy as np

BLUR = 0.1  # standard deviation, as a share of the image's side


def blurred(image: np.ndarray) -> np.ndarray:
    """Blur an image (H, W, 3), uint8 or float32, with a Gaussian."""
    return cv2.GaussianBlur(image, (0, 0), BLUR * len(image))
