"""What DVC's own tables and plots show: means over seeds, confusion matrices, scores over the weight λ of guidance."""

import json
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd

from fer_bench.report.ablations import others, representative
from fer_bench.report.collect import OK, Document
from fer_bench.report.figures_confusion import counts
from fer_bench.report.results import BASELINE, Pair, Results

CONFUSION = ("dataset", "test_dataset", "model", "guidance", "expression", "answer", "images", "percent")
WEIGHTS = ("dataset", "test_dataset", "model", "guidance", "seed", "weight", "metric", "value")
METRICS = ("accuracy", "att_cos", "cam_cos")  # headline scores of `dvc metrics show`


def summary(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Mean over seeds: score -> model (and datasets, where it is tested on another) -> guidance -> value."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for document in results.documents:
        entry = document.entry
        same = entry["dataset"] == document.test_dataset
        network = entry["model"] if same else f"{entry['model']} {entry['dataset']} on {document.test_dataset}"
        for name, value in _headlines(document).items():
            found.setdefault(name, {}).setdefault(network, {}).setdefault(entry["guidance"], []).append(value)
    return {
        name: {
            network: {arm: round(fmean(values), 4) for arm, values in arms.items()} for network, arms in rows.items()
        }
        for name, rows in found.items()
    }


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
    if entry["guidance"] not in known:
        return []
    start = (entry["dataset"], document.test_dataset, entry["model"], entry["guidance"], entry["seed"])
    return [(*start, known[entry["guidance"]], name, value) for name, value in _headlines(document).items()]


def _headlines(document: Document) -> dict[str, float]:
    content = document.content if document.status == OK and document.content else {}
    return {name: float(content[name]) for name in METRICS if content.get(name) is not None}


def write(results: Results, folder: Path) -> None:
    """Write summary.json, confusion.csv and lambda.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary(results), indent=1) + "\n", encoding="utf-8")
    for name, data in {"confusion": confusion(results), "lambda": weights(results)}.items():
        data.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
