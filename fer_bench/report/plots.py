"""Data of DVC's own plots, as long tables: confusion matrices, and scores over the weight λ of the guidance."""

import numpy as np
import pandas as pd

from fer_bench.report.ablations import others, representative
from fer_bench.report.collect import OK, Document
from fer_bench.report.figures_confusion import counts
from fer_bench.report.results import BASELINE, Pair, Results

CONFUSION = ("dataset", "test_dataset", "model", "guidance", "expression", "answer", "images", "percent")
WEIGHTS = ("dataset", "test_dataset", "model", "guidance", "seed", "weight", "metric", "value")
METRICS = ("accuracy", "att_cos", "cam_cos")  # headline scores of `dvc metrics show`


def confusion(results: Results) -> pd.DataFrame:
    """Answers to every expression, columns CONFUSION: images, mean over seeds, and percent of the true expression."""
    rows = [
        row
        for pair in results.drawn_pairs
        for model in results.models
        for guidance in results.guidances
        for row in _matrix(results, pair, model, guidance)
    ]
    return pd.DataFrame(rows, columns=list(CONFUSION))


def _matrix(results: Results, pair: Pair, model: str, guidance: str) -> list[tuple[object, ...]]:
    found = [matrix for document in results.found(pair, model, guidance) for matrix in counts(results, document)]
    if not found:
        return []
    names, mean = results.expressions(pair.test_dataset), np.mean(found, axis=0)
    percent = 100 * mean / np.maximum(mean.sum(axis=1, keepdims=True), 1)
    start = (pair.dataset, pair.test_dataset, model, guidance)
    return [
        (*start, true, answer, round(float(mean[i, j]), 4), round(float(percent[i, j]), 4))
        for i, true in enumerate(names)
        for j, answer in enumerate(names)
    ]


def weights(results: Results) -> pd.DataFrame:
    """Headline scores of every training over its λ, columns WEIGHTS.

    λ = 0 is training without guidance; the others are the guidances that differ from the grid's `au` in λ alone.
    """
    known = _weights(results)
    rows = [row for document in results.documents for row in _scores(document, known)]
    return pd.DataFrame(rows, columns=list(WEIGHTS))


def _weights(results: Results) -> dict[str, float]:
    """Guidance -> λ."""
    settings = {name: {"plugin": name, **results.plan["guidance"].get(name, {})} for name in results.all_guidances}
    weighted = {name: given for name, given in settings.items() if "weight" in given}
    found = {BASELINE: 0.0} if BASELINE in settings else {}
    if weighted:
        family = others(weighted[representative(weighted, results.all_guidances)], "weight")
        found |= {name: float(given["weight"]) for name, given in weighted.items() if others(given, "weight") == family}
    return found


def _scores(document: Document, known: dict[str, float]) -> list[tuple[object, ...]]:
    entry = document.entry
    if document.status != OK or document.content is None or entry["guidance"] not in known:
        return []
    start = (entry["dataset"], document.test_dataset, entry["model"], entry["guidance"], entry["seed"])
    values = {name: document.content.get(name) for name in METRICS}
    return [(*start, known[entry["guidance"]], name, value) for name, value in values.items() if value is not None]
