"""The relief of a face: head, features and folds as a height field, for shading only."""

from dataclasses import dataclass, replace

import numpy as np

from fer_bench.synthface.creases import broad_creases, fine_creases
from fer_bench.synthface.geometry import nose_bumps, spline
from fer_bench.synthface.sketch import Side, Sketch
from fer_bench.synthface.textures import texture

Bump = tuple[float, float, float, float, float]  # amplitude, x, y, deviation in x, deviation in y


@dataclass(frozen=True)
class Relief:
    """Masks and heights (N, N) float32 of one face."""

    height: np.ndarray
    cavity: np.ndarray  # below 0 in hollows, above 0 on ridges
    broad: np.ndarray  # opacity of folds
    fine: np.ndarray  # opacity of lines
    lips: np.ndarray  # coverage of the red of the lips
    mouth: np.ndarray  # coverage of the opening between them
    pores: np.ndarray


def build_relief(sketch: Sketch) -> Relief:
    """Raise head and features, cut folds, roughen the skin."""
    canvas, points, old = sketch.canvas, sketch.points, sketch.person.oldness
    outer, mouth = canvas.fill([spline(points[48:60], 6, True)]), canvas.fill([spline(points[60:68], 6, True)])
    lips = np.clip(outer - mouth, 0, 1)
    pressed = min(sketch.au[24] + 0.6 * sketch.au[23], 1.0)
    broad, fine = canvas.strokes(broad_creases(sketch), 0.02), canvas.strokes(fine_creases(sketch), 0.0085)
    pores = texture("pores", sketch.texture, canvas.size)
    features = replace(sketch.head, bumps=np.array(_bumps(sketch)))
    height = features.on(canvas.xs, canvas.ys)
    height += np.float32(0.045 - 0.02 * pressed) * canvas.blur(lips, 0.022)
    height -= np.float32(0.034) * broad + np.float32(0.012) * fine
    cavity = np.clip((height - canvas.blur(height, 0.075)) * 7, -0.75, 0.35)
    height += np.float32(0.0005 + 0.0008 * old) * pores
    return Relief(height, cavity, broad, fine, lips, mouth, pores)


def _bumps(sketch: Sketch) -> list[Bump]:
    points, au = sketch.points, sketch.au
    mouth = points[48:60].mean(0)[1]
    width = points[54, 0] - points[48, 0]
    bumps: list[Bump] = [
        *nose_bumps(points, sketch.person),
        (0.06, 0, mouth - 0.02, width * 0.4, 0.17),
        (0.065 + 0.04 * au[17], 0, points[8, 1] - 0.18 + 0.02 * au[17], 0.17, 0.11),
        (-(0.035 + 0.025 * au[17]), 0, points[57, 1] + 0.06, 0.14, 0.04),
        (-0.018, 0, (points[33, 1] + points[51, 1]) / 2, 0.02, 0.06),
    ]
    for side in sketch.sides:
        bumps += [*_eye_bumps(sketch, side), *_cheek_bumps(sketch, side)]
    return bumps


def _eye_bumps(sketch: Sketch, side: Side) -> list[Bump]:
    points, au, sign = sketch.points, side.au, side.sign
    brow = points[list(side.brow)]
    x, y = points[side.eye].mean(0)
    rest_x, rest_y = sketch.neutral[side.eye].mean(0)
    below = points[list(side.lower_lid[1:-1])].mean(0)[1]
    ridge: list[Bump] = [(0.018, bx, by + 0.012, 0.08, 0.042 + 0.012 * au[4]) for bx, by in brow]
    return [
        *ridge,
        (-0.07, rest_x - sign * 0.02, rest_y - 0.008, 0.165, 0.095),  # socket
        (-0.045, sign * 0.185, rest_y - 0.01, 0.055, 0.075),  # beside the nose
        (0.045, x, y, 0.1, 0.055),  # eyeball
        (0.028 * au[4] + 0.02 * au[9], sign * 0.105, brow[0, 1] + 0.022, 0.06, 0.06),
        (0.022 * (au[6] + au[7]) + 0.012 * sketch.person.oldness, x, below + 0.042, 0.1, 0.024),
    ]


def _cheek_bumps(sketch: Sketch, side: Side) -> list[Bump]:
    points, au, sign = sketch.points, side.au, side.sign
    lifted = 0.55 * au[6] + 0.35 * au[12]
    corner_x, corner_y = points[side.corner]
    return [
        (0.05 + 0.06 * lifted, sign * (0.5 + 0.03 * lifted), 0.39 - 0.06 * lifted, 0.18, 0.12),
        (0.015 + 0.025 * au[9], sign * 0.24, 0.25, 0.08, 0.1),
        (0.03, sign * 0.65, 0.25, 0.14, 0.1),  # cheekbone
        (-0.03 * (1 - 0.5 * au[12]), sign * 0.56, 0.8, 0.16, 0.2),
        (0.032 * au[12], corner_x + sign * 0.09, corner_y - 0.01, 0.06, 0.08),
        (-(0.008 + 0.02 * au[12] + 0.012 * au[15]), corner_x + sign * 0.024, corner_y, 0.028, 0.032),
    ]
