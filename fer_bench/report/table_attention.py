"""Table 2: ATT-COS of every layer, without and with guidance."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import labels
from fer_bench.report._builder import (
    assemble,
    comparisons,
    content,
    hoist,
    is_chance,
    minus,
    reference,
    reference_rows,
)
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table, text

WHAT = (
    "Cosine similarity of a layer's attention (mean over its channels) with the action unit map of the true "
    "class (ATT-COS, mean over the expressions with a map), per layer. All maps are non-negative, so chance is high."
)


def build(results: Results) -> Table:
    """Table 2 of a grid (Belharbi et al., Table 2, for every layer)."""
    columns = [Column("Dataset"), Column("Model"), Column("Training")]
    columns += [Column(labels.layer(name), "ATT-COS") for name in results.layers]
    rows = [row for pair in results.pairs for row in _pair(results, pair)]
    what = f"{WHAT} Reference map: {labels.target(results.target)}."
    return assemble(results, "table2", "Table 2: ATT-COS per layer", what, columns, rows, texts=3)


def _pair(results: Results, pair: Pair) -> list[Row]:
    return hoist({model: list(_model(results, pair, model)) for model in results.unique("model")}, model_column=1)


def _model(results: Results, pair: Pair, model: str) -> Iterator[Row]:
    frame = select(results.of_pair(pair), model=model)
    names = (results.pair_label(pair), results.model_label(model))
    block = " ".join(names)
    references = list(_references(results, frame))
    yield from (Row((*names, word, *cells), block, True) for chance, word, cells in references if chance)
    scores = {name: _scores(results, frame, pair, model, name) for name in results.guidances}
    for name, cells in scores.items():
        yield Row((*names, labels.guidance(name), *cells), block)
    for title, name in comparisons(results):
        cells = [minus(after, before) for after, before in zip(scores[name], scores[BASELINE], strict=True)]
        yield Row((*names, title, *cells), block)
    yield from (Row((*names, word, *cells), block, True) for chance, word, cells in references if not chance)


def _scores(results: Results, frame: pd.DataFrame, pair: Pair, model: str, guidance: str) -> list[Content]:
    rows = cosine_rows(frame, "att_cos", target=results.target, pairing="true_true", subset="all")

    def cell(layer: str) -> Content:
        contest = f"{pair.name} {model} {layer}"  # the offset of the maps differs from model to model
        return content(results, select(rows, layer=layer), pair, model, guidance, contest=contest)

    return [cell(layer) for layer in results.layers]


def _references(results: Results, frame: pd.DataFrame) -> Iterator[tuple[bool, str, list[Content]]]:
    """One line per reference; one per guidance where the guidance makes a difference."""
    for suffix, rows in reference_rows(frame, "att_cos", results.target).items():
        arms = {name: _reference(results, select(rows, guidance=name)) for name in results.guidances}
        arms = {name: cells for name, cells in arms.items() if any(cells)}
        distinct = {tuple(text(cell) for cell in cells) for cells in arms.values()}
        for name, cells in list(arms.items())[: 1 if len(distinct) == 1 else None]:
            suffix_word = "" if len(distinct) == 1 else f", {labels.guidance(name)}"
            yield is_chance(suffix), labels.reference(suffix) + suffix_word, cells


def _reference(results: Results, rows: pd.DataFrame) -> list[Content]:
    """Contents per layer; a reference that names no layer holds for all of them."""
    cells: list[Content] = []
    for layer in results.layers:
        own = select(rows, layer=(layer, ""))
        cells.append(reference(results, own))
    return cells
