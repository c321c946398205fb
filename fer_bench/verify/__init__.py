"""Does this machine come to the committed numbers? Comparison, rerun in a clone, certificate."""

from fer_bench.verify.compare import KEYS, compared, differences
from fer_bench.verify.git import committed_frame as committed

__all__ = ["KEYS", "committed", "compared", "differences"]
