"""`fer-bench mlflow-log-model`: a trained cell as a model in MLflow, and the lines that serve it."""

import tempfile
from pathlib import Path

from fer_bench.commands._command import EXTEND, command
from fer_bench.commands.export import CellName, Grid

PORT = 5001  # `mlflow ui` has 5000


@command(EXTEND, "fer-bench mlflow-log-model synthetic-resnet10t-au-s0", name="mlflow-log-model")
def mlflow_log_model(cell: CellName, grid: Grid = None) -> None:
    """Log a trained cell as a model of its run in MLflow, to be loaded and served; a second call changes nothing."""
    print("\n".join(log_model(cell, grid)))


def log_model(cell: str, grid: str | None = None, root: Path = Path()) -> list[str]:
    """Export a cell, log the export as a model of its training run, and say how it is loaded and served."""
    from fer_bench import tracking  # noqa: PLC0415  MLflow and torch take seconds
    from fer_bench.export import export  # noqa: PLC0415  as above

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        export(cell, folder, grid=grid, root=root)
        logged = tracking.log_model(cell, folder, root)
    return [
        f"{'logged' if logged.made else 'there already'}: {logged.uri}, a model of the run {cell}",
        f"in Python: mlflow.pyfunc.load_model('{logged.uri}').predict(pandas.DataFrame({{'image': [file_bytes]}}))",
        f"served:    .venv/bin/mlflow models serve --model-uri {logged.uri} --env-manager local --port {PORT}",
        'asked:     printf \'{"dataframe_records": [{"image": "%s"}]}\' "$(base64 -w0 photo.jpg)" | \\',
        f"           curl -s -d @- -H 'Content-Type: application/json' http://127.0.0.1:{PORT}/invocations",
    ]
