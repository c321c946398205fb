"""Stage tables: plan and scores of the grid -> results/GRID, paper_tables/GRID; MLflow gets what it lacks."""

import sys
from pathlib import Path

from fer_bench import report, tracking
from fer_bench.au.preview import codebook_figure
from fer_bench.cells import PLAN
from fer_bench.errors import InputError
from fer_bench.provenance import recorded
from fer_bench.stage import runtime

GRID = PLAN / "grid.json"


def main() -> None:
    """Render everything and move it into place, then mirror all evaluations at once."""
    try:
        with recorded("tables", "grid"):
            plan = report.read_plan(GRID)
            report.build(GRID, Path())
            codebook_figure(Path("paper_tables") / plan["name"] / "figures" / "codebook")
            if runtime().mlflow:
                print(tracking.sync(Path(), plan))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
