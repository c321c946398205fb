"""The neutral face: 68 landmarks of a symmetric mean face, the unit of length and the mirror.

Unit: the distance between the outer eye corners (landmarks 36 and 45). Origin: their midpoint; x right, y down.
The numbers are the mean of dlib's points over frontal neutral photographs, symmetrised and rounded, mouth closed.
"""

import numpy as np

# Landmarks of the left half of the image and of the midline; the right half is their mirror image.
_LEFT_HALF: dict[int, tuple[float, float]] = {
    0: (-0.827, 0.02), 1: (-0.812, 0.23), 2: (-0.786, 0.44), 3: (-0.75, 0.65), 4: (-0.685, 0.845),
    5: (-0.575, 1.015), 6: (-0.416, 1.14), 7: (-0.222, 1.215), 8: (0.0, 1.232),
    17: (-0.668, -0.135), 18: (-0.565, -0.227), 19: (-0.42, -0.26), 20: (-0.268, -0.243), 21: (-0.125, -0.195),
    27: (0.0, -0.04), 28: (0.0, 0.1), 29: (0.0, 0.238), 30: (0.0, 0.376),
    31: (-0.164, 0.477), 32: (-0.085, 0.51), 33: (0.0, 0.531),
    36: (-0.5, 0.0), 37: (-0.413, -0.052), 38: (-0.309, -0.054), 39: (-0.215, 0.008),
    40: (-0.314, 0.034), 41: (-0.417, 0.036),
    48: (-0.295, 0.785), 49: (-0.188, 0.728), 50: (-0.082, 0.698), 51: (0.0, 0.716),
    57: (0.0, 0.885), 58: (-0.088, 0.878), 59: (-0.193, 0.85),
    60: (-0.25, 0.785), 61: (-0.084, 0.774), 62: (0.0, 0.78), 67: (-0.084, 0.78), 66: (0.0, 0.786),
}  # fmt: skip

# MIRROR[k] is the landmark on the other side of the face.
MIRROR = np.array(
    [
        *range(16, -1, -1), *range(26, 16, -1),  # jaw, brows
        27, 28, 29, 30, 35, 34, 33, 32, 31,  # nose
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,  # eyes
        *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,  # lips
    ]
)  # fmt: skip


def mirrored(left_half: dict[int, tuple[float, float]]) -> np.ndarray:
    """Complete values given for the left half and the midline to (68, 2); absent landmarks are zero."""
    full = np.zeros((68, 2))
    for landmark, (x, y) in left_half.items():
        full[MIRROR[landmark]] = (-x, y)
        full[landmark] = (x, y)
    return full


TEMPLATE = mirrored(_LEFT_HALF)  # (68, 2)
LEFT = TEMPLATE[:, 0] < 0  # (68,) landmarks of the left half of the image
RIGHT = TEMPLATE[:, 0] > 0
