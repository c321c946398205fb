"""Paired permutation test: were the two trainings alike, their scores of a subject might as well be swapped.

Swapping turns the sign of the subject's share of the difference; a macro mean stays a macro mean, because its
denominators do not change. All images of a subject are swapped together, and so are all seeds where columns are means
over seeds. Good, Permutation Tests (1994), section 3.2; p counts the observed difference among the permuted ones
(Phipson and Smyth 2010, DOI 10.2202/1544-6115.1585), so it is never 0.
"""

import numpy as np

from fer_bench.stats.layout import Layout

FLIPS = 10_000
CHUNK = 256  # permutations at once; bounds memory, changes no number
TIE = 1e-9  # relative difference below which two sums of the same numbers in another order are equal


def sign_flip_test(layout: Layout, differences: np.ndarray, flips: int = FLIPS, seed: int = 0) -> np.ndarray:
    """Two-sided p values (M,) of no difference between the two trainings on the layout's images.

    Args:
        layout: how the score is averaged.
        differences: (N, M) per image, one training minus the other, a column per comparison.
        flips: number of random swaps.
        seed: of the swaps; columns and layouts with equally many units share them.
    """
    shares = layout.shares(differences)
    observed = np.abs(shares.sum(axis=0))
    reach = observed - TIE * np.abs(shares).sum(axis=0)
    rng = np.random.default_rng(seed)
    extreme = np.zeros(shares.shape[1])
    for start in range(0, flips, CHUNK):
        rows = min(CHUNK, flips - start)
        signs = 2.0 * rng.integers(0, 2, size=(rows, layout.unit_count)) - 1.0
        extreme += (np.abs(signs @ shares) >= reach).sum(axis=0)
    return np.asarray((extreme + 1) / (flips + 1))
