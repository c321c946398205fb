"""How alike two maps are: rank correlation and cosine, of the same image or between images."""

import numpy as np
from scipy.stats import rankdata


def _ranks(maps: np.ndarray) -> np.ndarray:
    """Maps (N, h, w) -> (N, h w) centred ranks of norm 1; NaN for a constant map."""
    ranks = rankdata(maps.reshape(len(maps), -1), axis=1)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, norms, out=np.full_like(centred, np.nan), where=norms > 0)


def _directions(maps: np.ndarray) -> np.ndarray:
    """Maps (N, h, w) -> (N, h w) of norm 1; NaN for a map of zeros."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, norms, out=np.full_like(flat, np.nan), where=norms > 0)


# Spearman's rank correlation, in [-1, 1], and cosine, in [0, 1] for maps that are not negative.
LIKENESS = {"rank": _ranks, "cosine": _directions}


def pairwise(measure: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Likeness of each map of `first` to that of `second` at the same place: (N, h, w) twice -> (N,)."""
    prepare = LIKENESS[measure]
    return np.asarray((prepare(first) * prepare(second)).sum(axis=1))


def between(measure: str, maps: np.ndarray) -> np.ndarray:
    """Mean likeness of each map to those of the other images: (N, h, w) -> (N,); constant maps are left out."""
    found = LIKENESS[measure](maps)
    alike = found @ found.T
    np.fill_diagonal(alike, np.nan)
    return mean_of_known(alike)


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean of each row of (N, M) over the values that are not NaN; NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
