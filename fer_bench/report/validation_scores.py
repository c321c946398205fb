"""The validation score of a cell's kept weights, and the setting that it chooses among several."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.report.collect import Document
from fer_bench.report.results import Pair, Results
from fer_bench.report.value import Value

Name = TypeVar("Name")

# What a cell says of its selection rule -> column of its history. A last epoch is kept unseen, and judged by accuracy.
SCORES = {
    "best accuracy on the val split": "val_accuracy",
    "best macro f1 on the val split": "val_macro_f1",
    "last epoch": "val_accuracy",
}
PRECISION = 1e-4  # points; histories hold six digits, so closer means over the seeds are equal


def over_seeds(results: Results, pair: Pair, model: str, guidance: str) -> Value:
    """Validation score of the epoch whose weights were kept, per seed.

    Raises:
        InputError: a cell that names no such score, by its rule or in its history.
    """
    scores = {document.entry["seed"]: _score(document) for document in results.found(pair, model, guidance)}
    return Value(scores, len(results.seeds), digits=2)


def best(found: Mapping[Name, Value]) -> Name | None:
    """The one with the highest mean over seeds; of equal ones the first; None while a seed is missing."""
    if any(value.n < value.expected for value in found.values()):
        return None
    highest = max(value.mean for value in found.values())
    return next(name for name, value in found.items() if value.mean >= highest - PRECISION)


def _score(document: Document) -> float:
    cell, rule = document.entry["cell"], str(document.facts.get("selection", ""))
    if rule not in SCORES:
        raise InputError(
            f"{cell}: selection rule {rule!r} names no validation score; to choose by one takes {', '.join(SCORES)}"
        )
    path = document.files.get("history.csv")
    if path is None:
        raise InputError(f"{cell}: its scores name no history.csv, which chooses; run `dvc repro evaluate`")
    return _kept(path, SCORES[rule], cell)


def _kept(path: Path, column: str, cell: str) -> float:
    history = pd.read_csv(path)
    absent = sorted({"best", column} - set(history))
    if absent:
        raise InputError(f"{cell}: history.csv has no column {absent[0]!r}; run `dvc repro train`")
    kept = history.loc[history["best"] == 1, column]
    if len(kept) != 1 or kept.isna().any():
        raise InputError(
            f"{cell}: history.csv marks {len(kept)} epochs with a {column} as kept, expected one; run `dvc repro train`"
        )
    return float(kept.iloc[0])
