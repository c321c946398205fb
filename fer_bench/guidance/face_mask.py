"""Control: the face as a whole, 1 inside the convex hull of the 68 landmarks (chin to eyebrows), 0 elsewhere."""

import cv2
import numpy as np
import torch

from fer_bench.guidance import _control, base

_BITS = 8  # of the fraction of a pixel in OpenCV's fixed-point coordinates


class Settings(_control.NeutralSettings):
    """Options of the alignment term."""

    label: str = "face mask"


class Guidance(_control.Control):
    """The landmarks end at the eyebrows, and so does the mask: the forehead is outside, on every dataset alike."""

    knows = "where the face is"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Fill the hull of each face."""
        points = split.points()

        def draw(rows: np.ndarray, side: int) -> torch.Tensor:
            return torch.from_numpy(np.stack([_filled(points[row], side) for row in rows]))

        return draw


def _filled(points: np.ndarray, side: int) -> np.ndarray:
    """(68, 2) in [0, 1] -> (S, S) float32, 0 or 1; zero without landmarks."""
    mask = np.zeros((side, side), np.float32)
    if np.isfinite(points).all():
        pixels = (points * side - 0.5) * 2**_BITS  # the centre of pixel i has coordinate i
        hull = cv2.convexHull(pixels.round().astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1.0, shift=_BITS)
    return mask
