"""A validation split taken from train: stratified, whole subjects, near-duplicates on one side."""

from hashlib import sha256

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer_bench.errors import InputError


def validation_split(
    frame: pd.DataFrame,
    fraction: float,
    seed: int,
    per_class: int | None = None,
    groups: np.ndarray | None = None,
) -> pd.Series:
    """Move a part of train to val, and return the split of every row.

    Each label gives `fraction` of its train rows (at least one where it has two or more), or exactly `per_class`;
    rows that share a subject or a number in `groups` (N,), for instance near-duplicates, move together, so
    the counts are then met as closely as whole groups allow. The choice hangs on ids and seed, not on row order.

    Args:
        frame: columns id, label, split, subject (empty where unknown).
        fraction: of the train rows of each label, 0 <= fraction < 1; 0 moves nothing.
        seed: another seed, another choice.
        per_class: rows to move per label instead of a fraction.
        groups: a number per row; equal numbers are never separated.

    Raises:
        InputError: `fraction` out of range, or `per_class` would leave a label without train rows.
    """
    train = frame["split"].to_numpy() == "train"
    if not train.any():
        return frame["split"].copy()
    counts, targets = _targets(frame["label"][train], fraction, per_class)
    units = _units(frame[train], None if groups is None else np.asarray(groups)[train])
    moved = _choose(frame[train], units, counts, targets, seed)
    split = frame["split"].copy()
    split[frame.index[train][moved]] = "val"
    return split


def _targets(labels: pd.Series, fraction: float, per_class: int | None) -> tuple[dict[str, int], dict[str, int]]:
    if not 0 <= fraction < 1:
        raise InputError(f"val_fraction {fraction} is not a part of train; 0 <= val_fraction < 1 would work")
    counts = {str(label): int(count) for label, count in labels.value_counts().items()}
    if per_class is None:
        least = 1 if fraction else 0
        return counts, {k: min(max(least, round(fraction * n)), n - 1) for k, n in counts.items()}
    small = sorted(label for label, count in counts.items() if count <= per_class)
    if small:
        listed = ", ".join(f"{label} ({counts[label]})" for label in small)
        raise InputError(f"val_per_class {per_class} would leave nothing to train on for: {listed}")
    return counts, dict.fromkeys(counts, per_class)


def _units(train: pd.DataFrame, groups: np.ndarray | None) -> np.ndarray:
    """Number the sets of rows that must stay together: chains of equal subject or equal group."""
    subject = train["subject"].where(train["subject"] != "", "row " + train["id"])
    keys = [pd.factorize(key)[0] for key in (subject, train["id"] if groups is None else groups)]
    rows = np.arange(len(train))
    # a graph of rows and keys: what is connected through any key belongs together
    starts, ends = np.tile(rows, 2), len(rows) + np.concatenate([keys[0], len(rows) + keys[1]])
    links = coo_array((np.ones(len(starts), bool), (starts, ends)), shape=(3 * len(rows), 3 * len(rows)))
    return connected_components(links, directed=False)[1][: len(rows)]


def _choose(
    train: pd.DataFrame, units: np.ndarray, counts: dict[str, int], targets: dict[str, int], seed: int
) -> np.ndarray:
    """Walk over the units in a shuffled order and take each that brings the counts nearer to their targets."""
    labels = sorted(counts)
    table = pd.crosstab(units, train["label"].to_numpy()).reindex(columns=labels, fill_value=0).to_numpy()
    total, target = np.array([counts[k] for k in labels]), np.array([targets[k] for k in labels])
    weight = 1 / np.maximum(target, 1)
    taken = np.zeros_like(total)
    chosen: list[int] = []
    for unit in _shuffled(train["id"].to_numpy(), units, seed):
        after = taken + table[unit]
        nearer = weight @ np.abs(after - target) < weight @ np.abs(taken - target)
        if nearer and (after < total)[table[unit] > 0].all():
            taken, chosen = after, [*chosen, unit]
    return np.isin(units, chosen)


def _shuffled(ids: np.ndarray, units: np.ndarray, seed: int) -> list[int]:
    """Order the units by a hash of the seed and their smallest id, whatever the order of the rows."""
    names = pd.Series(ids).groupby(units).min()
    return sorted(names.index, key=lambda unit: sha256(f"{seed}/{names[unit]}".encode()).digest())
