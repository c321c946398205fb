"""The `paper` maps drawn literally, one image and one action unit at a time with OpenCV: what the fast path must equal.

Written from the published description (arXiv 2402.00281 and its code's behaviour), apart from the library.
"""

import cv2
import numpy as np

GRID = 28
Ellipse = tuple[int, int, int, int]


def draw(landmarks: np.ndarray, units: tuple[int, ...], size: tuple[int, int]) -> np.ndarray | None:
    """Return the (H, W) float32 map of the units, or None when no region touches the image."""
    height, width = size
    best = np.full(size, -1.0, np.float32)
    for unit in units:
        canvas = np.full(size, 1e-4)
        for x, y, a, b in region(landmarks, unit, size):
            cv2.ellipse(canvas, (x, y), (a, b), 0, 0, 360, 255, -1)
        if (canvas == 1e-4).all():
            continue
        small = cv2.blur(cv2.resize(canvas, (GRID, GRID)), (3, 3))
        best = np.maximum(best, cv2.resize(small, (width, height)).astype(np.float32))
    if (best < 0).all():
        return None
    span = best.max() - best.min()
    return (best - best.min()) / (span if span > 0 else 1)


def region(landmarks: np.ndarray, unit: int, size: tuple[int, int]) -> list[Ellipse]:
    """Return the ellipses (centre, half axes) of one action unit."""
    x, y = ([int(value) for value in column] for column in landmarks.T)
    height, width = size

    def axis(value: float, least: int) -> int:
        return max(int(value), 0) or least

    def between(left: int, right: int, top: int, bottom: int, least: int = 5, taller: int = 0) -> Ellipse:
        centre = int((x[left] + x[right]) / 2), int((y[top] + y[bottom]) / 2)
        return *centre, axis((x[right] - x[left]) / 2, least), axis((y[bottom] - y[top] + taller) / 2, least)

    def eyes(least: int, taller: int) -> list[Ellipse]:
        return [between(36, 39, 38, 41, least, taller), between(42, 45, 44, 47, least, taller)]

    def round_spots(*centres: tuple[int, int]) -> list[Ellipse]:
        return [(cx, cy, 20, 20) for cx, cy in centres]

    def halfway(first: int, second: int) -> tuple[int, int]:
        return int((x[first] + x[second]) / 2), int((y[first] + y[second]) / 2)

    brow = round(width / 8), round(height / 10)
    cheek = round(width / 10), round(height / 10)
    below = round(height / 6)
    corners = round_spots((x[48], y[48]), (x[54], y[54]))
    mouth = [between(48, 54, 51, 57)]
    return {
        1: [(x[20], y[20], *brow), (x[23], y[23], *brow)],
        2: [(x[18], y[18], *brow), (x[25], y[25], *brow)],
        4: [between(19, 24, 19, 24, least=10)],
        5: eyes(5, 0),
        6: [(x[41], y[41] + below, *cheek), (x[46], y[46] + below, *cheek)],
        7: eyes(5, 20),
        9: round_spots((x[31], y[29]), (x[35], y[29])),
        10: round_spots((x[48], y[50]), (x[52], y[54])),
        12: corners,
        14: round_spots((max(x[48] - 20, 0), y[48]), (min(x[54] + 20, width), y[54])),
        15: corners,
        16: round_spots((x[59], y[59]), (x[55], y[55])),
        17: [between(59, 8, 59, 8)],
        20: round_spots(halfway(48, 6), halfway(50, 10)),
        23: mouth,
        24: mouth,
        25: [(x[51], y[51], 25, 10), (x[57], y[57], 25, 10)],
        26: mouth,
        27: mouth,
        43: eyes(0, 20),
    }[unit]
