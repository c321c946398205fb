"""The command line: `fer-bench COMMAND`, run in the root of the repository; `fer-bench COMMAND --help` has examples."""

import typer

from fer_bench.commands import (
    check,
    compare,
    explain,
    export,
    grid,
    keeping,
    listing,
    new,
    report,
    repro,
    runs,
    status,
    verify,
)
from fer_bench.commands._command import register

COMMANDS = (
    repro.repro,
    grid.use,
    grid.estimate,
    check.check,
    status.status,
    verify.verify,
    listing.list_,
    report.show,
    report.report,
    compare.compare,
    explain.explain,
    runs.ui,
    new.new,
    export.export,
    keeping.import_authors,
    keeping.pack,
    keeping.prune,
    runs.mlflow_sync,
)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", help=__doc__)
for function in COMMANDS:
    register(app, function)


@command
def mlflow_log_model(
    cell: Annotated[str, typer.Argument(help="a trained cell, DATASET-MODEL-GUIDANCE-sSEED")],
    grid: Annotated[str | None, typer.Option(help="whose scores its card shows; default: the active grid")] = None,
) -> None:
    """Log a trained cell as a model that MLflow can serve: fer-bench mlflow-log-model synthetic-resnet10t-au-s0."""
    from fer_bench.commands.mlflow_log_model import log_model  # noqa: PLC0415  torch takes seconds

    print("\n".join(log_model(cell, grid)))


if __name__ == "__main__":
    app(prog_name="fer-bench")
