"""Skin: its colour with blood, shadows, folds, beard, lips and brows, and its light."""

import numpy as np

from fer_bench.synthface.canvas import blend, darken
from fer_bench.synthface.colours import brow_colour, lip_colour, skin_colour
from fer_bench.synthface.geometry import ellipse, smoothstep, spline
from fer_bench.synthface.light import Shading, shade
from fer_bench.synthface.relief import Relief
from fer_bench.synthface.sketch import Side, Sketch
from fer_bench.synthface.textures import texture


def draw_skin(sketch: Sketch, relief: Relief, head: np.ndarray) -> np.ndarray:
    """Return the lit face without eyes and teeth; (N, N, 3) linear light. `head` (N, N) is the head's coverage."""
    colour = _complexion(sketch, relief)
    hidden = _beard(sketch, relief, head)
    blend(colour, hidden, brow_colour(sketch.person))
    blend(colour, sketch.canvas.blur(relief.lips, 0.01) * 0.85, lip_colour(sketch.person))
    for side in sketch.sides:
        blend(colour, _brow(sketch, side, relief), brow_colour(sketch.person))
    light = shade(relief.height, relief.cavity, sketch.canvas.scale, sketch.light, sketch.direction, sketch.up)
    picture = colour * light.colour
    picture += _gloss(sketch, relief, light, hidden)[..., None]
    _nostrils(sketch, picture)
    return picture


def _complexion(sketch: Sketch, relief: Relief) -> np.ndarray:
    person, canvas, points = sketch.person, sketch.canvas, sketch.points
    cloud = texture("cloud", sketch.texture, canvas.size)
    colour = skin_colour(person) * (1 + np.float32(0.045) * cloud + np.float32(0.012) * relief.pores)[..., None]
    blood = canvas.spot(0, points[30, 1] + 0.02, 0.12, 0.1) * 0.2 + np.float32(0.05)
    for side in sketch.sides:
        blood += 0.2 * canvas.spot(side.sign * 0.53, 0.4, 0.18, 0.14)
    # Blood shows through light skin more than through dark skin.
    strength = 0.9 - 0.55 * person.skin_tone
    colour[..., 1] *= 1 - np.float32(strength) * blood
    colour[..., 2] *= 1 - np.float32(strength * 0.9) * blood
    for side in sketch.sides:
        x, y = points[side.eye].mean(0)
        shadow = canvas.spot(x, y + 0.01, 0.15, 0.09)
        darken(colour, shadow, 0.12 * (1 + 0.5 * person.oldness + 0.9 * person.make_up))
    folds = 0.34 * relief.broad + np.float32(0.32 + 0.16 * person.oldness) * relief.fine
    return colour * (1 - folds)[..., None]


def _beard(sketch: Sketch, relief: Relief, head: np.ndarray) -> np.ndarray:
    """Opacity of beard, moustache or stubble; (N, N)."""
    person, canvas = sketch.person, sketch.canvas
    amount = 0.6 + 0.35 * person.beard if person.beard else 0.25 * person.stubble
    bristles = texture("bristles", sketch.texture, canvas.size)
    if not amount and not person.moustache:
        return np.zeros((canvas.size, canvas.size), np.float32)
    cover = _moustache(sketch)
    if amount:
        corner = sketch.points[[48, 54], 1].mean()
        # The edge of the cheek beard climbs towards the ears.
        climb = canvas.ys[:, None] - (corner - 0.02) + 1.1 * np.maximum(np.abs(canvas.xs[None]) - 0.4, 0)
        cover = np.maximum(cover, smoothstep(0.02, 0.17, climb))
    cover = cover * (1 - canvas.blur(np.clip(relief.lips + relief.mouth, 0, 1), 0.012)) * head
    dense = np.clip(cover * (1 + 0.14 * bristles) - 0.04, 0, 1)
    return (dense * np.float32(amount or 0.8)).astype(np.float32)


def _moustache(sketch: Sketch) -> np.ndarray:
    """Hair above the upper lip that runs down beside the mouth; (N, N)."""
    points = sketch.points
    middle = (points[33] + 1.6 * points[51]) / 2.6
    left = [points[48] + (-0.05, 0.13), points[48] + (-0.055, 0.0), (points[31] + 2 * points[49]) / 3 + (0, -0.01)]
    right = [points[54] + (0.05, 0.13), points[54] + (0.055, 0.0), (points[35] + 2 * points[53]) / 3 + (0, -0.01)]
    path = spline(np.array([*left, middle, *right[::-1]]))
    return np.clip(1.25 * sketch.canvas.strokes([(path, 0.1, 1.0)], 0.02), 0, 1)


def _brow(sketch: Sketch, side: Side, relief: Relief) -> np.ndarray:
    person = sketch.person
    brow = sketch.points[list(side.brow)].copy()
    brow[0] += (-side.sign * 0.02, 0.006)
    brow[-1] += (side.sign * 0.02, 0.008)
    line = spline(brow)
    profile = person.brow_thickness * np.array([0.85, 1.1, 1.0, 0.75, 0.3])
    thickness = np.interp(np.linspace(0, 4, len(line)), range(5), profile)
    edge = np.column_stack([0 * thickness, thickness])
    # The landmarks run along the upper half of the hair, as annotators (and dlib) put them.
    hair = line + 0.5 * edge
    cover = sketch.canvas.fill([np.vstack([hair - edge, (hair + edge)[::-1]])], 0.011)
    dense = 0.88 - 0.3 * person.greyness * person.oldness
    return np.clip(cover * (1.05 + 0.16 * relief.pores), 0, 1) * np.float32(dense)


def _gloss(sketch: Sketch, relief: Relief, light: Shading, hidden: np.ndarray) -> np.ndarray:
    key, person = sketch.light.key, sketch.person
    skin = np.float32((0.075 + 0.035 * (1 - person.oldness)) * key) * light.shine * (1 - hidden)
    lips = np.float32((0.1 + 0.12 * person.make_up) * key) * light.wet * relief.lips
    return skin + lips


def _nostrils(sketch: Sketch, picture: np.ndarray) -> None:
    canvas, points = sketch.canvas, sketch.points
    holes = [ellipse((points[k, 0] * 0.98, points[k, 1] - 0.026), (0.036, 0.018), samples=14) for k in (32, 34)]
    blend(picture, canvas.fill(holes, 0.008) * np.float32(0.85), skin_colour(sketch.person) * 0.08)
    under = points[31:36] + np.array([(0.008, -0.008), (0, 0.008), (0, 0.012), (0, 0.008), (-0.008, -0.008)])
    darken(picture, canvas.strokes([(spline(under), 0.02, 0.55)], 0.016), 0.5)
