"""Lines of the skin: those that age leaves and those that action units fold."""

import numpy as np

from fer_bench.synthface.canvas import Stroke
from fer_bench.synthface.geometry import moved, spline
from fer_bench.synthface.sketch import Side, Sketch


def _limited(strength: float, most: float = 0.9) -> float:
    return float(np.clip(strength, 0, most))


def broad_creases(sketch: Sketch) -> list[Stroke]:
    """Folds: beside the nose (AU 9 10 12), below the mouth corners (AU 15 20), above the chin (AU 17)."""
    folds = [fold for side in sketch.sides for fold in _cheek_folds(sketch, side)]
    low = sketch.points[57, 1]
    chin = [(-0.16, low + 0.085), (0, low + 0.055), (0.16, low + 0.085)]
    return [*folds, (spline(np.array(chin)), 0.022, _limited(0.12 + 0.7 * sketch.au[17]))]


def _cheek_folds(sketch: Sketch, side: Side) -> list[Stroke]:
    au, old, points = side.au, sketch.person.oldness, sketch.points
    wing, corner = points[side.wing], points[side.corner]
    start = moved(wing, side.sign * 0.045, -0.05)
    stop = moved(corner, side.sign * (0.1 + 0.03 * au[12]), 0.02 - 0.05 * au[12])
    middle = moved((start + stop) / 2, side.sign * (0.035 + 0.06 * au[12] + 0.03 * au[10]), -0.045)
    laugh = 0.14 + 0.3 * old + 0.7 * au[12] + 0.65 * au[10] + 0.65 * au[9] + 0.25 * au[6] + 0.25 * au[20] - 0.3 * au[27]
    below = [moved(corner, side.sign * x, y) for x, y in ((0.03, 0.03), (0.055, 0.11), (0.055, 0.2))]
    nose = [
        (side.sign * 0.14, points[27, 1] + 0.1),
        (side.sign * 0.16, points[29, 1]),
        moved(wing, side.sign * 0.03, -0.1),
    ]
    return [
        (spline(np.array([start, middle, stop]), 8), 0.022, _limited(laugh)),
        (spline(np.array(below)), 0.02, _limited(0.12 * old + 0.6 * au[15] + 0.3 * au[20])),
        (spline(np.array(nose)), 0.02, _limited(0.7 * au[9])),
    ]


def fine_creases(sketch: Sketch) -> list[Stroke]:
    """Lines: forehead (AU 1 2), between the brows (AU 4), around the eyes (AU 6 7), nose root (AU 9), chin (AU 17)."""
    lines: list[Stroke] = []
    for side in sketch.sides:
        lines += [*_eye_lines(sketch, side), *_forehead_lines(sketch, side), *_nose_root_lines(sketch, side)]
    return lines + _chin_dimples(sketch)


def _eye_lines(sketch: Sketch, side: Side) -> list[Stroke]:
    au, old, points = side.au, sketch.person.oldness, sketch.points
    upper, outer, inner = points[list(side.upper_lid)], points[side.upper_lid[0]], points[side.upper_lid[-1]]
    lift = 0.045 - 0.016 * au[5] - 0.012 * au[4] - 0.01 * au[7]
    fold = upper + np.array([[side.sign * 0.01, -0.3 * lift], [0, -lift], [0, -lift], [0, -0.4 * lift]])
    below = moved(points[list(side.lower_lid[1:-1])].mean(0), 0, 0.05)
    bag = 0.1 + 0.35 * old + 0.5 * au[6] + 0.45 * au[7] + 0.3 * au[9]
    foot = _limited(0.15 * old + 0.8 * au[6] * (0.4 + 0.6 * old), 0.8)
    crow = [
        (np.array([moved(outer, side.sign * 0.06, y), moved(outer, side.sign * (0.06 + reach), 2.2 * y)]), 0.008, foot)
        for y, reach in ((-0.04, 0.09), (-0.004, 0.11), (0.036, 0.09))
    ]
    return [
        (spline(fold), 0.012, 0.6),
        (spline(np.array([moved(outer, 0, 0.04), below, moved(inner, 0, 0.045)])), 0.01, _limited(bag)),
        *crow,
    ]


def _forehead_lines(sketch: Sketch, side: Side) -> list[Stroke]:
    au, old = side.au, sketch.person.oldness
    brow = sketch.points[list(side.brow)]
    lines: list[Stroke] = []
    for k, above in enumerate((0.13, 0.2, 0.27)):
        inner = _limited(0.12 * old + 0.7 * au[1] - 0.2 * au[4]) * (1 - 0.15 * k)
        outer = _limited(0.12 * old + 0.65 * au[2]) * (1 - 0.15 * k)
        middle = np.array([0, brow[0, 1] - above + 0.012 - 0.025 * au[1]])
        near, far = brow[1] - (0, above), brow[3] + (0, 0.012 - above)
        lines.append((spline(np.array([middle, (middle + near) / 2, near])), 0.011, inner))
        lines.append((spline(np.array([near, (near + far) / 2, far])), 0.011, outer))
    frown = brow[0] + np.array([[-0.045, -0.1], [-0.055, -0.03], [-0.04, 0.055]]) * (side.sign, 1)
    return [*lines, (spline(frown), 0.014, _limited(0.12 * old + 0.9 * au[4], 1.0))]


def _nose_root_lines(sketch: Sketch, side: Side) -> list[Stroke]:
    top = sketch.points[27, 1]
    rows = (top + 0.015 + 0.045 * k for k in range(3))
    return [
        (
            spline(np.array([(side.sign * 0.02, y), (side.sign * 0.085, y - 0.012), (side.sign * 0.13, y + 0.035)])),
            0.01,
            _limited(0.9 * side.au[9] - 0.06 * k, 1.0),
        )
        for k, y in enumerate(rows)
    ]


def _chin_dimples(sketch: Sketch) -> list[Stroke]:
    """The pebbled skin of a raised chin; always drawn from the stream, so that other details do not move."""
    start = moved(sketch.detail.uniform((-0.13, -0.26), (0.13, -0.13), (8, 2)), 0, sketch.points[8, 1])
    stop = start + sketch.detail.uniform(-0.035, 0.035, (8, 2))
    return [(np.array([a, b]), 0.01, 0.5 * sketch.au[17]) for a, b in zip(start, stop, strict=True)]
