"""Colours of skin, hair and eyes, as reflectance in linear light."""

import numpy as np

from fer_bench.synthface.identity import Identity


def linear(*srgb: tuple[int, int, int]) -> np.ndarray:
    """Turn 8-bit sRGB colours into linear reflectance; (K, 3) float32."""
    return (np.array(srgb, np.float32) / 255) ** np.float32(2.2)


# From the lightest to the darkest of the range that the Monk skin tone scale spans (E. Monk, 2019).
_SKIN = linear(
    (240, 208, 188), (231, 189, 162), (217, 168, 134), (190, 137, 101), (152, 102, 72), (112, 73, 51), (74, 48, 37)
)
_HAIR = linear((24, 20, 19), (52, 36, 27), (88, 58, 38), (139, 101, 62), (198, 160, 104))
_RED_HAIR, _GREY_HAIR = linear((150, 72, 34), (196, 194, 192))
_INNER_LIP = np.array([0.3, 0.11, 0.1], np.float32)  # shows more, against dark skin
_IRIS = linear((66, 38, 22), (104, 66, 36), (108, 102, 62), (96, 122, 142), (146, 160, 166))


def _along(colours: np.ndarray, position: float) -> np.ndarray:
    place = np.clip(position, 0, 1) * (len(colours) - 1)
    below = min(int(place), len(colours) - 2)
    part = np.float32(place - below)
    return colours[below] * (1 - part) + colours[below + 1] * part


def skin_colour(person: Identity) -> np.ndarray:
    """(3,) reflectance of the skin."""
    return _along(_SKIN, person.skin_tone)


def hair_colour(person: Identity) -> np.ndarray:
    """(3,) reflectance of the hair of the head."""
    base = _along(_HAIR, person.hair_tone)
    red = max(person.redness - 0.8, 0) * 4 * (1 - person.greyness)
    tinted = base + np.float32(red) * (_RED_HAIR - base)
    return tinted + np.float32(person.greyness * 0.85) * (_GREY_HAIR - tinted)


def brow_colour(person: Identity) -> np.ndarray:
    """(3,) reflectance of brows and beard: they grey later and are darker than the hair."""
    base = _along(_HAIR, person.hair_tone * 0.75) * 0.8
    return base + np.float32(person.greyness * 0.45) * (_GREY_HAIR - base)


def iris_colour(person: Identity) -> np.ndarray:
    """(3,) reflectance of the iris."""
    return _along(_IRIS, person.iris_tone)


def lip_colour(person: Identity) -> np.ndarray:
    """(3,) reflectance of the lips: redder and darker than the skin, more so with make-up."""
    natural = skin_colour(person) * np.array([0.88, 0.6, 0.6], np.float32)
    natural = natural + np.float32(0.3 * person.skin_tone) * (_INNER_LIP - natural)
    painted = natural * np.array([0.85, 0.4, 0.45], np.float32) + np.array([0.09, 0.0, 0.012], np.float32)
    return natural + np.float32(person.make_up * 0.8) * (painted - natural)
