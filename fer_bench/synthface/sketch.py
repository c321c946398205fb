"""Everything that the drawing steps of one face share: canvas, landmarks, intensities, person, light."""

from dataclasses import dataclass

import numpy as np

from fer_bench.synthface.action_units import AUS
from fer_bench.synthface.canvas import Canvas
from fer_bench.synthface.geometry import Head
from fer_bench.synthface.identity import Identity
from fer_bench.synthface.light import Light


@dataclass(frozen=True)
class Side:
    """Landmark numbers of one half of the image, and the intensities of its action units."""

    sign: int  # -1: left in the image, +1: right
    brow: tuple[int, ...]  # inner to outer
    upper_lid: tuple[int, ...]  # outer to inner corner
    lower_lid: tuple[int, ...]  # inner to outer corner
    wing: int  # of the nose
    corner: int  # of the mouth
    au: dict[int, float]

    @property
    def eye(self) -> list[int]:
        """The six landmarks of the eye."""
        return [*self.upper_lid, *self.lower_lid[1:-1]]


@dataclass(frozen=True)
class Sketch:
    """One face about to be drawn; landmarks (68, 2) in face units."""

    canvas: Canvas
    person: Identity
    head: Head
    neutral: np.ndarray
    points: np.ndarray
    sides: tuple[Side, Side]
    au: dict[int, float]  # mean of both sides
    light: Light
    direction: np.ndarray  # (3,) towards the light, in the coordinates of the head
    up: np.ndarray  # (3,) upwards, in the coordinates of the head
    gaze: tuple[float, float]
    texture: np.random.Generator  # of the person: the same in all images
    detail: np.random.Generator  # of this image

    @property
    def mouth_gap(self) -> float:
        """Mean distance between the inner lips."""
        return float(np.mean(self.points[[67, 66, 65], 1] - self.points[[61, 62, 63], 1]))


def both_sides(left: np.ndarray, right: np.ndarray) -> tuple[Side, Side]:
    """Pair landmark numbers with intensities (18,)."""
    units = [dict(zip(AUS, map(float, values), strict=True)) for values in (left, right)]
    return (
        Side(-1, (21, 20, 19, 18, 17), (36, 37, 38, 39), (39, 40, 41, 36), 31, 48, units[0]),
        Side(1, (22, 23, 24, 25, 26), (45, 44, 43, 42), (42, 47, 46, 45), 35, 54, units[1]),
    )
