"""One printed number: a score of several seeds as mean ± sample deviation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from fer_bench.report.labels import MISSING
from fer_bench.report.score_key import ScoreKey

DEVIATION_FROM = 3  # seeds below which a deviation says nothing: no ± is printed
BOLD_FROM = 5  # seeds below which no claim is made and no best value is marked
OPTIMISED_MARK = "†"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Value:
    """A score per seed and how to print it.

    by_seed: seed -> score, full precision; empty when nothing is there, which prints as a visible dash.
    expected: seeds the grid asks for; a value with fewer prints its own number of seeds.
    digits: decimals in print. signed: print the sign of positive values too (differences).
    optimised: the score is against the very map that was trained on. reference: a chance level, reference or ceiling.
    contest: values of one contest may be compared, and the best of them is marked; empty: never marked.
    lower_is_better: direction of the score. key: where the scores of single images behind it are saved.
    """

    by_seed: Mapping[int, float]
    expected: int
    digits: int = 3
    signed: bool = False
    optimised: bool = False
    reference: bool = False
    contest: str = ""
    lower_is_better: bool = False
    bold: bool = False
    key: ScoreKey | None = None

    @property
    def n(self) -> int:
        """Number of seeds."""
        return len(self.by_seed)

    @property
    def mean(self) -> float:
        """Mean over the seeds; NaN without any."""
        return fmean(self.by_seed.values()) if self.by_seed else math.nan

    @property
    def deviation(self) -> float | None:
        """Sample deviation (division by n - 1) over the seeds; None for one seed or none."""
        return stdev(self.by_seed.values()) if self.n > 1 else None

    @property
    def shows_deviation(self) -> bool:
        """Whether ± is printed: enough seeds that can differ."""
        return self.n >= DEVIATION_FROM and not self.is_constant

    @property
    def is_constant(self) -> bool:
        """Whether this is a reference that no seed changes: it has neither a deviation nor a number of seeds."""
        return self.reference and len(set(self.by_seed.values())) == 1

    def text(self) -> str:
        """The number as plain text, e.g. `0.941 ± 0.003†`."""
        if not self.by_seed:
            return MISSING
        number = self._fixed(self.mean, self.signed)
        if self.shows_deviation:
            number += f" ± {self._fixed(self.deviation or 0.0, False)}"
        if self.optimised:
            number += OPTIMISED_MARK
        return number if self.n == self.expected or self.is_constant else f"{number} (n = {self.n})"

    def emboldened(self) -> "Value":
        """The same value marked as the best one."""
        return replace(self, bold=True)

    def _fixed(self, number: float, signed: bool) -> str:
        text = f"{number:+.{self.digits}f}" if signed else f"{number:.{self.digits}f}"
        if float(text) == 0:
            text = text.lstrip("+-")  # a difference that rounds to nothing has no sign
        return text.replace("-", MINUS)


def constant(number: float, digits: int) -> Value:
    """A chance level that is known without any run."""
    return Value({0: number}, expected=1, digits=digits, reference=True)


def difference(after: Value, before: Value) -> Value:
    """Paired difference: seed by seed, over the seeds that both have."""
    seeds = sorted(set(after.by_seed) & set(before.by_seed))
    by_seed = {seed: after.by_seed[seed] - before.by_seed[seed] for seed in seeds}
    return replace(after, by_seed=by_seed, signed=True, bold=False, contest="", key=None)
