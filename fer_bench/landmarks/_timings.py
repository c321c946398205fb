"""How often each step of a backend was tried, how often it found the face, and what it cost."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.landmarks._journal import Entry


def summarise(entries: Sequence[Entry], steps: Sequence[str]) -> pd.DataFrame:
    """Build one row per step in the order tried, then `all`.

    Returns:
        step; tried, found: images; yield: found / tried; seconds: in total; ms_per_image: of those tried.
        The row `read` is decoding; its `found` counts the images that could be decoded.
    """
    rows = []
    for step in ("read", *steps):
        tried = [entry for entry in entries if step in entry.seconds]
        if tried:
            found = sum(_found(entry, step) for entry in tried)
            rows.append(_row(step, len(tried), found, sum(entry.seconds[step] for entry in tried)))
    with_points = sum(bool(np.isfinite(entry.detection.points).all()) for entry in entries)
    rows.append(_row("all", len(entries), with_points, sum(sum(entry.seconds.values()) for entry in entries)))
    return pd.DataFrame(rows)


def _found(entry: Entry, step: str) -> bool:
    if step == "read":
        return len(entry.seconds) > 1 or entry.detection.status != "error"
    return entry.detection.step == step


def _row(step: str, tried: int, found: int, seconds: float) -> dict[str, object]:
    share, cost = (found / tried, 1000 * seconds / tried) if tried else (0.0, 0.0)
    return {
        "step": step,
        "tried": tried,
        "found": found,
        "yield": round(share, 4),
        "seconds": round(seconds, 3),
        "ms_per_image": round(cost, 2),
    }


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the summary as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")
