"""Datasets: where images lie, their labels and splits, checked before anything else runs."""

from fer_bench.datasets._duplicates import near_duplicates, perceptual_hash
from fer_bench.datasets._images import MAX_PIXELS, read_image
from fer_bench.datasets._index import COLUMNS, SPLITS, check_index, read_index
from fer_bench.datasets._splits import validation_split

__all__ = [
    "COLUMNS",
    "MAX_PIXELS",
    "SPLITS",
    "check_index",
    "near_duplicates",
    "perceptual_hash",
    "read_image",
    "read_index",
    "validation_split",
]
