"""Row spans of OpenCV's filled ellipses, looked up instead of drawn.

`cv2.ellipse` fills a polygon of 5 to 90 degree steps in fixed-point arithmetic, not an ideal ellipse, and where the
image border cuts that polygon a few pixels near the border change. So every shape (half axes, and distances to the
borders that cut it) is drawn once by OpenCV itself on a small canvas, and its row spans are kept. One approximation:
OpenCV leaves a gap of a pixel or two in about one of 7,000 cut ellipses; a span fills it.
"""

from threading import Lock

import cv2
import numpy as np

Shape = tuple[int, ...]  # half axes a, b; distances of the centre to the left, right, top, bottom border
_SMALL = 256
_ROWS_KEPT = 1 << 24  # then the table starts anew; 128 MiB


class SpanTable:
    """A growing table: shape -> the rows it covers and, for each, the columns [start, stop) relative to the centre."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clear()

    def _clear(self) -> None:
        self._known: dict[Shape, int] = {}
        self._whole = np.zeros((_SMALL, _SMALL), np.int32)  # number of the uncut shape with half axes a, b; 0: not yet
        self._shapes = _Growing(3)  # index in _spans of the row through the centre, first row, last row
        self._spans = _Growing(2)
        self._shapes.add([[0, 0, 0]])  # number 0 is nobody's
        self._nothing = self._shapes.add([[self._spans.add([[0, 0]] * 3), 1, 0]])

    def lookup(
        self, ellipses: np.ndarray, canvas: tuple[int, int], rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the columns that each ellipse covers in each image row asked for.

        Args:
            ellipses: (M, 4) integers: centre x, centre y, half axes a, b (negative: no ellipse).
            canvas: (H, W) of the image.
            rows: (K,) row numbers.

        Returns:
            start, stop: (M, K) int32 in [0, W], equal where nothing is covered.
            visible: (M,) bool, whether any pixel of the image is covered, in these rows or others.

        """
        centre_x, centre_y = ellipses[:, :1].astype(np.int32), ellipses[:, 1:2].astype(np.int32)
        with self._lock:
            if self._spans.used > _ROWS_KEPT:
                self._clear()
            numbers = self._numbers(_shapes(ellipses, canvas))
            centre, first, last = self._shapes.values[numbers].T[..., None]
            # An empty row is kept on either side of each shape: all rows beyond read it.
            index = np.clip(rows.astype(np.int32) - centre_y, first - 1, last + 1) + centre
            start, stop = (self._spans.values[:, side].take(index) for side in (0, 1))
        visible = first <= last
        shift = centre_x * visible
        return start + shift, stop + shift, visible[:, 0]

    def _numbers(self, shapes: np.ndarray) -> np.ndarray:
        """Return the number of each shape, drawing those that are new."""
        half, borders = shapes[:, :2], shapes[:, 2:]
        absent = half.min(axis=1) < 0
        cut = (borders <= np.repeat(half, 2, axis=1)).any(axis=1)
        small = ~(absent | cut) & (half.max(axis=1) < _SMALL)
        a, b = np.where(small[:, None], half, 0).T
        numbers = np.where(small, self._whole[a, b], 0)
        numbers[absent] = self._nothing
        for index in np.flatnonzero(numbers == 0).tolist():
            shape = tuple(shapes[index].tolist())
            numbers[index] = self._known[shape] if shape in self._known else self._draw(shape)
            if small[index]:
                self._whole[a[index], b[index]] = numbers[index]
        return numbers

    def _draw(self, shape: Shape) -> int:
        """Draw a shape with OpenCV, keep its rows and return its number."""
        a, b, left, right, top, bottom = shape
        number = self._nothing
        if min(a, b) >= 0 and min(left, right) >= -a and min(top, bottom) >= -b:
            canvas = np.zeros((top + bottom + 1, left + right + 1), np.uint8)
            cv2.ellipse(canvas, (left, top), (a, b), 0, 0, 360, 1, -1)
            rows = np.flatnonzero(canvas.any(axis=1))
            if len(rows):
                number = self._keep(canvas[rows[0] : rows[-1] + 1], int(rows[0]) - top, left)
        self._known[shape] = number
        return number

    def _keep(self, filled: np.ndarray, first: int, left: int) -> int:
        height, width = filled.shape
        start = filled.argmax(axis=1) - left
        stop = width - filled[:, ::-1].argmax(axis=1) - left
        spans = np.pad(np.stack([start, stop], axis=1), ((1, 1), (0, 0)), constant_values=start[0])
        where = self._spans.add(spans)
        return self._shapes.add([[where + 1 - first, first, first + height - 1]])


class _Growing:
    """Integer rows that are only ever added."""

    def __init__(self, columns: int) -> None:
        self.values = np.zeros((1 << 12, columns), np.int32)
        self.used = 0

    def add(self, rows: np.ndarray | list[list[int]]) -> int:
        """Append rows and return the index of the first."""
        start, self.used = self.used, self.used + len(rows)
        while self.used > len(self.values):
            self.values = np.concatenate([self.values, np.zeros_like(self.values)])
        self.values[start : self.used] = rows
        return start


def _shapes(ellipses: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """Return (M, 6) a, b, left, right, top, bottom; a distance is a + 1 (or b + 1) where the border does not cut."""
    x, y, a, b = ellipses.T
    height, width = canvas
    across = [np.minimum(x, a + 1), np.minimum(width - 1 - x, a + 1)]
    down = [np.minimum(y, b + 1), np.minimum(height - 1 - y, b + 1)]
    return np.stack([a, b, *across, *down], axis=1)


SPANS = SpanTable()
