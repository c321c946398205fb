"""Do networks that differ in the seed alone look at the same places? Rank correlation of their maps of an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

FILE = "sample_maps.npz"
NAMES = ("ids", "labels")  # arrays of the file that are no maps


@dataclass(frozen=True)
class Stability:
    """Mean rank correlations of maps across pairs of seeds.

    same: of the same image. same_expression: of another image of the same expression. other: of any other image.
    """

    same: float
    same_expression: float
    other: float


@cache
def sampled(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a file of sample maps."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def directions(maps: np.ndarray) -> np.ndarray:
    """Ranks of each map's cells (ties shared), centred, of length 1: products of two rows are Spearman's correlation.

    A constant map has no ranking; it becomes zeros and correlates 0 with everything.

    Args:
        maps: (M, h, w).

    Returns:
        (M, h * w).
    """
    ranks = rankdata(maps.reshape(len(maps), -1), axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    return np.asarray(np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0))


def stability(by_seed: Mapping[int, np.ndarray], labels: np.ndarray) -> Stability | None:
    """Correlate the maps of every pair of seeds; None with fewer than two.

    Args:
        by_seed: seed -> (M, h, w), the same images in the same order.
        labels: (M,) their expressions.
    """
    if len(by_seed) < 2:
        return None
    ranked = [directions(by_seed[seed]) for seed in sorted(by_seed)]
    every = np.mean([one @ other.T for one, other in combinations(ranked, 2)], axis=0)
    return Stability(*(_mean(every[chosen]) for chosen in _choices(labels)))


def _choices(labels: np.ndarray) -> Sequence[np.ndarray]:
    """(M, M) masks: the same image, another one of its expression, any other one."""
    same = np.eye(len(labels), dtype=bool)
    return same, (labels[:, None] == labels) & ~same, ~same


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
