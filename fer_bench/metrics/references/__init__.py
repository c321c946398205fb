"""What a score of a map is read against: chance levels, references that no classifier made, and the ceiling.

Every score of a map is printed beside these, because all action-unit maps are non-negative and alike: a constant map
already has a cosine near 0.45 (Belharbi et al., arXiv 2402.00281, print none of them).
"""

from fer_bench.gaussian import centred_gaussian
from fer_bench.metrics.references._ceiling import ceiling_maps
from fer_bench.metrics.references._fixed import MeanMaps, random_smooth_maps
from fer_bench.metrics.references._scores import (
    ceiling,
    chance_constant,
    chance_random,
    chance_untrained,
    fixed_map,
    normalised,
    training_target_scored,
)

__all__ = [
    "MeanMaps",
    "ceiling",
    "ceiling_maps",
    "centred_gaussian",
    "chance_constant",
    "chance_random",
    "chance_untrained",
    "fixed_map",
    "normalised",
    "random_smooth_maps",
    "training_target_scored",
]
