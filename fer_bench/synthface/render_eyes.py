"""The eyes: white, iris, pupil, highlight, lashes and the shadow of the lid."""

import numpy as np

from fer_bench.synthface.canvas import darken
from fer_bench.synthface.colours import iris_colour
from fer_bench.synthface.geometry import moved, spline
from fer_bench.synthface.sketch import Side, Sketch

_WHITE = np.array([0.76, 0.72, 0.69], np.float32)
_IRIS_RADIUS = 0.066  # 11.7 mm across, at 89 mm between the outer corners


def draw_eyes(sketch: Sketch, picture: np.ndarray) -> None:
    """Draw both eyes into `picture` (N, N, 3) in place."""
    for side in sketch.sides:
        _eyeball(sketch, side, picture)
        _lashes(sketch, side, picture)


def _eyeball(sketch: Sketch, side: Side, picture: np.ndarray) -> None:
    canvas, eye = sketch.canvas, sketch.points[side.eye]
    outline = spline(eye[[0, 1, 2, 3, 4, 5]], 6, True)
    low, high = canvas.to_pixels(eye.min(0) - 0.06), canvas.to_pixels(eye.max(0) + 0.06)
    window = (slice(int(low[1]), int(high[1]) + 1), slice(int(low[0]), int(high[0]) + 1))
    xs, ys = canvas.xs[None, window[1]], canvas.ys[window[0], None]
    ball = _ball(sketch, side, xs, ys)
    upper = spline(sketch.points[list(side.upper_lid)])
    upper = upper[np.argsort(upper[:, 0])]
    lid = np.interp(xs[0], upper[:, 0], upper[:, 1])[None]
    ball *= (1 - 0.5 * np.exp(-np.maximum(ys - lid, 0) / 0.018))[..., None].astype(np.float32)
    cover = canvas.fill([outline])[window][..., None]
    picture[window] += cover * (ball - picture[window])


def _ball(sketch: Sketch, side: Side, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """An eye without lids on the grid xs (1, w), ys (h, 1); (h, w, 3)."""
    light, person = sketch.light, sketch.person
    middle = moved(sketch.neutral[side.eye].mean(0), 0, -0.006)
    centre = moved(middle, sketch.gaze[0] * 0.03, sketch.gaze[1] * 0.016)
    radius, pixel = _IRIS_RADIUS * (1 + 0.2 * person.eye_size), 1 / sketch.canvas.scale
    white = _WHITE * (
        light.ambient_colour * 0.75
        + light.key_colour * np.float32(np.clip(0.35 + 0.35 * sketch.direction[2], 0.2, 0.8))
    )
    rounding = 1 - 0.35 * np.clip(np.abs(xs - middle[0]) / 0.13, 0, 1) ** 2 + 0 * ys
    ball = (white * rounding[..., None]).astype(np.float32)
    distance = np.hypot(xs - centre[0], ys - centre[1])
    within = np.clip((radius - distance) / pixel + 0.5, 0, 1)[..., None]
    rim = np.clip(distance / radius, 0, 1)[..., None] ** 4
    iris = iris_colour(person) * (light.ambient_colour + 0.8 * light.key_colour) * 1.3 * (1.15 - 0.75 * rim)
    ball += within * (iris - ball)
    ball *= 1 - 0.94 * np.clip((radius * 0.45 - distance) / pixel + 0.5, 0, 1)[..., None]
    shine_x, shine_y = centre + 0.36 * radius * np.array([1.0 if sketch.direction[0] >= 0 else -1.0, -1.0])
    ball += (0.8 * light.key * np.exp(-((xs - shine_x) ** 2 + (ys - shine_y) ** 2) / (2 * 0.013**2)))[..., None]
    return ball


def _lashes(sketch: Sketch, side: Side, picture: np.ndarray) -> None:
    points, make_up = sketch.points, sketch.person.make_up
    upper = spline(points[list(side.upper_lid)] - (0, 0.004))
    lower = spline(points[list(side.lower_lid)] + (0, 0.006))
    strokes = [(upper, 0.019 + 0.012 * make_up, 0.9), (lower, 0.01, 0.3 + 0.3 * make_up)]
    darken(picture, sketch.canvas.strokes(strokes, 0.006), 0.8)
