"""Hygiene: what is wrong with a dataset before anything is trained on it, counted, listed and judged."""

from fer_bench.hygiene.check import judge
from fer_bench.hygiene.files import write_lists, write_summary
from fer_bench.hygiene.findings import Findings, find
from fer_bench.hygiene.search import pairs_within

__all__ = ["Findings", "find", "judge", "pairs_within", "write_lists", "write_summary"]
