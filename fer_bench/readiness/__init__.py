"""What works on this machine, what is missing for the active grid, and the exact next command."""

from fer_bench.readiness.check import Report, check
from fer_bench.readiness.finding import Finding

__all__ = ["Finding", "Report", "check"]
