"""Coverage of action units by the attention, as heat tables."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fer_bench.report import labels, methods
from fer_bench.report.results import Pair, Results
from fer_bench.report.unit_coverage import Coverage, coverage

HIGHEST = 3.0  # coverage from which on the colour no longer changes
STEPS = 4  # colours on either side of 1


@dataclass(frozen=True)
class Cell:
    """A coverage: words, number of its colour from 0 to 2 STEPS (None: no value), and whether the unit is own."""

    words: str
    colour: int | None
    own: bool


@dataclass(frozen=True)
class Line:
    """The coverage of every unit by one training, or by the ideal."""

    words: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """Coverage by one model: expression -> lines."""

    name: str
    title: str
    units: tuple[str, ...]
    expressions: tuple[tuple[str, tuple[Line, ...]], ...]


def build(results: Results) -> list[Sheet]:
    """One sheet per pair of datasets and model whose coverage is known."""
    words = methods.model_words(results)
    pairs = [(pair, model, coverage(results, pair, model)) for pair in results.drawn_pairs for model in results.models]
    return [_sheet(results, pair, model, words[model], one) for pair, model, one in pairs if one is not None]


def _sheet(results: Results, pair: Pair, model: str, word: str, one: Coverage) -> Sheet:
    arms = [(results.guidance_label(arm), one.mean(arm)) for arm in one.by_seed] + [("ideal", one.ideal)]
    rows = tuple(
        (expression, tuple(Line(name, tuple(_cells(values[place], one.own[place]))) for name, values in arms))
        for place, expression in enumerate(results.expressions(pair.test_dataset))
    )
    title = f"{word}, {labels.layer(one.layer)}: {results.pair_label(pair)}"
    return Sheet(f"{pair.name}-{model}", title, tuple(one.units), rows)


def _cells(values: np.ndarray, own: np.ndarray) -> Iterator[Cell]:
    for value, is_own in zip(values.tolist(), own.tolist(), strict=True):
        yield Cell(f"{value:.2f}" if math.isfinite(value) else labels.MISSING, _colour(value), bool(is_own))


def _colour(value: float) -> int | None:
    """0 at no coverage, STEPS at 1, 2 STEPS from HIGHEST on."""
    if not math.isfinite(value):
        return None
    side = value if value <= 1 else 1 + min((value - 1) / (HIGHEST - 1), 1.0)
    return round(side * STEPS)
