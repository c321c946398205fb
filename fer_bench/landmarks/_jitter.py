"""How far points move when the box they are fitted in moves: tells a good box from a bad one without any truth."""

from collections.abc import Callable
from itertools import product

import numpy as np

from fer_bench.landmarks._error import EYE_CORNERS


def shifted_boxes(box: np.ndarray, jitter: float) -> np.ndarray:
    """Return (9, 4): the box, and eight that are shifted diagonally and grown or shrunk.

    Args:
        box: left, top, right, bottom in pixels.
        jitter: shift and change of size per edge, as a share of the box's mean side, halved.
    """
    side = (box[2] - box[0] + box[3] - box[1]) / 2
    moves = [(dx - grow, dy - grow, dx + grow, dy + grow) for dx, dy, grow in product((-1, 1), repeat=3)]
    return box + jitter * side / 2 * np.array([(0, 0, 0, 0), *moves])


def points_with_spread(
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray], pixels: np.ndarray, box: np.ndarray, jitter: float
) -> tuple[np.ndarray, float]:
    """Fit points in a box and in eight shifted ones.

    Args:
        fit: (pixels, box) -> (68, 2) points.

    Returns:
        The median of the nine fits per coordinate, (68, 2), and the mean distance from it in outer eye corner distances
        of that median (eyes nearer than one pixel count as one pixel apart).
    """
    fits = np.stack([fit(pixels, one) for one in shifted_boxes(box, jitter)])
    middle = np.median(fits, axis=0)
    eyes = max(1.0, float(np.linalg.norm(middle[EYE_CORNERS[0]] - middle[EYE_CORNERS[1]])))
    return middle, float(np.linalg.norm(fits - middle, axis=2).mean()) / eyes
