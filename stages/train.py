"""Stage train: one cell's plan entry, index and maps -> results/runs/CELL/weights and log."""

from typing import Any

from fer_bench import stage, tracking
from fer_bench.launched import joined
from fer_bench.train_cell import train_cell
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Train the cell, in one process or several; MLflow watches the first."""
    with joined(runtime.device) as place:
        watched = runtime.mlflow and place.index == 0
        with tracking.LiveRun(entry, enabled=watched) as run:
            train_cell(entry, runtime, on_epoch=run.log_epoch)


if __name__ == "__main__":
    stage.main("train", work)
