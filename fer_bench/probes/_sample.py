"""The images of a test split on which costly probes look: few, and the same for every network."""

from collections.abc import Sequence

import numpy as np

from fer_bench.cells import seed_of

IMAGES = 70  # at most


def sampled(ids: Sequence[str], count: int = IMAGES) -> np.ndarray:
    """Return the rows of at most `count` images, ascending.

    Drawn by a hash of each id: neither the order of the split nor images added to it move an image's place in the draw.
    """
    drawn = sorted(range(len(ids)), key=lambda row: (seed_of("probed images", ids[row]), ids[row]))
    return np.array(sorted(drawn[:count]), dtype=np.int64)
