"""Compare regenerated numbers with the committed ones."""

import io
import subprocess
from pathlib import Path

import pandas as pd

from fer_bench.errors import InputError

KEYS = [
    "dataset", "model", "guidance", "seed", "test_dataset",
    "explainer", "layer", "target", "pairing", "subset", "average", "metric",
]  # fmt: skip


def committed(path: Path, root: Path = Path()) -> pd.DataFrame:
    """Read a CSV as the last commit has it."""
    result = subprocess.run(
        ["git", "show", f"HEAD:./{path.as_posix()}"], cwd=root, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise InputError(f"{path}: not in the last commit, so there is nothing to compare with")
    return pd.read_csv(io.StringIO(result.stdout), keep_default_na=False, dtype=dict.fromkeys(KEYS, str))


def differences(path: Path, root: Path = Path()) -> pd.DataFrame:
    """Compare results/GRID/metrics.csv with the committed one.

    Returns:
        One row per score that is new, gone or different: the keys, `committed`, `here` and `difference`.
    """
    if not (root / path).is_file():
        raise InputError(f"{path}: no such file; `dvc repro` makes it")
    here = pd.read_csv(root / path, keep_default_na=False, dtype=dict.fromkeys(KEYS, str))
    merged = committed(path, root)[[*KEYS, "value"]].merge(
        here[[*KEYS, "value"]], on=KEYS, how="outer", suffixes=("_committed", "_here")
    )
    merged = merged.rename(columns={"value_committed": "committed", "value_here": "here"})
    for column in ("committed", "here"):
        merged[column] = pd.to_numeric(merged[column], errors="coerce")
    merged["difference"] = merged["here"] - merged["committed"]
    same = (merged["committed"] == merged["here"]) | (merged["committed"].isna() & merged["here"].isna())
    return merged[~same].reset_index(drop=True)
