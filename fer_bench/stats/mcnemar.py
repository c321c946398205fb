"""Two trained networks on the same images: those that only one of them recognises (exact McNemar test)."""

from dataclasses import dataclass

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar


@dataclass(frozen=True)
class Discordant:
    """Images on which two networks disagree.

    gained: only the second one is right. lost: only the first one is. images: all of them.
    """

    gained: int
    lost: int
    images: int

    @property
    def p(self) -> float:
        """Exact two-sided p: gained against lost as tosses of a fair coin (McNemar 1947, DOI 10.1007/BF02295996).

        Images count as independent of one another.
        """
        return float(mcnemar([[0, self.lost], [self.gained, 0]], exact=True).pvalue)

    @property
    def odds_ratio(self) -> float:
        """Paired odds ratio, gained / lost; infinite when nothing is lost, NaN when nothing differs."""
        return self.gained / self.lost if self.lost else (np.inf if self.gained else np.nan)


def discordant(before: np.ndarray, after: np.ndarray) -> Discordant:
    """Count images (N,) that only one of two networks recognises; `before` and `after` say which are right."""
    first, second = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    return Discordant(int((second & ~first).sum()), int((first & ~second).sum()), len(first))
