"""Table 1: classification and CAM-COS of every model and explainer, without and with guidance."""

from collections.abc import Iterator, Sequence

import pandas as pd

from fer_bench.report import labels
from fer_bench.report._builder import (
    arm_columns,
    arms,
    assemble,
    comparisons,
    hoist,
    is_chance,
    reference,
    reference_rows,
)
from fer_bench.report._guess import largest_class_share
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table, text
from fer_bench.report.value import constant

WHAT = (
    "Classification accuracy (CL) and cosine similarity of the class activation map of the true class with the action "
    "unit map of the true class (CAM-COS, mean over the expressions with a map). Chance: random smooth maps, and each "
    "explainer on the network before training."
)

UNTRAINED = "chance_untrained"


def build(results: Results) -> Table:
    """Table 1 of a grid (Belharbi et al., Table 1, with chance levels, references and ceilings)."""
    columns = [Column("Dataset"), Column("Model"), Column("Explainer"), *arm_columns(results, "CL (%)")]
    columns += [Column("untrained network", "CAM-COS"), *arm_columns(results, "CAM-COS")]
    rows = [row for pair in results.pairs for row in _pair(results, pair)]
    what = f"{WHAT} Reference map: {labels.target(results.target)}."
    return assemble(results, "table1", "Table 1: CL and CAM-COS", what, columns, rows, texts=3)


def _pair(results: Results, pair: Pair) -> list[Row]:
    return hoist({model: list(_model(results, pair, model)) for model in results.unique("model")}, model_column=1)


def _model(results: Results, pair: Pair, model: str) -> Iterator[Row]:
    frame = select(results.of_pair(pair), model=model)
    names = (results.pair_label(pair), results.model_label(model))
    block, blank = " ".join(names), [""] * len(arm_columns(results, ""))
    share = largest_class_share(results, pair)
    if share is not None:
        guess = _padded(results, [constant(share, 2)] * len(results.guidances))
        yield Row((*names, "chance: always the largest class", *guess, "", *blank), block, quiet=True)
    references = [
        (suffix, Row((*names, word, *blank, "", *_padded(results, cells)), block, quiet=True))
        for suffix, word, cells in cam_references(results, frame)
    ]
    yield from (row for suffix, row in references if is_chance(suffix))
    for explainer in _explainers(results, frame):
        yield Row((*names, labels.explainer(explainer), *_scores(results, frame, pair, model, explainer)), block)
    yield from (row for suffix, row in references if not is_chance(suffix))


def _padded(results: Results, cells: Sequence[Content]) -> list[Content]:
    """Cells per guidance, blank below the differences."""
    return [*cells, *[""] * len(comparisons(results))]


def _explainers(results: Results, frame: pd.DataFrame) -> list[str]:
    """Explainers of a model; all of them when nothing of the model is there, so that the gap is seen."""
    scored = set(select(frame, metric="cam_cos")["explainer"])
    return [name for name in results.explainers if name in scored or frame.empty] or [""]


def _scores(results: Results, frame: pd.DataFrame, pair: Pair, model: str, explainer: str) -> list[Content]:
    accuracy = select(frame, metric="accuracy", subset=("all", ""))
    own = select(frame, explainer=explainer, target=results.target, subset="all")
    cosine = cosine_rows(own, "cam_cos", pairing="true_true")
    untrained = cosine_rows(own, f"cam_cos_{UNTRAINED}")
    return [
        *arms(results, accuracy, pair, model, digits=2, contest=f"{pair.name} CL"),
        reference(results, untrained[untrained["guidance"] == untrained["guidance"].min()]),
        *arms(results, cosine, pair, model, contest=f"{pair.name} {explainer}"),
    ]


def cam_references(results: Results, frame: pd.DataFrame) -> Iterator[tuple[str, str, list[Content]]]:
    """References as (suffix, words, cells per guidance); explainers with the same numbers share a line."""
    for suffix, rows in reference_rows(frame, "cam_cos", results.target).items():
        if suffix == UNTRAINED:
            continue  # differs from explainer to explainer, so it is a column
        shared: dict[tuple[str, ...], list[str]] = {}
        cells: dict[tuple[str, ...], list[Content]] = {}
        for explainer in [name for name in ("", *results.explainers) if name in set(rows["explainer"])]:
            own = select(rows, explainer=explainer)
            found = [reference(results, select(own, guidance=name)) for name in results.guidances]
            key = tuple(text(item) for item in found)
            shared.setdefault(key, []).append(explainer)
            cells[key] = found
        for key, explainers in shared.items():
            of = f" ({', '.join(map(labels.explainer, explainers))})" if len(shared) > 1 else ""
            yield suffix, labels.reference(suffix) + of, cells[key]
