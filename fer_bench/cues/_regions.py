"""Regions of action units as areas: the inside of the anatomical ellipses, drawn on the true landmarks.

The maps of the paper are no use here: the regions of all its units together cover nearly the whole face.
"""

import math
from functools import cache

import numpy as np
import torch

from fer_bench.au import REGIONS, au_maps, wanted_aus
from fer_bench.cues.base import CuedFace

_VARIANT = "facs"
_EDGE = math.exp(-1)  # value of a map on the edge of an ellipse
_ONE_SIDED = 100  # from here on: units that act on one side of the face alone, within the regions of the others


@cache
def all_units() -> frozenset[int]:
    """Every action unit (FACS number) that has a region."""
    return frozenset(unit for row in REGIONS[_VARIANT] for unit in row if unit < _ONE_SIDED)


def own_units(expression: str) -> frozenset[int]:
    """Action units of an expression, in the codebook of the anatomical maps."""
    return frozenset(wanted_aus(expression, _VARIANT))


def region(face: CuedFace, units: frozenset[int]) -> np.ndarray:
    """(H, W) bool: inside the region of any of the units."""
    if not units:
        return np.zeros(face.mask.shape, dtype=bool)
    height, width = face.mask.shape
    maps, _ = au_maps(torch.as_tensor(face.landmarks[None], dtype=torch.float64), [units], (height, width), _VARIANT)
    return np.asarray(maps[0].numpy() >= _EDGE)
