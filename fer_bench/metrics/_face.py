"""The face as a region of pixels: the convex hull of its landmarks."""

import cv2
import numpy as np


def face_region(points: np.ndarray, side: int) -> np.ndarray:
    """Return the pixels inside the convex hull of the landmarks, its edge included.

    Args:
        points: (N, 68, 2) x, y in units of the image's width and height (0..1); NaN rows have no pixel.
        side: of the square result.

    Returns:
        (N, side, side) bool. The hull reaches from the brows to the chin: a forehead is not part of it.
    """
    found = np.zeros((len(points), side, side), dtype=np.uint8)
    for mask, one in zip(found, points, strict=True):
        if np.isfinite(one).all():
            corners = np.round(one * side - 0.5).astype(np.int32)
            cv2.fillConvexPoly(mask, cv2.convexHull(corners), 1)
    return found.astype(bool)
