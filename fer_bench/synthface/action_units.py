"""The 18 action units: how each moves the landmarks, and which of them exclude one another.

Directions follow the Facial Action Coding System (Ekman, Friesen and Hager, 2002, ISBN 0-931835-01-1). Displacements
are those of full intensity (1.0), for the left half of the image and the midline, in outer eye corner distances.
"""

import numpy as np

from fer_bench.synthface.template import LEFT, RIGHT, mirrored

_MOVES: dict[int, dict[int, tuple[float, float]]] = {
    # inner brow raiser, outer brow raiser, brow lowerer
    1: {21: (0, -0.14), 20: (0, -0.11), 19: (0, -0.05), 18: (0, -0.015)},
    2: {17: (0, -0.1), 18: (0, -0.135), 19: (0, -0.11), 20: (0, -0.04)},
    4: {21: (0.055, 0.085), 20: (0.045, 0.08), 19: (0.03, 0.062), 18: (0.018, 0.04), 17: (0.008, 0.018),
        37: (0, 0.008), 38: (0, 0.012)},
    # upper lid raiser, cheek raiser, lid tightener
    5: {37: (0, -0.038), 38: (0, -0.038)},
    6: {40: (0, -0.02), 41: (0, -0.024), 36: (0.006, 0.003), 17: (0, 0.01), 18: (0, 0.008)},
    7: {40: (0, -0.022), 41: (0, -0.022), 37: (0, 0.016), 38: (0, 0.015)},
    # nose wrinkler, upper lip raiser
    9: {31: (-0.012, -0.042), 32: (0, -0.035), 33: (0, -0.026), 30: (0, -0.02), 21: (0.02, 0.055), 20: (0.012, 0.045),
        19: (0.004, 0.026), 18: (0, 0.012), 37: (0, 0.012), 38: (0, 0.012), 40: (0, -0.014), 41: (0, -0.014),
        49: (-0.004, -0.04), 50: (0, -0.044), 51: (0, -0.032), 61: (0, -0.03), 62: (0, -0.026)},
    10: {48: (-0.03, -0.015), 49: (-0.032, -0.07), 50: (-0.012, -0.075), 51: (0, -0.055), 60: (-0.028, -0.018),
         61: (-0.016, -0.068), 62: (0, -0.06), 31: (-0.01, -0.012)},
    # lip corner puller, lip corner depressor
    12: {48: (-0.115, -0.115), 60: (-0.105, -0.1), 49: (-0.066, -0.066), 59: (-0.075, -0.055), 50: (-0.024, -0.034),
         61: (-0.026, -0.04), 67: (-0.026, -0.018), 58: (-0.022, -0.014), 51: (0, -0.03), 62: (0, -0.032),
         57: (0, -0.006), 66: (0, -0.01), 4: (-0.014, -0.008), 3: (-0.012, 0)},
    15: {48: (-0.004, 0.09), 60: (-0.004, 0.078), 49: (0, 0.022), 59: (0, 0.056), 58: (0, 0.014), 67: (0, 0.008)},
    # lower lip depressor, chin raiser
    16: {48: (-0.014, 0.014), 60: (-0.014, 0.016), 59: (-0.03, 0.05), 58: (-0.014, 0.06), 57: (0, 0.06),
         67: (-0.03, 0.055), 66: (0, 0.058)},
    17: {59: (0, -0.026), 58: (0, -0.055), 57: (0, -0.06), 67: (0, -0.036), 66: (0, -0.04), 61: (0, -0.032),
         62: (0, -0.037), 49: (0, -0.012), 50: (0, -0.03), 51: (0, -0.034), 48: (0, 0.014), 60: (0, 0.01),
         8: (0, -0.045), 7: (0, -0.038), 6: (0, -0.015)},
    # lip stretcher, lip tightener, lip pressor
    20: {48: (-0.115, 0.05), 60: (-0.1, 0.045), 49: (-0.06, 0.008), 59: (-0.07, 0.01), 61: (-0.028, 0),
         67: (-0.03, 0.004), 50: (-0.018, 0.006), 58: (-0.022, -0.004), 4: (-0.012, 0)},
    23: {48: (0.055, 0), 60: (0.048, 0), 49: (0.022, 0.02), 50: (0.008, 0.028), 51: (0, 0.024), 59: (0.022, -0.02),
         58: (0.008, -0.03), 57: (0, -0.03)},
    24: {48: (0.02, 0.004), 60: (0.016, 0.004), 49: (0, 0.02), 50: (0, 0.028), 51: (0, 0.028), 59: (0, -0.024),
         58: (0, -0.036), 57: (0, -0.036)},
    # lips part, jaw drop, mouth stretch
    25: {61: (0, -0.018), 62: (0, -0.018), 67: (0, 0.04), 66: (0, 0.044), 59: (0, 0.018), 58: (0, 0.034),
         57: (0, 0.036), 50: (0, -0.008), 51: (0, -0.008)},
    26: {48: (0.015, 0.04), 60: (0.015, 0.04), 59: (0.012, 0.075), 58: (0, 0.11), 57: (0, 0.12), 67: (0, 0.11),
         66: (0, 0.12), 8: (0, 0.11), 7: (0, 0.105), 6: (0.008, 0.09), 5: (0.012, 0.06), 4: (0.008, 0.032),
         3: (0.004, 0.01)},
    27: {48: (0.05, 0.08), 60: (0.05, 0.08), 49: (0.012, 0.02), 59: (0.02, 0.14), 58: (-0.028, 0.195), 57: (0, 0.22),
         61: (-0.03, -0.008), 62: (0, -0.014), 67: (-0.04, 0.19), 66: (0, 0.22), 8: (0, 0.175), 7: (0.008, 0.165),
         6: (0.018, 0.14), 5: (0.026, 0.1), 4: (0.018, 0.055), 3: (0.008, 0.018)},
}  # fmt: skip

