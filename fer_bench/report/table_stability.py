"""Rank correlation of maps across seeds, beside that of maps of other images."""

from collections.abc import Iterator

import numpy as np

from fer_bench.report import labels, methods
from fer_bench.report._builder import assemble
from fer_bench.report._layout import TRAINING, comparisons
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.stability import FILE, NAMES, Stability, sampled, stability
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value

TEXTS = ("Dataset", "Network", "Method", "Map", TRAINING)
HEADINGS = ("same image", "another image, same expression", "another image", "same image above another image")


def build(results: Results) -> Table | None:
    """One line per map and training; None with fewer than two seeds or without saved maps."""
    rows = [row for pair in results.pairs for row in _pair(results, pair)]
    if not rows:
        return None
    what = (
        "Stability: Spearman's rank correlation of the maps that networks of two seeds make of the same image, mean "
        "over all pairs of seeds and a fixed sample of test images. Pairs of seeds share networks, so no ± is given. "
        "Chance: the same for two different images; what lies above it is about the image, not about faces in general."
    )
    columns = [*map(Column, TEXTS), *map(Column, HEADINGS)]
    return assemble(results, "stability", "Stability across seeds", what, columns, rows, len(TEXTS), ("Method",))


def _pair(results: Results, pair: Pair) -> Iterator[Row]:
    for network in methods.networks(results):
        for model in network.models:
            arms = {arm: _arm(results, pair, model, arm) for arm in results.guidances}
            keys = sorted({key for found in arms.values() for key in found}, key=_order)
            for key in keys:
                words = (results.pair_label(pair), network.label, methods.training_word(results, model), _word(key))
                block = " ".join(words)
                found = {arm: one[key] for arm, one in arms.items() if key in one}
                for arm, one in found.items():
                    yield Row((*words, results.guidance_label(arm), *_cells(one)), block)
                for title, arm in comparisons(results):
                    if {arm, BASELINE} <= set(found):
                        yield Row((*words, title, *_difference(found[arm], found[BASELINE])), block)


def _arm(results: Results, pair: Pair, model: str, guidance: str) -> dict[str, Stability]:
    """Map -> stability over the seeds of a training."""
    documents = [d for d in results.found(pair, model, guidance) if FILE in d.files]
    files = {int(d.entry["seed"]): sampled(d.files[FILE]) for d in documents}
    if len({tuple(file["ids"].tolist()) for file in files.values()}) != 1:
        return {}
    first = next(iter(files.values()))
    found = {}
    for key in (name for name in first if name not in NAMES):
        maps = {seed: file[key].astype(np.float64) for seed, file in files.items() if key in file}
        one = stability(maps, first["labels"])
        if one is not None:
            found[key] = one
    return found


def _numbers(one: Stability) -> tuple[float, ...]:
    return one.same, one.same_expression, one.other, one.same - one.other


def _cells(one: Stability) -> list[Content]:
    return [_value(number) for number in _numbers(one)]


def _difference(after: Stability, before: Stability) -> list[Content]:
    pairs = zip(_numbers(after), _numbers(before), strict=True)
    return [_value(new - old, signed=True) for new, old in pairs]


def _value(number: float, signed: bool = False) -> Content:
    """A number of pairs of seeds, which has neither a deviation nor a number of seeds of its own."""
    return Value({0: number}, 1, 3, signed) if np.isfinite(number) else ""


def _order(key: str) -> tuple[bool, str]:
    return not key.startswith("att."), key


def _word(key: str) -> str:
    kind, name = key.split(".", 1)
    return f"attention, {labels.layer(name)}" if kind == "att" else labels.explainer(name)
