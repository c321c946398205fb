"""Small statistics of runs: where their mean and one more run lie, and how good the best of equal runs looks."""

import numpy as np
from scipy import integrate, stats

from fer_bench.report.value import Value

COVERAGE = 0.95


def prediction_interval(value: Value, coverage: float = COVERAGE) -> tuple[float, float] | None:
    """Where one further run lies with the given probability: mean ± t * deviation * sqrt(1 + 1/n).

    Runs are taken as normally distributed, t has n - 1 degrees of freedom. None for fewer than two runs.
    """
    if value.deviation is None:
        return None
    quantile = float(stats.t.ppf((1 + coverage) / 2, value.n - 1))
    reach = quantile * value.deviation * float(np.sqrt(1 + 1 / value.n))
    return value.mean - reach, value.mean + reach


def expected_maximum(count: int) -> float:
    """Mean of the largest of `count` independent standard normal numbers; 0 for one."""

    def density(x: float) -> float:
        return float(x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1))

    return float(integrate.quad(density, -np.inf, np.inf)[0])


def pooled_deviation(values: list[Value]) -> float | None:
    """Deviation of single runs around the mean of their own setting, over several settings; None without repeats."""
    squares = [(value.n - 1) * value.deviation**2 for value in values if value.deviation is not None]
    freedom = sum(value.n - 1 for value in values if value.n > 1)
    return float(np.sqrt(sum(squares) / freedom)) if freedom else None