AUS: tuple[int, ...] = tuple(_MOVES)
DISPLACEMENTS = np.stack([mirrored(moves) for moves in _MOVES.values()])  # (18, 68, 2)

# Antagonists: tight lips and an open mouth, two degrees of one jaw movement, a raised chin and a dropped jaw.
INCOMPATIBLE: tuple[frozenset[int], ...] = tuple(
    frozenset(pair)
    for pair in [(23, 25), (23, 26), (23, 27), (24, 25), (24, 26), (24, 27), (26, 27), (17, 26), (17, 27)]
)

# Smallest distances between an upper and a lower landmark, so that nothing crosses: eyelids, inner lips.
_APART: tuple[tuple[float, tuple[tuple[int, int], ...]], ...] = (
    (0.024, ((37, 41), (38, 40), (43, 47), (44, 46))),
    (0.004, ((61, 67), (62, 66), (63, 65))),
)
_UPPER_LIP, _LOWER_LIP, _BROW_LID = 0.026, 0.034, 0.075


def compatible(first: int, second: int) -> bool:
    """Say whether one face can show both action units."""
    return frozenset((first, second)) not in INCOMPATIBLE


def displace(points: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Move (68, 2) points by the intensities (18,) of either half of the image, the midline by their mean."""
    by_side = [np.tensordot(side, DISPLACEMENTS, 1) for side in (left, right, (left + right) / 2)]
    move = np.where(LEFT[:, None], by_side[0], np.where(RIGHT[:, None], by_side[1], by_side[2]))
    return _keep_apart(points + move)


def _keep_apart(points: np.ndarray) -> np.ndarray:
    y = points[:, 1]
    for least, pairs in _APART:
        for upper, lower in pairs:
            lack = max(least - (y[lower] - y[upper]), 0.0) / 2
            y[upper] -= lack
            y[lower] += lack
    for outer, inner in ((50, 61), (51, 62), (52, 63)):
        y[outer] = min(y[outer], y[inner] - _UPPER_LIP)
    for outer, inner in ((58, 67), (57, 66), (56, 65)):
        y[outer] = max(y[outer], y[inner] + _LOWER_LIP)
    for brow, lid in ((19, 37), (20, 38), (23, 43), (24, 44)):
        y[brow] = min(y[brow], y[lid] - _BROW_LID)
    return points
