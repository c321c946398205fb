"""Pairs of 64-bit hashes at a small Hamming distance, without comparing all of them."""

from collections.abc import Iterator

import numpy as np

BITS = 64
_ROWS, _COLUMNS = 256, 4096  # a tile of distances stays in the processor's cache


def pairs_within(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Find every pair of hashes that differ in at most `distance` bits.

    Two hashes that differ in at most d bits agree in at least one of d + 1 disjoint bands of their bits, so only hashes
    that share a band are compared; no pair is missed. A band takes every (d + 1)-th bit, so that each one has its part
    of the bits that vary most.

    Args:
        hashes: (N,) uint64.
        distance: bits, 0 to 63.

    Returns:
        (M, 2) int64 positions, first < second, sorted, each pair once.
    """
    hashes = np.asarray(hashes, dtype=np.uint64)
    found = [np.empty((0, 2), dtype=np.int64)]
    for band in range(distance + 1):
        mask = sum(1 << bit for bit in range(band, BITS, distance + 1))
        found += [_near(hashes, members, distance) for members in _buckets(hashes & np.uint64(mask))]
    return np.unique(np.concatenate(found), axis=0)


def _buckets(keys: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of the keys that occur more than once, key by key, each ascending."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order][:1]))
    ends = np.append(starts[1:], len(keys))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        yield order[start:end]


def _near(hashes: np.ndarray, members: np.ndarray, distance: int) -> np.ndarray:
    """Pairs among the members (K,) of one bucket, looked at tile by tile."""
    own = hashes[members]
    found = []
    for row in range(0, len(own), _ROWS):
        for column in range(row, len(own), _COLUMNS):
            tile = np.bitwise_count(own[row : row + _ROWS, None] ^ own[None, column : column + _COLUMNS])
            first, second = np.nonzero(tile <= distance)
            first, second = first + row, second + column
            ahead = first < second
            found.append(np.stack([members[first[ahead]], members[second[ahead]]], axis=1))
    return np.concatenate(found)
