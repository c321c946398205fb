"""Seeds needed to see a difference of half a point of accuracy: the lines below Table 1."""

from collections.abc import Iterator

from fer_bench.report import methods
from fer_bench.report._builder import content
from fer_bench.report._layout import minus
from fer_bench.report.results import BASELINE, Pair, Results, select
from fer_bench.report.significance_words import POINTS, seeds_needed
from fer_bench.report.value import Value
from fer_bench.stats import SEEDS_FROM
from fer_bench.stats.power import ALPHA, POWER

UNKNOWN = f"unknown below {SEEDS_FROM} seeds"


def build(results: Results) -> Iterator[str]:
    """One line per pair of datasets and guidance, with a number for every network of at least three seeds."""
    if BASELINE not in results.guidances:
        return
    for pair in results.pairs:
        for guidance in results.guidances:
            found = dict(_needed(results, pair, guidance)) if guidance != BASELINE else {}
            if set(found.values()) - {UNKNOWN}:
                where = f"{results.pair_label(pair)}, {results.guidance_label(guidance)}"
                told = "; ".join(f"{word}: {seeds}" for word, seeds in found.items())
                yield (
                    f"Seeds needed to see a difference of {POINTS} points of CL (paired t test at {ALPHA}, power "
                    f"{POWER}), {where}: {told}; table significance has those of CAM-COS."
                )


def _needed(results: Results, pair: Pair, guidance: str) -> Iterator[tuple[str, str]]:
    """Network -> seeds needed."""
    words = methods.model_words(results)
    for model in results.models:
        rows = select(results.of_model(pair, model), metric="accuracy", subset=("all", ""))
        after, before = (content(results, rows, pair, model, name) for name in (guidance, BASELINE))
        difference = minus(after, before)
        if isinstance(difference, Value):
            yield words[model], seeds_needed(difference, POINTS) or UNKNOWN
