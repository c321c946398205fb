"""Tables and figures of a grid, made from the scores of its cells alone."""

from fer_bench.report._build import build, read_plan
from fer_bench.report._screen import print_tables
from fer_bench.report.style import shrink

__all__ = ["build", "print_tables", "read_plan", "shrink"]
