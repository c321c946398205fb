"""Which images of a dataset belong together: identical files, near-identical images, faces of one subject."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer_bench.hygiene.search import pairs_within


@dataclass(frozen=True)
class Relation:
    """Partners of every image, held by group, so that a thousand equal images need no million pairs.

    group: (N,) int, group of each image. links: (M, 2) int, further pairs of groups that belong together.
    apart: (N,) int; images of one number are no partners of one another (each image has its own number, or those of
    one content have).
    """

    group: np.ndarray
    links: np.ndarray
    apart: np.ndarray

    def partners(self, values: pd.Series) -> np.ndarray:
        """Count each image's partners by value: values (N,) -> (N, V), V distinct values in sorted order."""
        codes, words = pd.factorize(values, sort=True)
        table = _table(self.group, codes, len(words))
        linked = table.copy()
        np.add.at(linked, self.links[:, 0], table[self.links[:, 1]])
        np.add.at(linked, self.links[:, 1], table[self.links[:, 0]])
        return linked[self.group] - _table(self.apart, codes, len(words))[self.apart]

    def any(self) -> np.ndarray:
        """Tell which images (N,) have a partner."""
        return self.partners(pd.Series(np.zeros(len(self.group)))).sum(axis=1) > 0

    def across(self, values: pd.Series) -> np.ndarray:
        """Tell which images (N,) have a partner of another value."""
        counts = self.partners(values)
        own = np.take_along_axis(counts, pd.factorize(values, sort=True)[0][:, None], axis=1)[:, 0]
        return counts.sum(axis=1) > own

    def chains(self) -> np.ndarray:
        """Number the chains of partners: (N,) int, equal for images of one chain."""
        count = int(self.group.max(initial=-1)) + 1
        ones = np.ones(len(self.links), dtype=bool)
        graph = coo_array((ones, (self.links[:, 0], self.links[:, 1])), shape=(count, count))
        return connected_components(graph, directed=False)[1][self.group] if count else self.group


def identical(sha256: pd.Series) -> Relation:
    """Relate files of the same bytes."""
    return Relation(pd.factorize(sha256)[0], _no_links(), np.arange(len(sha256)))


def near_identical(hashes: np.ndarray, sha256: pd.Series, distance: int) -> Relation:
    """Relate images that look alike and are not the same file.

    Args:
        hashes: (N, 2) uint64, a pHash and a dHash per image.
        sha256: (N,) of the files.
        distance: bits that may differ in each of the two.
    """
    known, group = np.unique(hashes.reshape(-1, 2), axis=0, return_inverse=True)
    links = pairs_within(known[:, 0], distance)
    near = np.bitwise_count(known[links[:, 0], 1] ^ known[links[:, 1], 1]) <= distance
    return Relation(group.reshape(-1), links[near], pd.factorize(sha256)[0])


def same_subject(subjects: pd.Series) -> Relation:
    """Relate faces of one subject; one without a name has no partners."""
    unnamed = (subjects == "").to_numpy()
    group = pd.factorize(subjects)[0]
    group[unnamed] = len(group) + np.arange(unnamed.sum())
    return Relation(pd.factorize(group)[0], _no_links(), np.arange(len(group)))


def _no_links() -> np.ndarray:
    return np.empty((0, 2), dtype=np.int64)


def _table(group: np.ndarray, codes: np.ndarray, values: int) -> np.ndarray:
    """Images per group and value: (G, V) int64."""
    groups = int(group.max(initial=-1)) + 1
    return np.bincount(group * values + codes, minlength=groups * values).reshape(groups, values)
