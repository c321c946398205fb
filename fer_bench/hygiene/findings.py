"""What is found in a dataset: duplicates, leaks between splits, label conflicts, class balance, absent landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.hygiene.relation import Relation, identical, near_identical, same_subject

LISTED = ["id", "path", "label", "split", "subject"]


@dataclass(frozen=True)
class Findings:
    """Facts of a dataset and the lists behind them.

    facts: split -> counts of images (see `find`). lists: name -> rows of the index that a fact counts.
    """

    facts: dict[str, dict[str, Any]]
    lists: dict[str, pd.DataFrame]


def find(
    index: pd.DataFrame, hashes: np.ndarray, located: np.ndarray, expressions: Sequence[str], distance: int
) -> Findings:
    """Look at a dataset.

    Args:
        index: columns id, path, label, split, subject ("" where unknown) and sha256; N rows.
        hashes: (N, 2) uint64, pHash and dHash of every image.
        located: (N,) bool, whether the face has landmarks.
        expressions: every label, in their order.
        distance: bits that may differ in each hash of near-identical images.

    Returns:
        Per split: images; subjects and images without one; identical, near: images with such a copy anywhere;
        identical_leaks, near_leaks, subject_leaks: images that share it with another split; conflicts,
        near_conflicts: images whose copy has another label; classes: expression -> images; no_landmarks:
        expression -> images without landmarks. Lists: identical, near_identical (every image with a copy),
        shared_subjects (images of subjects in several splits), without_landmarks.
    """
    same = identical(index["sha256"])
    near = near_identical(hashes, index["sha256"], distance)
    subject = same_subject(index["subject"])
    marks = pd.DataFrame(
        {
            "identical": same.any(),
            "identical_leaks": same.across(index["split"]),
            "near": near.any(),
            "near_leaks": near.across(index["split"]),
            "subject_leaks": subject.across(index["split"]),
            "conflicts": same.across(index["label"]),
            "near_conflicts": near.across(index["label"]),
        },
        index=index.index,
    )
    rows = {str(name): (index["split"] == name).to_numpy() for name in index["split"].unique()}
    facts = {split: _facts(index[own], marks[own], located[own], expressions) for split, own in rows.items()}
    lists = {
        "identical": _groups(index, same, marks["identical_leaks"], marks["conflicts"]),
        "near_identical": _groups(index, near, marks["near_leaks"], marks["near_conflicts"]),
        "shared_subjects": index.loc[marks["subject_leaks"], LISTED].sort_values(["subject", "id"]),
        "without_landmarks": index.loc[~located, LISTED],
    }
    return Findings(facts, lists)


def _facts(rows: pd.DataFrame, marks: pd.DataFrame, located: np.ndarray, expressions: Sequence[str]) -> dict[str, Any]:
    """Count one split."""
    named = rows["subject"][rows["subject"] != ""]
    return {
        "images": len(rows),
        "subjects": int(named.nunique()),
        "without_subject": len(rows) - len(named),
        **{str(name): int(count) for name, count in marks.sum().items()},
        "classes": _per_class(rows["label"], expressions),
        "no_landmarks": _per_class(rows["label"][~located], expressions),
    }


def _per_class(labels: pd.Series, expressions: Sequence[str]) -> dict[str, int]:
    return {name: int((labels == name).sum()) for name in expressions}


def _groups(index: pd.DataFrame, relation: Relation, leak: pd.Series, conflict: pd.Series) -> pd.DataFrame:
    """List images that have a copy, chain by chain in the order of the ids."""
    rows = index[LISTED].assign(leak=leak, conflict=conflict, chain=relation.chains())[relation.any()]
    rows = rows.sort_values("id")
    rows.insert(0, "group", pd.factorize(rows["chain"])[0])
    return rows.drop(columns="chain").sort_values(["group", "id"])
