"""Several faces in one image: which one is meant."""

import numpy as np


def choose(boxes: np.ndarray, size: tuple[int, int]) -> tuple[int, str, str]:
    """Return the row of the face that is meant, the status (`ok`, `several_faces`) and a message for the table."""
    row = largest_central(boxes, size)
    if len(boxes) == 1:
        return row, "ok", ""
    return row, "several_faces", f"{len(boxes)} faces found, the largest central one taken"


def largest_central(boxes: np.ndarray, size: tuple[int, int]) -> int:
    """Return the row of the largest central box: mean side less distance of its centre from the image's centre.

    Both terms are in pixels, so a face may lie off centre by as much as it is larger. Ties go to the leftmost, then to
    the topmost box, whatever the order in which a detector lists them.

    Args:
        boxes: (N, 4) left, top, right, bottom in pixels, N >= 1.
        size: (H, W) of the image in pixels.
    """
    boxes = np.asarray(boxes, np.float64)
    sides = (boxes[:, 2] - boxes[:, 0] + boxes[:, 3] - boxes[:, 1]) / 2
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = np.linalg.norm(centres - np.array([size[1], size[0]]) / 2, axis=1)
    order = np.lexsort((boxes[:, 1], boxes[:, 0], distances - sides))
    return int(order[0])
