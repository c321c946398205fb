"""What the benchmarks share: contestants that take turns, and the median of their ratios within a turn."""

import statistics
import time
from collections.abc import Callable, Mapping

Times = dict[str, list[float]]


def in_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> Times:
    """Time every contestant once a round, after one round to warm up; the first of a round changes.

    Returns:
        Name -> seconds of each round.
    """
    for run in contestants.values():
        run()
    names = list(contestants)
    times: Times = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            started = clock()
            contestants[name]()
            times[name].append(clock() - started)
    return times


def ratio(times: Mapping[str, list[float]], above: str, below: str) -> str:
    """Return the median over rounds of one contestant's time over another's, and its range."""
    ratios = sorted(one / other for one, other in zip(times[above], times[below], strict=True))
    return f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}, {len(ratios)} rounds)"
