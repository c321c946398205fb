"""How far a grid is: every stage done, missing, stale, failed or skipped, and why."""

from fer_bench.board.overview import Overview, overview
from fer_bench.board.state import State

__all__ = ["Overview", "State", "overview"]
