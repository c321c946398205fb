"""Independent random streams, each named by what it decides: touching one leaves all others as they were."""

from hashlib import sha256

import numpy as np


def stream(seed: int, name: str, index: str) -> np.random.Generator:
    """Return the generator of one stream ("identity", "pose", ...) of one item (a subject or a face).

    The 256-bit state comes from SHA-256 of the three parts, so it depends neither on the order of calls nor on the
    number of workers.
    """
    digest = sha256(f"{seed}/{name}/{index}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def bounded_normal(random: np.random.Generator, deviation: float, limit: float = 2.2) -> float:
    """Draw from a normal distribution whose tails are cut at `limit` standard deviations."""
    return float(np.clip(random.standard_normal(), -limit, limit)) * deviation
