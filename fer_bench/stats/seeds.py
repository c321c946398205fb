"""What repeated trainings say: paired t interval and test over seeds, and the size of the effect."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

SEEDS_FROM = 3  # seeds below which a deviation says nothing

Differences = Sequence[float] | np.ndarray  # (S,) one per seed


def t_interval(differences: Differences, coverage: float = 0.95) -> tuple[float, float] | None:
    """Interval of the mean difference: mean ± t · s / sqrt(n), t with n - 1 degrees of freedom.

    Differences are taken as normally distributed. None below SEEDS_FROM seeds.
    """
    if len(differences) < SEEDS_FROM:
        return None
    mean, deviation = float(np.mean(differences)), float(np.std(differences, ddof=1))
    reach = float(stats.t.ppf((1 + coverage) / 2, len(differences) - 1)) * deviation / len(differences) ** 0.5
    return mean - reach, mean + reach


def t_test(differences: Differences) -> float | None:
    """Two-sided p of a mean difference of 0; None below SEEDS_FROM seeds, or when all differences are the same."""
    if len(differences) < SEEDS_FROM or _constant(differences):
        return None
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def cohen_d(differences: Differences) -> float | None:
    """Cohen's d of paired differences, mean / s; None where `t_test` is None.

    Cohen, Statistical Power Analysis for the Behavioral Sciences (1988), section 2.3.5 (d_z there).
    """
    if len(differences) < SEEDS_FROM or _constant(differences):
        return None
    return float(np.mean(differences) / np.std(differences, ddof=1))


def _constant(differences: Differences) -> bool:
    """Whether differences are the same up to rounding, so that they have no deviation to divide by."""
    return float(np.std(differences, ddof=1)) <= 1e-12 * float(np.max(np.abs(differences)))
