"""A paired difference that prints the interval of its mean instead of the deviation of its seeds."""

from dataclasses import dataclass, fields

from fer_bench import stats
from fer_bench.report.value import OPTIMISED_MARK, Value, difference


@dataclass(frozen=True)
class Gain(Value):
    """A difference, seed by seed, between two trainings."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The t interval of the mean over seeds, 95 %; None for fewer than three seeds."""
        return stats.t_interval(list(self.by_seed.values()))

    def text(self) -> str:
        """The mean and the interval, e.g. `+0.41 [−1.20, +2.02]`."""
        if self.interval is None:
            return super().text()
        low, high = (self._fixed(bound, signed=True) for bound in self.interval)
        words = f"{self._fixed(self.mean, signed=True)} [{low}, {high}]"
        words += OPTIMISED_MARK if self.optimised else ""
        return words if self.n == self.expected else f"{words} (n = {self.n})"


def gain(after: Value, before: Value) -> Gain:
    """Paired difference of two scores over the seeds that both have."""
    found = difference(after, before)
    return Gain(**{field.name: getattr(found, field.name) for field in fields(found)})
