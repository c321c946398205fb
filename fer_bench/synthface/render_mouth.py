"""The mouth: the dark opening, teeth, tongue and the line between the lips."""

import numpy as np

from fer_bench.synthface.canvas import blend, darken
from fer_bench.synthface.geometry import spline
from fer_bench.synthface.sketch import Sketch

_CAVITY = np.array([0.06, 0.015, 0.013], np.float32)
_TONGUE = np.array([0.36, 0.1, 0.09], np.float32)
_TEETH = np.array([0.78, 0.74, 0.66], np.float32)
_OPEN = 0.012  # a smaller gap shows as a line only


def draw_mouth(sketch: Sketch, picture: np.ndarray, opening: np.ndarray) -> None:
    """Draw into `picture` (N, N, 3) in place; `opening` (N, N) is the coverage between the lips."""
    canvas, points, gap = sketch.canvas, sketch.points, sketch.mouth_gap
    if gap > _OPEN:
        inside = canvas.blur(opening, 0.006)
        blend(picture, inside, _CAVITY * (sketch.light.ambient + 0.5))
        _tongue(sketch, picture, inside, gap)
        _teeth(sketch, picture, inside, gap)
        darken(picture, canvas.strokes([(spline(points[60:65]), 0.026, 0.7)], 0.016) * opening, 0.45)
    line = [(spline(points[60:65]), 0.014, 0.85 if gap < 0.025 else 0.25)]
    if gap >= 0.025:
        line.append((spline(points[[64, 65, 66, 67, 60]]), 0.01, 0.2))
    darken(picture, canvas.strokes(line, 0.007), 0.72)
    for side in sketch.sides:
        x, y = points[side.corner]
        darken(picture, canvas.spot(x - side.sign * 0.005, y, 0.022, 0.017), 0.42)


def _tongue(sketch: Sketch, picture: np.ndarray, inside: np.ndarray, gap: float) -> None:
    if gap > 0.09:
        bottom = sketch.points[65:68, 1].mean()
        shape = sketch.canvas.spot(0, bottom + 0.01, 0.15, 0.06) * inside
        blend(picture, np.clip(shape * 1.1, 0, 0.85), _TONGUE * (sketch.light.ambient + 0.35 * sketch.light.key))


def _teeth(sketch: Sketch, picture: np.ndarray, inside: np.ndarray, gap: float) -> None:
    """Upper teeth show when the upper lip rises or is drawn aside, lower ones when the lower lip falls."""
    au = sketch.au
    upper = np.clip(0.6 * au[12] + 0.8 * au[10] + 0.5 * au[25] + 0.25 * au[20] + 0.2 * au[26] - 0.2 * au[27], 0, 1)
    lower = np.clip(0.85 * au[16] + 0.45 * au[20] + 0.1 * au[26] + 0.35 * au[10] * au[25] - 0.3 * au[27], 0, 1)
    clenched = bool(upper > 0.3 and lower > 0.2 and gap < 0.3)
    colour = _TEETH * (sketch.light.ambient * 0.9 + 0.65 * sketch.light.key)
    for lip, side, amount in (
        (spline(sketch.points[60:65]), 1, upper),
        (spline(sketch.points[[64, 65, 66, 67, 60]]), -1, lower),
    ):
        if amount > 0.08:
            _tooth_row(sketch, picture, inside, lip, side, float(amount), gap, clenched, colour)


def _tooth_row(
    sketch: Sketch,
    picture: np.ndarray,
    inside: np.ndarray,
    lip: np.ndarray,
    side: int,
    amount: float,
    gap: float,
    clenched: bool,
    colour: np.ndarray,
) -> None:
    canvas, points = sketch.canvas, sketch.points
    reach = 0.53 * gap if clenched else min(0.095, 0.85 * gap) * amount
    tips = np.column_stack([lip[:, 0] * (1.0 if clenched else 0.92), lip[:, 1] + side * reach])
    row = np.vstack([lip - (0, side * 0.04), tips[::-1]])
    cover = canvas.fill([row], 0.006) * inside * np.float32(amount**0.3)
    between = np.abs(np.sin(canvas.xs / 0.066 * np.pi / 2)) ** 0.35  # dark lines between teeth 0.066 wide
    half = max(points[54, 0] - points[48, 0], 0.2) * 0.6
    falloff = np.clip(1.15 - (np.abs(canvas.xs) / half) ** 2, 0.25, 1)  # the arch turns away at the sides
    relief = np.broadcast_to(((0.85 + 0.15 * between) * falloff)[None, :, None], picture.shape)
    blend(picture, cover, (relief * colour).astype(np.float32))
