"""How many seeds a paired t test needs to see a difference of a given size."""

from itertools import count
from math import ceil

from scipy import stats
from statsmodels.stats.power import TTestPower

ALPHA, POWER = 0.05, 0.8
LARGEST = 12.0  # two seeds suffice from here on
SOLVED_BELOW = 1.0  # effects with more than a handful of seeds: solved for a real number, then rounded up


def seeds_needed(deviation: float, difference: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Smallest number of seeds with which a two-sided paired t test sees `difference` with probability `power`.

    Args:
        deviation: sample deviation of the differences over seeds; not negative.
        difference: to be seen, in the same unit; above 0.
        alpha: level of the test.
        power: wanted.
    """
    effect = LARGEST if deviation * LARGEST <= difference else difference / deviation
    test = TTestPower()
    if effect < SOLVED_BELOW:
        solved = float(test.solve_power(effect_size=effect, alpha=alpha, power=power, alternative="two-sided"))
        return ceil(solved)
    # The far tail adds nothing to an effect this large, and scipy's noncentral t is not a number there at times.
    return next(n for n in count(2) if test.power(effect, n, alpha / 2, alternative="larger") >= power)


def deviation_range(seeds: int, coverage: float = 0.95) -> tuple[float, float]:
    """How far the true deviation may lie from that of n seeds: interval of true / sample deviation (chi-square)."""
    freedom = seeds - 1
    least = float(stats.chi2.ppf((1 - coverage) / 2, freedom))
    most = float(stats.chi2.ppf((1 + coverage) / 2, freedom))
    return (freedom / most) ** 0.5, (freedom / least) ** 0.5
