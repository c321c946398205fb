"""Fixed noise textures for skin, hair and backgrounds, made once per process."""

from functools import cache

import cv2
import numpy as np

from fer_bench.synthface.random_streams import stream

_SIDE, _COUNT = 512, 3


def _octaves(random: np.random.Generator, cells: tuple[tuple[int, int], ...], falloff: float) -> np.ndarray:
    """Sum of smoothly enlarged random grids, standardised; (512, 512) float32."""
    total = np.zeros((_SIDE, _SIDE), np.float32)
    for octave, shape in enumerate(cells):
        grid = random.random(shape, dtype=np.float32) - 0.5
        total += np.float32(falloff**octave) * cv2.resize(grid, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / total.std()


_CELLS: dict[str, tuple[tuple[tuple[int, int], ...], float]] = {
    "cloud": (((4, 4), (8, 8), (16, 16), (32, 32), (64, 64)), 0.6),
    "pores": (((64, 64), (128, 128), (256, 256), (512, 512)), 0.9),
    "bristles": (((170, 170), (300, 300), (512, 512)), 1.0),
    "strands": (((6, 64), (16, 256), (24, 512)), 0.9),
    "curls": (((32, 32), (56, 56), (100, 100)), 0.8),
}


@cache
def bank(kind: str) -> tuple[np.ndarray, ...]:
    """The textures of a kind: "cloud", "pores", "bristles", "strands" (vertical) or "curls"."""
    cells, falloff = _CELLS[kind]
    return tuple(_octaves(stream(0, "texture", f"{kind}/{k}"), cells, falloff) for k in range(_COUNT))


def texture(kind: str, random: np.random.Generator, size: int) -> np.ndarray:
    """Cut a random (size, size) piece, mean 0, deviation 1; larger pieces are enlarged."""
    which, x, y = random.random(3)
    source = bank(kind)[int(which * _COUNT)]
    if size >= _SIDE:
        return cv2.resize(source, (size, size), interpolation=cv2.INTER_LINEAR)
    left, top = int(x * (_SIDE - size)), int(y * (_SIDE - size))
    return source[top : top + size, left : left + size]
