"""Stage tables: plan and scores of the grid -> results/GRID, paper_tables/GRID; MLflow gets what it lacks."""

from pathlib import Path

from fer_bench import failures, rendering, tracking
from fer_bench.alone import alone
from fer_bench.orphan import end_with_pipeline
from fer_bench.provenance import recorded
from fer_bench.stage import errors_as_one_line, runtime


def main() -> None:
    """Render everything and move it into place, then mirror all evaluations at once."""
    end_with_pipeline()
    with errors_as_one_line("tables"), alone("tables", "grid"), recorded("tables", "grid"), failures.watched("tables"):
        plan = rendering.render()
        if runtime().mlflow:
            print(tracking.sync(Path(), plan))


if __name__ == "__main__":
    main()
