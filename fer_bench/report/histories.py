"""Epoch histories of a grid's cells as one long table."""

import pandas as pd

from fer_bench.report.results import Results

FIRST = ("cell", "dataset", "model", "guidance", "seed", "epoch")


def curves(results: Results) -> pd.DataFrame:
    """Stack the histories of all cells: the columns FIRST, then every column that any history has."""
    parts: list[pd.DataFrame] = []
    for document in results.documents:
        path = document.files.get("history.csv")
        if path is None or any(part["cell"].iloc[0] == document.entry["cell"] for part in parts):
            continue  # a cell that is scored on several test datasets was trained once
        history = pd.read_csv(path)
        for key in reversed(FIRST[:-1]):
            history.insert(0, key, document.entry[key])
        parts.append(history)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(FIRST))
