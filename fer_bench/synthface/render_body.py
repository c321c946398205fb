"""Neck, clothes, ears and glasses."""

import numpy as np

from fer_bench.synthface.canvas import blend, darken
from fer_bench.synthface.colours import skin_colour
from fer_bench.synthface.geometry import ellipse, spline
from fer_bench.synthface.sketch import Side, Sketch

_RIGHT_NECK = [(0.5, 0.75), (0.5, 1.3), (0.58, 1.55), (1.4, 1.9)]
_RIGHT_COLLAR = [(0.0, 1.82), (0.3, 1.72), (0.54, 1.44), (0.8, 1.53), (1.3, 1.68), (2.2, 1.95), (2.2, 2.6)]


def draw_neck(sketch: Sketch, picture: np.ndarray, alpha: np.ndarray, colour: np.ndarray) -> None:
    """Draw neck and clothes of a colour (3,), in place."""
    canvas, light = sketch.canvas, sketch.light
    width = sketch.neutral[16, 0] / 0.83 * (0.92 if sketch.person.female else 1.06)
    half = np.array(_RIGHT_NECK) * (width, 1)
    cover = canvas.fill([spline(np.vstack([half[::-1] * (-1, 1), half]), 5)], 0.01)
    xs, ys = canvas.xs[None], canvas.ys[:, None]
    turned = np.clip(0.6 + sketch.direction[0] * xs - 0.25 * xs**2, 0.1, 1.1)
    under_chin = 1 - 0.6 * np.exp(-np.maximum(ys - sketch.points[8, 1] + 0.12, 0) / 0.22)
    lit = light.ambient_colour * 0.7 + turned[..., None] * light.key_colour * np.float32(0.65)
    skin = skin_colour(sketch.person) * np.array([1, 0.93, 0.9], np.float32)
    blend(picture, cover, (skin * lit * under_chin[..., None]).astype(np.float32))
    np.maximum(alpha, cover, out=alpha)
    collar = np.array(_RIGHT_COLLAR)
    clothes = canvas.fill([spline(np.vstack([collar[:0:-1] * (-1, 1), collar]), 5)], 0.008)
    blend(picture, clothes, colour * light.flat)
    np.maximum(alpha, clothes, out=alpha)


def draw_ears(sketch: Sketch, picture: np.ndarray, alpha: np.ndarray) -> None:
    """Draw both ears, in place; long hair will cover them."""
    canvas, light = sketch.canvas, sketch.light
    side = sketch.neutral[16, 0]
    cover = canvas.fill([ellipse((sign * (side + 0.03), 0.2), (0.095, 0.27), 2.4) for sign in (-1, 1)], 0.01)
    away = np.abs(canvas.xs)[None] - side
    fold = 0.45 * np.exp(-(((away - 0.045) / 0.025) ** 2)) * np.exp(-(((canvas.ys[:, None] - 0.16) / 0.16) ** 2))
    lit = np.clip(0.75 + 0.6 * canvas.xs * sketch.direction[0], 0.3, 1.1)[None] * (1 - fold)
    skin = skin_colour(sketch.person) * np.array([1, 0.87, 0.83], np.float32)
    blend(
        picture, cover, (skin * (lit[..., None] * (light.ambient_colour + 0.55 * light.key_colour))).astype(np.float32)
    )
    np.maximum(alpha, cover, out=alpha)


def draw_glasses(sketch: Sketch, picture: np.ndarray) -> None:
    """Draw frame, bridge and temples, and darken the lenses slightly, in place."""
    if sketch.person.glasses == "none":
        return
    canvas, thin = sketch.canvas, sketch.person.glasses == "thin"
    lenses = [_lens(sketch, side) for side in sketch.sides]
    top = sketch.neutral[27, 1]
    strokes = [(np.vstack([lens, lens[:1]]), 0.013 if thin else 0.024, 0.95) for lens in lenses]
    strokes.append((spline(np.array([(-0.075, top + 0.03), (0, top + 0.005), (0.075, top + 0.03)])), 0.018, 0.95))
    for side, lens in zip(sketch.sides, lenses, strict=True):
        hinge = lens[np.argmax(side.sign * lens[:, 0])] - (0, 0.04)
        strokes.append((np.array([hinge, (side.sign * sketch.neutral[16, 0], hinge[1] - 0.01)]), 0.018, 0.9))
    darken(picture, canvas.fill(lenses), 0.06)
    frame = sketch.texture.random(3).astype(np.float32) ** 3 * np.float32(0.16) + np.float32(0.008)
    blend(picture, canvas.strokes(strokes, 0.004) * np.float32(0.95), frame * sketch.light.flat)


def _lens(sketch: Sketch, side: Side) -> np.ndarray:
    x, y = sketch.neutral[side.eye].mean(0)
    round_ = sketch.person.glasses == "round"
    return ellipse((x + side.sign * 0.012, y + 0.03), (0.225, 0.175 if round_ else 0.145), 2.3 if round_ else 4.0, 48)
