"""Face patches in random order that cover as much of a face as its action unit regions do."""

import numpy as np

TILES = 8  # patches per side of the image


def patches(face: np.ndarray, area: int, random: np.random.Generator) -> np.ndarray:
    """Return (H, W) bool: exactly `area` pixels of the face, tile after tile in random order, the last one in part.

    Args:
        face: (H, W) bool, pixels of the visible face.
        area: number of pixels, at most those of the face.
        random: order of the tiles.
    """
    height, width = face.shape
    tile = (np.arange(height) * TILES // height)[:, None] * TILES + (np.arange(width) * TILES // width)[None]
    place = random.permutation(TILES * TILES)[tile]
    ranked = np.where(face, place, TILES * TILES).ravel()
    chosen = np.argsort(ranked, kind="stable")[:area]
    covered = np.zeros(face.size, dtype=bool)
    covered[chosen] = True
    return covered.reshape(face.shape) & face
