"""Which action units the attention of the last layer visits, per expression."""

from collections.abc import Iterator, Mapping

import numpy as np

from fer_bench.report import labels, methods
from fer_bench.report._builder import assemble
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.unit_coverage import Coverage, coverage
from fer_bench.report.value import Value, constant

TEXTS = ("Dataset", "Network", "Method", "Expression", "Own units")
OWN, OTHER = "own units", "other units"


def build(results: Results) -> Table | None:
    """One line per expression and training; None when no cell has a coverage."""
    found = list(_found(results))
    if not found:
        return None
    what = (
        "Coverage of the region of each action unit by the attention of the last layer: mean of the attention in the "
        f"region over its mean in the whole face ({labels.target(results.target)}). 1: as much as an even spread over "
        "the face puts there. Units that are drawn alike share a column; own units are those of the expression's "
        "codebook. Ideal: the action unit map itself at the grid of the attention."
    )
    units = list(dict.fromkeys(unit for *_, one in found for unit in one.units))
    columns = [*map(Column, (*TEXTS, TRAINING)), Column(OWN), Column(OTHER), *(Column(f"AU {unit}") for unit in units)]
    rows = [row for pair, head, one in found for row in _rows(results, pair, head, one, units)]
    return assemble(results, "coverage", "Coverage of action units", what, columns, rows, len(TEXTS) + 1, ("Method",))


def _found(results: Results) -> Iterator[tuple[Pair, tuple[str, str, str], Coverage]]:
    for pair in results.pairs:
        for network in methods.networks(results):
            for model in network.models:
                one = coverage(results, pair, model)
                if one is not None:
                    words = (results.pair_label(pair), network.label, methods.training_word(results, model))
                    yield pair, words, one


def _rows(results: Results, pair: Pair, head: tuple[str, str, str], one: Coverage, units: list[str]) -> Iterator[Row]:
    for place, expression in enumerate(results.expressions(pair.test_dataset)):
        own = one.own[place]
        listed = "; ".join(unit for unit, wanted in zip(one.units, own, strict=True) if wanted)
        words = (*head, expression, listed or labels.MISSING)
        ideal: list[Content] = [
            constant(value, 2) if np.isfinite(value) else ""
            for value in _cells(one.ideal[place], own, one.units, units)
        ]
        yield Row((*words, "ideal", *ideal), " ".join(words), quiet=True)
        arms = {arm: _values(results, seeds, place, own, one.units, units) for arm, seeds in one.by_seed.items()}
        for arm, cells in arms.items():
            yield Row((*words, results.guidance_label(arm), *cells), " ".join(words))
        for title, arm in comparisons(results):
            if {arm, BASELINE} <= set(arms):
                both = zip(arms[arm], arms[BASELINE], strict=True)
                yield Row((*words, title, *(minus(after, before) for after, before in both)), " ".join(words))


def _values(
    results: Results, seeds: Mapping[int, np.ndarray], place: int, own: np.ndarray, names: list[str], units: list[str]
) -> list[Content]:
    cells = {seed: _cells(array[place], own, names, units) for seed, array in sorted(seeds.items())}
    columns = [{s: float(line[c]) for s, line in cells.items() if np.isfinite(line[c])} for c in range(len(units) + 2)]
    return [Value(by_seed, len(results.seeds), 2) if by_seed else "" for by_seed in columns]


def _cells(line: np.ndarray, own: np.ndarray, names: list[str], units: list[str]) -> list[float]:
    """Mean over own units, over the others, then every unit's own coverage; NaN where there is none."""
    known = dict(zip(names, line.tolist(), strict=True))
    means = [float(np.mean(line[chosen])) if chosen.any() else float("nan") for chosen in (own, ~own)]
    return [*means, *(known.get(unit, float("nan")) for unit in units)]
