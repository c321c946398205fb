"""Patterns of round blobs: places from a name, size and shape from the mean and mean square that are asked for."""

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from fer_bench.errors import InputError

PAIRS = 3  # blobs on either side of the vertical axis
APART = 0.2  # least distance of two places on one side, as a share of the image's side
_SIDE = 56  # pixels a side at which a pattern is fitted
_CLOSE = 1e-3  # relative error of a fit


@dataclass(frozen=True)
class Pattern:
    """Blobs exp(-(distance / width)**power), the largest counting.

    places: (K, 2) x and y in [0, 1] from the left and upper edge. width: as a share of the image's side.
    """

    places: np.ndarray
    width: float
    power: float

    def draw(self, side: int) -> np.ndarray:
        """(S, S) in [0, 1]."""
        return _blobs(_nearest(self.places, side), self.width, self.power)


def fitted(name: str, mean: float, mean_square: float) -> Pattern:
    """Find the pattern of that name with a given mean and mean square over the image.

    Raises:
        InputError: no pattern has them.
    """
    places = places_of(name)
    distances = _nearest(places, _SIDE)

    def miss(logs: np.ndarray) -> list[float]:
        drawn = _blobs(distances, *np.exp(logs))
        return [float(drawn.mean()) / mean - 1, float(np.square(drawn).mean()) / mean_square - 1]

    found = least_squares(miss, np.log([0.1, 2.0]), bounds=(np.log([0.01, 0.3]), np.log([2.0, 30.0])))
    if max(map(abs, found.fun)) > _CLOSE:
        asked = f"a mean of {mean:.4g} and a mean square of {mean_square:.4g}"
        raise InputError(f"guidance class_code: no pattern of {2 * PAIRS} blobs has {asked}")
    return Pattern(places, *map(float, np.exp(found.x)))


def places_of(name: str) -> np.ndarray:
    """Draw places (2 PAIRS, 2) that mirror one another, the same for the same name everywhere.

    Half a place's distance from the vertical axis and from the edges is kept free.
    """
    digest = hashlib.sha256(f"class_code/{name}".encode()).digest()
    random, left = np.random.default_rng(int.from_bytes(digest[:16], "big")), np.empty((0, 2))
    while len(left) < PAIRS:
        place = random.uniform((APART / 2, APART / 2), (0.5 - APART / 2, 1 - APART / 2))
        if np.hypot(*(left - place).T).min(initial=1.0) >= APART:
            left = np.vstack([left, place])
    return np.vstack([left, [1, 0] + [-1, 1] * left])


def _nearest(places: np.ndarray, side: int) -> np.ndarray:
    """(S, S) distance of each pixel from the nearest place, as a share of the side."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    return np.hypot(x - places[:, 0, None, None], y - places[:, 1, None, None]).min(axis=0)


def _blobs(distances: np.ndarray, width: float, power: float) -> np.ndarray:
    return np.exp(-((distances / width) ** power))
