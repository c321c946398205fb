"""Hair of the head: a mass behind the face and one over the forehead, with strands or curls."""

from dataclasses import dataclass

import numpy as np

from fer_bench.synthface.canvas import blend, darken
from fer_bench.synthface.colours import hair_colour
from fer_bench.synthface.geometry import smoothstep, spline
from fer_bench.synthface.sketch import Sketch
from fer_bench.synthface.textures import texture


@dataclass(frozen=True)
class _Cut:
    """A hair style: how far it stands off the skull (top, sides), how far down it falls behind and in front."""

    top: float
    sides: float
    falls: float | None  # lowest point of the mass behind the head; None: none shows
    temples: float  # where the front mass ends at the temples
    ragged: float  # roughness of the outline


_CUTS = {
    "short": _Cut(0.07, 0.035, None, 0.02, 0.25),
    "tied": _Cut(0.06, 0.03, None, 0.08, 0.15),
    "medium": _Cut(0.12, 0.13, 0.85, 0.25, 0.3),
    "long": _Cut(0.11, 0.14, 2.1, 0.3, 0.25),
    "curly": _Cut(0.2, 0.2, 0.55, 0.15, 0.9),
}


def skull_top(sketch: Sketch) -> float:
    """Height of the crown."""
    return -1.2 * (1 + sketch.person.face_height)


def head_outline(sketch: Sketch) -> np.ndarray:
    """Jaw and skull as one polygon (K, 2)."""
    jaw = spline(sketch.points[:17])
    x, y = sketch.neutral[16]
    return np.vstack([jaw, _dome(x, y, skull_top(sketch))[1:-1]])


def _dome(half_width: float, low: float, top: float, samples: int = 30) -> np.ndarray:
    """Upper half of a superellipse, slightly boxier than an ellipse, from right to left; (samples, 2)."""
    angle = np.linspace(0, np.pi, samples)
    cos, sin = np.cos(angle), np.sin(angle).clip(0)
    return np.column_stack([half_width * np.sign(cos) * np.abs(cos) ** 0.8, low + (top - low) * sin**0.8])


def hair_picture(sketch: Sketch) -> np.ndarray:
    """Lit hair everywhere; (N, N, 3)."""
    canvas, light = sketch.canvas, sketch.light
    kind = "curls" if sketch.person.hair_style == "curly" else "strands"
    grain = texture(kind, sketch.texture, canvas.size)
    colour = hair_colour(sketch.person)
    sphere = 0.55 + 0.4 * (
        canvas.xs[None] * sketch.direction[0] + (canvas.ys[:, None] + np.float32(0.1)) * sketch.direction[1]
    )
    grained = 1 + np.float32(0.22) * grain
    lit = np.clip(sphere, 0.12, 1.1) * np.float32(0.85)
    # A band of light across the crown, as strands throw it.
    band = np.exp(-(((canvas.ys + np.float32(0.95)) / np.float32(0.16)) ** 2)) * max(sketch.direction[2], np.float32(0))
    shine = band[:, None] * (1 + np.float32(0.5) * grain) * np.float32(0.35 * light.key)
    picture = np.empty((*grain.shape, 3), np.float32)
    for k in range(3):
        strength = lit * light.key_colour[k] + np.float32(0.9) * light.ambient_colour[k]
        picture[..., k] = (colour[k] * grained + np.float32(0.008)) * strength + shine * (
            np.float32(0.05) + 0.4 * colour[k]
        )
    return np.maximum(picture, 0)


def draw_back_hair(sketch: Sketch, hair: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> None:
    """Draw what hangs behind the head, in place."""
    cut = _CUTS.get(sketch.person.hair_style)
    if cut is None or cut.falls is None:
        return
    width = sketch.neutral[16, 0] + cut.sides
    low = cut.falls
    under = [(-width * 1.04, low * 0.5), (-width * 0.94, low), (-width * 0.5, low + 0.06)]
    over = _dome(width, 0.1, skull_top(sketch) - cut.top, 24)
    outline = np.vstack([over, under, [(-x, y) for x, y in under[::-1]]])
    cover = _ragged(sketch, sketch.canvas.fill([spline(outline, 3, True)]), cut.ragged)
    blend(picture, cover, hair * np.float32(0.72))
    np.maximum(alpha, cover, out=alpha)


def draw_front_hair(sketch: Sketch, hair: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Draw the hair over skull and forehead, with its shadow on the skin, in place; return its coverage (N, N)."""
    cut = _CUTS.get(sketch.person.hair_style)
    if cut is None:
        _shaved(sketch, hair, picture)
        return np.zeros_like(alpha)
    outer, inner = _front_outline(sketch, cut)
    cover = _ragged(sketch, sketch.canvas.fill([np.vstack([outer, inner])]), cut.ragged)
    darken(picture, np.clip(sketch.canvas.blur(cover, 0.05) - cover, 0, 1), 0.55)
    blend(picture, cover, hair)
    np.maximum(alpha, cover, out=alpha)
    return cover


def _front_outline(sketch: Sketch, cut: _Cut) -> tuple[np.ndarray, np.ndarray]:
    person, side = sketch.person, sketch.neutral[16, 0]
    line = sketch.neutral[19, 1] - 0.46 + person.hairline
    outer = _dome(side + cut.sides, cut.temples, skull_top(sketch) - cut.top)
    part, fringe = person.parting, 0.03 * np.sin(7 * person.parting)
    # A receding hairline recedes at the temples first.
    temple = line + 0.13 + 1.3 * min(person.hairline, 0)
    inner = np.array(
        [
            (-side, cut.temples),
            (-side * 0.94, -0.14),
            (-side * 0.87, -0.36),
            (-side * 0.7, temple),
            (-side * 0.36 + part * 0.4, line - fringe),
            (part * 0.5, line),
            (side * 0.36 + part * 0.4, line + fringe),
            (side * 0.7, temple),
            (side * 0.87, -0.36),
            (side * 0.94, -0.14),
            (side, cut.temples),
        ]
    )
    return outer, spline(inner)


def _ragged(sketch: Sketch, cover: np.ndarray, amount: float) -> np.ndarray:
    """Let the texture eat into the edge, so that it is made of strands instead of a knife cut."""
    canvas = sketch.canvas
    soft = canvas.blur(cover, 0.045)
    kind = "curls" if sketch.person.hair_style == "curly" else "strands"
    noisy = soft + np.float32(0.35 * amount) * texture(kind, sketch.texture, canvas.size) * soft * (1 - soft) * 2
    return canvas.blur(smoothstep(0.36, 0.64, noisy).astype(np.float32), 0.008)


def _shaved(sketch: Sketch, hair: np.ndarray, picture: np.ndarray) -> None:
    """A bald head keeps a faint shadow of hair above the hairline."""
    ys = sketch.canvas.ys[:, None]
    above = smoothstep(-0.55, -0.85, ys - 0.25 * np.abs(sketch.canvas.xs[None]))
    blend(picture, (0.16 * above * (1 - sketch.person.oldness)).astype(np.float32), hair)
