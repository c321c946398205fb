"""Stage tables: plan and scores of the grid -> results/GRID, paper_tables/GRID; MLflow gets what it lacks."""

import sys
from pathlib import Path

from fer_bench import failures, rendering, tracking
from fer_bench.errors import InputError
from fer_bench.provenance import recorded
from fer_bench.stage import runtime


def main() -> None:
    """Render everything and move it into place, then mirror all evaluations at once."""
    try:
        with recorded("tables", "grid"), failures.watched("tables"):
            plan = rendering.render()
            if runtime().mlflow:
                print(tracking.sync(Path(), plan))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
