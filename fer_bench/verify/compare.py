"""Scores of two tidy tables side by side: identical, within a tolerance, beyond it, new, gone."""

from pathlib import Path
from typing import IO

import pandas as pd

KEYS = [
    "dataset", "model", "guidance", "seed", "test_dataset",
    "explainer", "layer", "target", "pairing", "subset", "average", "metric",
]  # fmt: skip
STATUSES = ("identical", "within", "beyond", "new", "gone")
_COLUMNS = [*KEYS, "unit", "value", "n"]


def read(source: Path | IO[str]) -> pd.DataFrame:
    """Read results/GRID/metrics.csv; the keys stay text, an empty one stays empty."""
    return pd.read_csv(source, keep_default_na=False, dtype=dict.fromkeys([*KEYS, "unit"], str))


def compared(committed: pd.DataFrame, here: pd.DataFrame, tolerance: float = 0.0) -> pd.DataFrame:
    """Compare two tidy tables score by score.

    Args:
        committed: the table of the commit, columns KEYS, unit, value, n.
        here: the regenerated one.
        tolerance: in points: percentage points for scores in percent, hundredths for all others. A score whose number
            of images differs is beyond any tolerance.

    Returns:
        One row per score: the keys, `committed`, `here`, `difference`, `status` (one of STATUSES).
    """
    merged = _numbers(committed).merge(
        _numbers(here), on=KEYS, how="outer", suffixes=("_committed", "_here"), indicator=True
    )
    merged = merged.rename(columns={"value_committed": "committed", "value_here": "here"})
    merged["difference"] = merged["here"] - merged["committed"]
    merged["status"] = _status(merged, tolerance)
    return merged[[*KEYS, "committed", "here", "difference", "status"]]


def differences(found: pd.DataFrame) -> pd.DataFrame:
    """Scores of `compared` that are not identical, the largest difference first, new and gone ones before them."""
    changed = found[found["status"] != "identical"]
    order = changed["difference"].abs().sort_values(ascending=False, na_position="first", kind="stable").index
    return changed.loc[order].reset_index(drop=True)


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    missing = [column for column in ("unit", "n") if column not in table]
    table = table.assign(**dict.fromkeys(missing, ""))[_COLUMNS]
    return table.astype(dict.fromkeys([*KEYS, "unit"], str)).assign(
        value=pd.to_numeric(table["value"], errors="coerce"), n=pd.to_numeric(table["n"], errors="coerce")
    )


def _status(merged: pd.DataFrame, tolerance: float) -> pd.Series:
    def equal(left: str, right: str) -> pd.Series:
        return (merged[left] == merged[right]) | (merged[left].isna() & merged[right].isna())

    allowed = merged["unit_committed"].eq("%").map({True: tolerance, False: tolerance / 100})
    same_n = equal("n_committed", "n_here")
    status = pd.Series("beyond", index=merged.index)
    status[same_n & (merged["difference"].abs() <= allowed)] = "within"
    status[same_n & equal("committed", "here")] = "identical"
    status[merged["_merge"] == "right_only"] = "new"
    status[merged["_merge"] == "left_only"] = "gone"
    return status
