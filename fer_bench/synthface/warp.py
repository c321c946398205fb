"""Turn the frontal picture into the pose of the head, along the head's own depth."""

import cv2
import numpy as np

from fer_bench.synthface.canvas import Canvas
from fer_bench.synthface.geometry import PIVOT, Head, Pose

_ITERATIONS = 12


def warp(layers: np.ndarray, canvas: Canvas, head: Head, pose: Pose, size: int) -> np.ndarray:
    """Resample frontal layers (N, N, C) to the posed image (size, size, C), inverse of `geometry.project`.

    Where the head turns, the point of the frontal plane that lands on a pixel depends on its own depth: a damped
    fixed-point iteration finds it.
    """
    depth = head.on(canvas.xs, canvas.ys)
    rotation = pose.rotation.astype(np.float32)
    towards, inverse = rotation[:2, 2], np.linalg.inv(pose.rotation[:2, :2]).astype(np.float32)
    grid = ((np.arange(size) + 0.5) / size - 0.5) * pose.span
    wanted_x = np.broadcast_to((grid - pose.shift_x).astype(np.float32)[None], (size, size))
    wanted_y = np.broadcast_to((grid - pose.shift_y).astype(np.float32)[:, None], (size, size))
    lift = np.zeros((size, size), np.float32)
    for iteration in range(_ITERATIONS):
        x, y = wanted_x - towards[0] * lift, wanted_y - towards[1] * lift
        column = (inverse[0, 0] * x + inverse[0, 1] * y + (PIVOT[0] - canvas.origin[0])) * canvas.scale - 0.5
        row = (inverse[1, 0] * x + inverse[1, 1] * y + (PIVOT[1] - canvas.origin[1])) * canvas.scale - 0.5
        column, row = column.astype(np.float32), row.astype(np.float32)
        if iteration < _ITERATIONS - 1:
            here = cv2.remap(depth, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - np.float32(
                PIVOT[2]
            )
            lift = here if iteration == 0 else 0.3 * lift + 0.7 * here
    # The canvas is finer than the image: a slight blur before sampling keeps thin lines from flickering.
    smooth = cv2.GaussianBlur(layers, (0, 0), 0.45 * canvas.scale * pose.span / size)
    return cv2.remap(smooth, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
