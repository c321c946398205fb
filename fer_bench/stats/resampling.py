"""Bootstrap over subjects: one resample of them is shared by all seeds, both trainings and every score.

Subjects (images where no subject is known) are drawn with replacement, all images of a drawn subject with it, and the
reported score is computed anew: every class mean divides by the number of images that the resample holds of the class.
Networks are fixed, so the interval is about other faces, not about other trainings.
Efron and Tibshirani, An Introduction to the Bootstrap (1993); clusters: Davison and Hinkley (1997), section 3.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fer_bench.stats.layout import GroupSums, Layout

RESAMPLES = 10_000
CHUNK = 256  # resamples at once; bounds memory, changes no number


@dataclass(frozen=True, eq=False)
class Resampled:
    """Scores of resamples.

    draws: (R, M), a column per score; NaN in a resample without any class of the score.
    lost: number of resamples that hold no image of some class; their mean is over the classes that are left.
    """

    draws: np.ndarray
    lost: int


def bootstrap(layout: Layout, values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Resampled:
    """Compute the score of each column of `values` on resamples of the layout's units.

    Args:
        layout: how the score is averaged.
        values: (N, M) per image, e.g. paired differences, a column per seed.
        resamples: R.
        seed: layouts with equally many units see the same resamples for the same seed.

    Returns:
        (R, M) scores and the number of resamples that lost a class.
    """
    parts = layout.sums(values)
    found = [_scores(weights, parts) for weights in _weights(layout.unit_count, resamples, seed)]
    return Resampled(np.concatenate([draws for draws, _ in found]), sum(lost for _, lost in found))


def percentile_interval(draws: np.ndarray, coverage: float = 0.95) -> tuple[float, float]:
    """Interval that holds the middle share `coverage` of draws (R,)."""
    low, high = np.nanquantile(draws, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _weights(units: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each unit is drawn, (CHUNK, U) at a time: multinomial counts of U equally likely draws."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        drawn = rng.integers(0, units, size=(rows, units)) + units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


def _scores(weights: np.ndarray, parts: list[GroupSums]) -> tuple[np.ndarray, int]:
    """Scores (B, M) of B resamples, and how many of them hold no image of some class."""
    total = np.zeros((len(weights), parts[0].sums.shape[1]))
    present = np.zeros(len(weights))
    for part in parts:
        chosen = weights[:, part.units]
        images = chosen @ part.counts
        # Without an image the sum is 0 as well: the class adds nothing and is not counted below.
        total += (chosen @ part.sums) / np.maximum(images, 1)[:, None]
        present += images > 0
    scores = np.divide(total, present[:, None], out=np.full_like(total, np.nan), where=present[:, None] > 0)
    return scores, int((present < len(parts)).sum())
