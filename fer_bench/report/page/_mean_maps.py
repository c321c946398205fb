"""Mean maps of every expression as a table of small pictures, one colour scale per row."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fer_bench.report import mean_maps, methods
from fer_bench.report.mean_maps import Line
from fer_bench.report.page._images import Picture, heat_map, where
from fer_bench.report.results import Pair, Results
from fer_bench.report.value import MINUS


@dataclass(frozen=True)
class Row:
    """A row: whose maps, smallest and largest value, and a picture per expression, None where there is no map."""

    words: str
    scale: str
    pictures: tuple[Picture | None, ...]


@dataclass(frozen=True)
class Sheet:
    """Mean maps on a pair of datasets: blocks of rows that belong together."""

    name: str
    title: str
    expressions: tuple[str, ...]
    blocks: tuple[tuple[Row, ...], ...]


def build(results: Results) -> list[Sheet]:
    """A sheet of attention per pair of datasets, and one of activation maps per pair and network, if there are any."""
    return [sheet for pair in results.drawn_pairs for sheet in _sheets(results, pair) if sheet.blocks]


def _sheets(results: Results, pair: Pair) -> Iterator[Sheet]:
    layer = mean_maps.alignment_layer(results)
    yield _sheet(results, pair, "attention", f"Attention, layer {layer}", mean_maps.attention(results, pair))
    for network in methods.networks(results):
        kind, title = f"activation-{network.models[0]}", f"Class activation maps, {network.label}"
        yield _sheet(results, pair, kind, title, mean_maps.activation(results, pair, network))


def _sheet(results: Results, pair: Pair, kind: str, title: str, blocks: list[list[Line]]) -> Sheet:
    expressions = results.expressions(pair.test_dataset)
    shown = sorted(name for name in expressions if name != "neutral")
    filled = [block for block in blocks if block]
    target = [mean_maps.target(results, pair)] if filled else []
    made = tuple(tuple(_row(line, expressions, shown) for line in block) for block in [*target, *filled] if block)
    words = f"{title}: {results.pair_label(pair)}"
    return Sheet(f"{kind}-{pair.name}", words, tuple(shown), made)


def _row(line: Line, expressions: list[str], shown: list[str]) -> Row:
    maps = {name: line.maps[expressions.index(name)] for name in shown}
    finite = [values for values in maps.values() if np.isfinite(values).all()]
    words = " ".join(line.word.split())
    if not finite:
        return Row(words, "", (None,) * len(shown))
    limits = min(float(m.min()) for m in finite), max(float(m.max()) for m in finite)
    pictures = tuple(
        heat_map(values, f"{words}, {name}: {where(values)}", limits) if np.isfinite(values).all() else None
        for name, values in maps.items()
    )
    return Row(words, f"{limits[0]:.2g} to {limits[1]:.2g}".replace("-", MINUS), pictures)
