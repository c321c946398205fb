"""A key light and a sky: how a relief is shaded."""

from dataclasses import dataclass

import cv2
import numpy as np

# Light goes further round an edge in red than in blue: it travels below the skin (Jensen et al., SIGGRAPH 2001).
_WRAP = np.array([0.38, 0.27, 0.22], np.float32)


@dataclass(frozen=True)
class Light:
    """Direction in degrees (azimuth from the camera, elevation), strengths, warmth of the key light, exposure."""

    azimuth: float
    elevation: float
    key: float
    ambient: float
    warmth: float
    exposure: float

    @property
    def direction(self) -> np.ndarray:
        """(3,) unit vector towards the light; x right, y down, z towards the camera."""
        a, e = np.radians([self.azimuth, self.elevation])
        return np.array([np.sin(a) * np.cos(e), -np.sin(e), np.cos(a) * np.cos(e)])

    @property
    def key_colour(self) -> np.ndarray:
        """(3,) colour of the key light."""
        return np.array([1 + self.warmth, 1.0, 1 - self.warmth], np.float32) * np.float32(self.key)

    @property
    def ambient_colour(self) -> np.ndarray:
        """(3,) colour of the surrounding light."""
        return np.array([1 - self.warmth / 2, 1.0, 1 + self.warmth / 2], np.float32) * np.float32(self.ambient)

    @property
    def flat(self) -> np.ndarray:
        """(3,) light on a surface that looks at the camera: for things without relief of their own."""
        return self.ambient_colour * 0.85 + self.key_colour * np.float32(0.35 + 0.45 * self.direction[2])


@dataclass(frozen=True)
class Shading:
    """What a relief makes of the light: colour factors (N, N, 3), and the shine (N, N) of skin and of wet lips."""

    colour: np.ndarray
    shine: np.ndarray
    wet: np.ndarray


def shade(
    relief: np.ndarray, cavity: np.ndarray, scale: float, light: Light, direction: np.ndarray, up: np.ndarray
) -> Shading:
    """Shade a height field (N, N); negative `cavity` darkens hollows; directions in the coordinates of the field."""
    slope_x = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3, scale=scale / 8)
    slope_y = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3, scale=scale / 8)
    length = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)

    def facing(vector: np.ndarray) -> np.ndarray:
        x, y, z = vector.astype(np.float32)
        return (z - slope_x * x - slope_y * y) * length

    towards_key = facing(direction)
    sky = (0.7 + 0.3 * facing(up)) * (1 + cavity)
    halfway = direction + np.array([0, 0, 1], np.float32)
    glance = np.clip(facing(halfway / np.linalg.norm(halfway)), 0, 1)
    glance8 = glance**8
    # Hollows also receive less of the key light, but less so.
    less = 1 + np.float32(0.4) * cavity
    colour = np.empty((*relief.shape, 3), np.float32)
    for k, wrap in enumerate(_WRAP):
        key = np.maximum(towards_key + wrap, 0) * (less * (light.key_colour[k] / (1 + wrap)))
        colour[..., k] = key + sky * light.ambient_colour[k]
    return Shading(colour, glance8 * glance8, glance8 * glance8 * glance8 * glance8)
