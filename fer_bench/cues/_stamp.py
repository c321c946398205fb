"""The mark itself: a disc in a class's hue inside a ring of the opposite hue, and how it is laid on an image.

All hues have the same mean of red, green and blue and the same distance from grey, and disc and ring are alike for
every class: no class has a stronger mark than another, and no site either. A mark in two opposite hues stands out on
any skin, and neither a flip nor a rotation turns the mark of one class into that of another.
"""

import cv2
import numpy as np

CONTRAST = 0.5  # distance of every hue from mid grey in RGB, of full scale
_INNER = 0.7  # radius of the disc, of the whole mark's: about half of its area
_AXES = np.array([[2, -1, -1], [0, 1, -1]]) / np.sqrt([[6], [2]])  # two directions in RGB that keep the mean


def colours(count: int) -> np.ndarray:
    """(count, 3) colours in [0, 1], evenly spaced in hue; an odd count keeps opposites out of the set."""
    angles = 2 * np.pi * np.arange(count) / count
    return 0.5 + CONTRAST * (np.cos(angles)[:, None] * _AXES[0] + np.sin(angles)[:, None] * _AXES[1])


def radius_of(diameter: float, side: int) -> int:
    """Radius in pixels of a mark of a diameter given as a share of the image's side; at least 2."""
    return max(2, round(diameter * side / 2))


def disc(radius: int) -> np.ndarray:
    """(2 r + 1, 2 r + 1) bool: pixels of a mark around its centre."""
    return _distance(radius) <= radius + 0.25


def cover(shape: tuple[int, int], centre: tuple[int, int], radius: int) -> np.ndarray:
    """(H, W) bool: pixels that the mark covers; centre x, y; all zero for a centre outside the image, as (-1, -1)."""
    covered = np.zeros(shape, dtype=bool)
    if min(centre) >= 0:
        covered[_window(centre, radius)] = disc(radius)
    return covered


def stamp(image: np.ndarray, centre: tuple[int, int], radius: int, shown: int, classes: int) -> np.ndarray:
    """Lay the mark of class `shown` on a copy of an image (H, W, 3) uint8; centre x, y in pixels, wholly inside."""
    colour = colours(classes)[shown]
    inner = _distance(radius) <= _INNER * radius
    mark = np.where(inner[..., None], colour, 1 - colour)
    marked = image.copy()
    window = marked[_window(centre, radius)]
    window[disc(radius)] = np.round(mark * 255).astype(np.uint8)[disc(radius)]
    return marked


def room(area: np.ndarray, radius: int, margin: int) -> np.ndarray:
    """(K, 2) centres x, y, in reading order, at which a mark lies wholly within the area (H, W) and off the margin."""
    inside = area.astype(np.uint8)
    inside[:margin] = inside[len(inside) - margin :] = 0
    inside[:, :margin] = inside[:, inside.shape[1] - margin :] = 0
    fits = cv2.erode(inside, disc(radius).astype(np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.argwhere(fits)[:, ::-1]


def _distance(radius: int) -> np.ndarray:
    steps = np.arange(-radius, radius + 1)
    return np.asarray(np.hypot(steps[:, None], steps[None]))


def _window(centre: tuple[int, int], radius: int) -> tuple[slice, slice]:
    x, y = centre
    return slice(y - radius, y + radius + 1), slice(x - radius, x + radius + 1)
