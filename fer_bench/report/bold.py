"""Which numbers are set in bold: best values whose lead holds over seeds and over faces."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from fer_bench import stats
from fer_bench.report import significance
from fer_bench.report.results import Results
from fer_bench.report.table import Content, Row
from fer_bench.report.value import BOLD_FROM, Value, difference

LEVEL = 0.05


def mark(results: Results, rows: Sequence[Row]) -> list[Row]:
    """Mark the best value of each contest whose lead over every other one is significant, over seeds and over faces.

    A contest has one p, the largest of its comparisons; Holm adjusts over the contests of the table. The interval over
    both at once leaves out 0. Values are of enough seeds, means over images whose scores are saved, and not optimised.
    """
    leaders = {name: best for name, values in _contests(rows).items() if (best := leader(values)) is not None}
    p_values = {name: _p(results, best, _contests(rows)[name]) for name, best in leaders.items()}
    adjusted = stats.holm(p_values)
    winners = {name: best for name, best in leaders.items() if (p := adjusted[name]) is not None and p < LEVEL}

    def marked(item: Content) -> Content:
        won = isinstance(item, Value) and _competes(item) and item.contest in winners
        return (
            item.emboldened() if isinstance(item, Value) and won and item.mean == winners[item.contest].mean else item
        )

    return [replace(row, contents=tuple(marked(item) for item in row.contents)) for row in rows]


def leader(values: Sequence[Value]) -> Value | None:
    """The best of at least two values of at least BOLD_FROM seeds each, in the declared direction."""
    if len(values) < 2 or min(value.n for value in values) < BOLD_FROM:
        return None
    return (min if values[0].lower_is_better else max)(values, key=lambda value: value.mean)


def _contests(rows: Sequence[Row]) -> dict[str, list[Value]]:
    """Values that may be compared; a number that stands in several rows (one training, several explainers) once."""
    found: dict[str, list[Value]] = defaultdict(list)
    for item in (item for row in rows for item in row.contents):
        if isinstance(item, Value) and _competes(item) and item not in found[item.contest]:
            found[item.contest].append(item)
    return found


def _competes(value: Value) -> bool:
    return bool(value.contest and value.by_seed and not value.optimised)


def _p(results: Results, best: Value, values: Sequence[Value]) -> float | None:
    """The largest p, over seeds or over faces, of the best value against each other one; None where one is unknown.

    1 where a lead does not hold over both at once.
    """
    comparisons = [(best, other) for other in values if other != best]
    if any(difference(*pair).n < BOLD_FROM for pair in comparisons):  # seeds that both have
        return None
    over_seeds = [stats.t_test(list(difference(*pair).by_seed.values())) for pair in comparisons]
    if any(p is None or p >= LEVEL for p in over_seeds):  # decided without reading a file
        return None if any(p is None for p in over_seeds) else 1.0
    found = significance.evidence(results, comparisons)
    p_values = [p for one in found for p in (one.p, one.faces.p if one.faces else None)]
    known = [p for p in p_values if p is not None]
    if len(known) < len(p_values):
        return None
    return max(known) if all(one.stands_together for one in found) else 1.0
